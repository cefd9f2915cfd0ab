/** Who was measured ("ours", baselines, "ceiling"), by which metrics; as the pipeline writes it. */
export type Metrics = Record<string, Record<string, number>>;

/** What is not of this shape is left out: the graph calls it any JSON. */
export function readMetrics(json: unknown): Metrics {
  const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
  if (!isObject(json)) return {};
  return Object.fromEntries(
    Object.entries(json).flatMap(([who, values]) => {
      if (!isObject(values)) return [];
      const numbers = Object.entries(values).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
      return numbers.length > 0 ? [[who, Object.fromEntries(numbers)]] : [];
    }),
  );
}

/** The metric that decides on promotion: the first that ours has. */
export const leading = (metrics: Metrics): string | null => Object.keys(metrics.ours ?? {})[0] ?? null;

const WORDS: Record<string, string> = {
  ours: 'This version',
  ceiling: 'Best possible',
  ease: 'EASE',
  ets: 'ETS',
  itemKnn: 'Item-kNN',
};

/** `seasonalNaive` reads "Seasonal naive". */
export function nameOf(who: string): string {
  const words = who.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
  return WORDS[who] ?? words.charAt(0).toUpperCase() + words.slice(1);
}
