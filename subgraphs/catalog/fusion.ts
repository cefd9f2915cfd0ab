/** What one way of searching found, best first, and how much it counts. */
export interface Ranking {
  ids: readonly string[];
  /** How much it counts, of each of them; or of all alike. */
  weight: number | readonly number[];
}

export interface Fused {
  id: string;
  score: number;
  /** From 1, in each ranking; null where the ranking does not have it. */
  ranks: (number | null)[];
}

/** The constant of the paper; the larger, the less the first places stand out. */
const K = 60;

/**
 * Reciprocal rank fusion (Cormack, Clarke & Büttcher 2009): the sum of weight / (60 + rank) over the rankings, which need no common
 * scale for that. Best first; equal scores by id, so that the order is always the same.
 */
export function fuse(rankings: readonly Ranking[]): Fused[] {
  const fused = new Map<string, Fused>();
  for (const [which, { ids, weight }] of rankings.entries()) {
    for (const [index, id] of ids.entries()) {
      const known = fused.get(id) ?? { id, score: 0, ranks: rankings.map(() => null) };
      known.score += (typeof weight === 'number' ? weight : (weight[index] ?? 0)) / (K + index + 1);
      known.ranks[which] = index + 1;
      fused.set(id, known);
    }
  }
  return [...fused.values()].sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1));
}
