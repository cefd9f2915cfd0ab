import type { Data } from './run.ts';

/** A step of a plan's path: a key of an object, or every item of a list. */
export type PathElement = string;
export const EVERY: PathElement = '@';

export type ResponsePath = readonly (string | number)[];

/** The objects at a path of the data, in document order; nulls have none. */
export function collect(data: Data, path: readonly PathElement[]): Data[] {
  const found: Data[] = [];
  into(data, path, 0, found);
  return found;
}

function into(value: unknown, path: readonly PathElement[], index: number, found: Data[]): void {
  if (value === null || value === undefined) return;
  if (index === path.length) {
    found.push(value as Data);
  } else if (path[index] === EVERY) {
    if (!Array.isArray(value)) return;
    for (let i = 0; i < value.length; i++) into(value[i], path, index + 1, found);
  } else {
    into((value as Data)[path[index] as string], path, index + 1, found);
  }
}

/** Where those objects are, in the same order. Only errors need it, so it is a walk of its own. */
export function locations(data: Data, path: readonly PathElement[]): ResponsePath[] {
  const found: ResponsePath[] = [];
  const walk = (value: unknown, index: number, at: ResponsePath): void => {
    if (value === null || value === undefined) return;
    const element = path[index];
    if (element === undefined) {
      found.push(at);
    } else if (element === EVERY) {
      if (!Array.isArray(value)) return;
      for (const [i, item] of value.entries()) walk(item, index + 1, [...at, i]);
    } else {
      walk((value as Data)[element], index + 1, [...at, element]);
    }
  };
  walk(data, 0, []);
  return found;
}
