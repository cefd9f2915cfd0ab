import { decodeCursor } from '../kit/connection.ts';
import { isStorable } from './text.ts';

/** The orders that lists of products have. Each is total: the id decides between equal keys. */
export const ORDERS = ['NEWEST', 'PRICE_ASC', 'PRICE_DESC', 'NAME', 'RANK', 'FUSED'] as const;
export type Order = (typeof ORDERS)[number];

/** Where a product stands in an order: its sort key as the store writes it, and its id. */
export interface Position {
  key: string;
  id: string;
}

/** What a key looks like, so that a forged cursor is refused here and not by the database. */
const KEYS: Record<Order, RegExp> = {
  NEWEST: /^-?\d{1,14}$/, // ms since 1970
  PRICE_ASC: /^\d{1,400}(\.\d{1,400})?$/,
  PRICE_DESC: /^\d{1,400}(\.\d{1,400})?$/,
  NAME: /^.{0,100}$/su,
  RANK: /^\d{1,12}$/, // millionths
  FUSED: /^\d{1,12}$/, // billionths
};

/** What a cursor keeps. It names its order, so that it does not silently continue another one. */
export const toCursor = (order: Order, { key, id }: Position): unknown => [order, key, id];

/** @throws HashiraError BAD_USER_INPUT when `after` is not a cursor of a list in this order */
export function fromCursor(order: Order, after: string | null | undefined): Position | null {
  const kept = decodeCursor(after, (value): value is [Order, string, string] => {
    if (!Array.isArray(value) || value.length !== 3 || value[0] !== order) return false;
    const [, key, id] = value as unknown[];
    return [key, id].every((part) => typeof part === 'string' && isStorable(part)) && KEYS[order].test(key as string);
  });
  return kept && { key: kept[1], id: kept[2] };
}

/** The order that a cursor names; null when it is none, which `fromCursor` then refuses. */
export function cursorOrder(after: string | null | undefined): Order | null {
  return ORDERS.find((order) => isCursorOf(order, after)) ?? null;
}

function isCursorOf(order: Order, after: string | null | undefined): boolean {
  try {
    return fromCursor(order, after) !== null;
  } catch {
    return false;
  }
}
