import { type ErrorCode, HashiraError } from '../errors.ts';

/** What can be wrong with a storage, whichever it is. */
const TROUBLES = {
  unavailable: ['STORAGE_UNAVAILABLE', 'cannot be reached at the moment'],
  full: ['STORAGE_FULL', 'has no space left'],
  missing: ['LAKE_UNREADABLE', 'lacks a file or folder that is needed'],
  refused: ['LAKE_UNREADABLE', 'refuses access: the key or the rights of this process do not suffice'],
  nowhere: ['LAKE_UNREADABLE', 'is in a bucket that does not exist'],
  unreadable: ['LAKE_UNREADABLE', 'cannot be read'],
  unwritable: ['LAKE_UNREADABLE', 'cannot be written'],
} as const satisfies Record<string, [ErrorCode, string]>;

export type Trouble = keyof typeof TROUBLES;

/**
 * @param name how a person calls the storage, "The data lake"
 * @param cause for the operator's log alone; must have no secret in it
 */
export function trouble(kind: Trouble, name: string, cause: unknown): HashiraError {
  const [code, what] = TROUBLES[kind];
  return new HashiraError(code, `${name} ${what}.`, { cause });
}
