import type { HistoryItem } from './features.ts';
import type { Ranked, Ranker } from './ranker.ts';

/** Why a product is shown; each is a fact of the data, the most telling one that holds. */
export const REASONS = ['PERSONAL', 'SIMILAR_TO_VIEWED', 'BOUGHT_TOGETHER', 'POPULAR'] as const;
export type Reason = (typeof REASONS)[number];

/** Says of each product ranked for a user with this history why it is there. */
export function reasonFor(ranker: Ranker, history: readonly HistoryItem[]): (product: Ranked) => Reason {
  const seen = new Set(history.map(({ productId }) => productId));
  const bought = new Set(history.filter(({ purchases }) => purchases > 0).map(({ productId }) => productId));
  return ({ item, personal }) => {
    if (ranker.neighbours.boughtWith(item, bought)) return 'BOUGHT_TOGETHER';
    if (ranker.neighbours.similarTo(item, seen)) return 'SIMILAR_TO_VIEWED';
    return personal ? 'PERSONAL' : 'POPULAR';
  };
}
