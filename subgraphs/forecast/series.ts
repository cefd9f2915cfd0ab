/** Length of a period. */
export type GranularityName = 'day' | 'week';

export const STEP_DAYS: Record<GranularityName, number> = { day: 1, week: 7 };

/** What is forecast: a product, a category with those below it, or the whole shop (id `shop`). */
export interface SeriesKey {
  kind: 'product' | 'category' | 'shop';
  id: string;
}

export const SHOP: SeriesKey = { kind: 'shop', id: 'shop' };

export const nameOf = ({ kind, id }: SeriesKey): string => (kind === 'shop' ? 'shop' : `${kind}:${id}`);

/** The newest periods of a series, oldest first; the last one is the origin. All arrays have one length. */
export interface Series {
  /** NaN before the series began. */
  units: Float64Array;
  /** NaN where unknown. */
  price: Float64Array;
  promotion: Uint8Array;
  inStock: Uint8Array;
  /** The series above it: a category, or the shop. */
  parent: SeriesKey;
}

const DAY_MS = 86_400_000;

/** A calendar day, `2026-11-24`, some days later. */
export const addDays = (date: string, days: number): string =>
  new Date(Date.parse(date) + days * DAY_MS).toISOString().slice(0, 10);

export const daysBetween = (from: string, to: string): number => (Date.parse(to) - Date.parse(from)) / DAY_MS;

/** 0: Monday … 6: Sunday. */
export const weekdayOf = (date: string): number => (new Date(date).getUTCDay() + 6) % 7;
