import type { MiddlewareFn } from 'type-graphql';
import { badInput } from '../kit/errors.ts';

/** PostgreSQL's text holds every Unicode string except NUL, and half a surrogate pair is not Unicode. */
export const isStorable = (text: string): boolean => !text.includes('\0') && text.isWellFormed();

/** The path of the first string inside `value` that cannot be stored, like `.products[0].name`; null when all can. */
function findUnstorable(value: unknown): string | null {
  if (typeof value === 'string') return isStorable(value) ? null : '';
  if (typeof value !== 'object' || value === null || value instanceof Date) return null;
  for (const [key, item] of Object.entries(value)) {
    const found = findUnstorable(item);
    if (found !== null) return `${Array.isArray(value) ? `[${key}]` : `.${key}`}${found}`;
  }
  return null;
}

/** Refuses arguments with a string that no stored text can equal or hold. @throws HashiraError BAD_USER_INPUT */
export const storableArguments: MiddlewareFn = ({ args }, next) => {
  const found = findUnstorable(args);
  if (found === null) return next();
  const path = found.slice(1);
  throw badInput(`"${path}" has a NUL character or half of a surrogate pair in it.`, path);
};

/**
 * The length in characters (not UTF-16 units) must be in the range.
 * @param what as the message has it
 * @param argument path of what was given, for the error's `argument`
 * @throws HashiraError BAD_USER_INPUT
 */
export function checkLength(text: string, min: number, max: number, what: string, argument?: string): void {
  // No text has more code points than UTF-16 units, or less than half as many.
  const length = text.length > 2 * max ? text.length : [...text].length;
  if (length < min || length > max) throw badInput(`${what} must have ${min} to ${max} characters.`, argument);
}
