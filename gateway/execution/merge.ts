import type { Data } from './run.ts';
import type { Types } from './types.ts';

const isObject = (value: unknown): value is Data =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Adds what a fetch brought to what is there, in place. Null never overwrites a value: of two subgraphs that answer one
 * field, the one that knows more wins. So it is with types: a subgraph may know an object only by the name of its interface.
 */
export function merge(target: Data, source: Data, types: Types): void {
  for (const key in source) {
    const value = source[key];
    // That one leads to what all objects share.
    if (value === undefined || key === '__proto__') continue;
    const present = target[key];
    if (present === undefined || present === null) {
      target[key] = value;
    } else if (typeof value !== 'object') {
      if (key !== '__typename' || !types.isObject(present as string)) target[key] = value;
    } else if (isObject(value) && isObject(present)) {
      merge(present, value, types);
    } else if (Array.isArray(value) && Array.isArray(present) && value.length === present.length) {
      mergeLists(present, value, types);
    } else if (value !== null) {
      target[key] = value;
    }
  }
}

function mergeLists(target: unknown[], source: readonly unknown[], types: Types): void {
  for (let i = 0; i < source.length; i++) {
    const value = source[i];
    const present = target[i];
    if (isObject(value) && isObject(present)) merge(present, value, types);
    else if (Array.isArray(value) && Array.isArray(present) && value.length === present.length) {
      mergeLists(present, value, types);
    } else if (value !== null && value !== undefined) target[i] = value;
  }
}
