import type { FetchDataRewrite } from '@apollo/query-planner';
import type { Data } from './run.ts';
import type { Types } from './types.ts';

/** How a rewrite's path names a type condition. */
export const FRAGMENT = '... on ';

/**
 * Compiles a plan's rewrites of fetched or sent data: renamed keys, where subgraphs would have answered one name with two
 * meanings, and set values, where an interface object goes by the interface's name. The function changes data in place.
 */
export function compileRewrites(
  rewrites: readonly FetchDataRewrite[] | undefined,
  types: Types,
): ((data: unknown) => void) | null {
  if (!rewrites || rewrites.length === 0) return null;
  const compiled = rewrites.map((rewrite) => {
    const key = rewrite.path.at(-1) as string;
    const parents = rewrite.path.slice(0, -1);
    const change =
      rewrite.kind === 'ValueSetter'
        ? (object: Data) => {
            object[key] = rewrite.setValueTo;
          }
        : (object: Data) => {
            if (object[key] === undefined) return;
            object[rewrite.renameKeyTo] = object[key];
            delete object[key];
          };
    return (data: unknown) => at(data, parents, 0, types, change);
  });
  return (data) => {
    for (const rewrite of compiled) rewrite(data);
  };
}

function at(
  value: unknown,
  path: readonly string[],
  index: number,
  types: Types,
  change: (object: Data) => void,
): void {
  if (Array.isArray(value)) {
    for (const item of value) at(item, path, index, types, change);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  const object = value as Data;
  const element = path[index];
  if (element === undefined) change(object);
  else if (!element.startsWith(FRAGMENT)) at(object[element], path, index + 1, types, change);
  else if (meets(object.__typename, element.slice(FRAGMENT.length), types)) at(object, path, index + 1, types, change);
}

/** An object of no known type is taken for the one expected. */
const meets = (typename: unknown, condition: string, types: Types): boolean =>
  typeof typename !== 'string' || types.meets(typename, condition);
