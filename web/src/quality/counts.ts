import type { Summarized } from './all-summaries.ts';

type Counted = Pick<Summarized, 'resolved' | 'status' | 'createdAt'>;

/** How many there are of each, most first. */
export function countBy<Item extends Counted>(items: readonly Item[], nameOf: (item: Item) => string) {
  return [...Map.groupBy(items, nameOf)]
    .map(([name, some]) => ({
      name,
      all: some.length,
      resolved: some.filter(({ resolved }) => resolved).length,
      flagged: some.filter(({ status }) => status === 'FLAGGED').length,
    }))
    .sort((a, b) => b.all - a.all || a.name.localeCompare(b.name));
}

/** The beginning of the reader's day so many days ago. */
export const daysBefore = (now: Date, days: number): Date =>
  new Date(now.getFullYear(), now.getMonth(), now.getDate() - days);

/** The last days, oldest first, and how many of some items fall on each. */
export function perDay<Item extends Counted>(items: readonly Item[], days: number, now = new Date()) {
  const dates = Array.from({ length: days }, (_, place) => isoDay(daysBefore(now, days - 1 - place)));
  return {
    dates,
    of: (fits: (item: Item) => boolean): number[] => {
      const byDay = Map.groupBy(items.filter(fits), ({ createdAt }) => isoDay(new Date(createdAt)));
      return dates.map((date) => byDay.get(date)?.length ?? 0);
    },
  };
}

const two = (number: number) => String(number).padStart(2, '0');
const isoDay = (date: Date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
