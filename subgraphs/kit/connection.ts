import { badInput } from './errors.ts';

/** One page of a Relay connection, as resolvers return it. */
export interface Page<T> {
  edges: { node: T; cursor: string }[];
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | null; endCursor: string | null };
}

/** `first` of every list: 1..100, 20 when not given. @throws HashiraError BAD_USER_INPUT */
export function pageSize(first: number | null | undefined, fallback = 20): number {
  if (first === null || first === undefined) return fallback;
  if (first < 1 || first > 100) throw badInput(`"first" must be between 1 and 100, not ${first}.`, 'first');
  return first;
}

/** Opaque to clients: what a list needs to go on after an item, as base64url JSON. */
export const encodeCursor = (position: unknown): string => Buffer.from(JSON.stringify(position)).toString('base64url');

/** @throws HashiraError BAD_USER_INPUT when `after` was not made by `encodeCursor` or `isValid` refuses what is in it. */
export function decodeCursor<T>(
  after: string | null | undefined,
  isValid: (position: unknown) => position is T,
): T | null {
  if (after === null || after === undefined) return null;
  try {
    const position: unknown = JSON.parse(Buffer.from(after, 'base64url').toString('utf8'));
    if (isValid(position)) return position;
  } catch {
    // falls through: not JSON
  }
  throw badInput('"after" is not a cursor of this list.', 'after');
}

/**
 * A page from `first + 1` rows fetched after a cursor: the extra row only tells that there is more.
 * @param position what `encodeCursor` keeps of a row
 */
export function page<T>(rows: readonly T[], first: number, after: unknown, position: (row: T) => unknown): Page<T> {
  const edges = rows.slice(0, first).map((node) => ({ node, cursor: encodeCursor(position(node)) }));
  return {
    edges,
    pageInfo: {
      hasNextPage: rows.length > first,
      hasPreviousPage: after !== null && after !== undefined,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}
