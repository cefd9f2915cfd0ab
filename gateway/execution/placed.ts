import type { Data, ResultError } from './run.ts';

/**
 * Errors at places that the answer has. A plan also fetches what nobody asked for: a field that another needs is told where that
 * other would be; one that was asked of another type only is not told.
 * @param keys every key that the answer may have
 */
export function placed(errors: readonly ResultError[], data: Data | null, keys: ReadonlySet<string>): ResultError[] {
  return errors.flatMap((error) => {
    if (!error.path) return [error];
    let at: unknown = data;
    for (const [depth, key] of error.path.entries()) {
      // At or under a null: that is what the error explains.
      if (typeof at !== 'object' || at === null) return [error];
      const next = (at as Record<string | number, unknown>)[key];
      if (next === undefined && typeof key === 'string') {
        return keys.has(key) ? [] : [{ ...error, path: error.path.slice(0, depth) }];
      }
      at = next;
    }
    return [error];
  });
}
