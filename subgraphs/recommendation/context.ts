import DataLoader from 'dataloader';
import type { Ask, Recommendation, Recommendations, Recommender, SimilarAsk } from './recommender.ts';
import type { Shown, Traffic, TrafficLog } from './traffic.ts';

/** What resolvers work with, made anew for each request. */
export interface RecommendationContext {
  /** Notes for the counts of a version what was recommended; takes no time. */
  shown: (shown: Shown) => void;
  /** By version of the recommender. */
  traffic: DataLoader<number, Traffic>;
  trafficDays: number;
  recommendations: DataLoader<Ask, Recommendations, string>;
  similar: DataLoader<SimilarAsk, Recommendation[], string>;
  popular: DataLoader<PopularAsk, Recommendation[], string>;
}

export interface PopularAsk {
  categoryId: string | null;
  limit: number;
}

export interface TrafficCounts {
  log: Pick<TrafficLog, 'add'> | null;
  days: number;
  of(versions: readonly number[]): Promise<Traffic[]>;
}

export const NOT_COUNTED: TrafficCounts = { log: null, days: 0, of: async () => [] };

export function createContext(recommender: Recommender, traffic: TrafficCounts = NOT_COUNTED): RecommendationContext {
  const options = { cacheKeyFn: (ask: object) => JSON.stringify(ask) };
  return {
    shown: (shown) => traffic.log?.add(shown),
    traffic: new DataLoader((versions: readonly number[]) => traffic.of(versions)),
    trafficDays: traffic.days,
    recommendations: new DataLoader((asks: readonly Ask[]) => recommender.recommend(asks), options),
    similar: new DataLoader((asks: readonly SimilarAsk[]) => recommender.similar(asks), options),
    popular: new DataLoader(async (asks: readonly PopularAsk[]) => {
      const lists = await recommender.popular(
        asks.map(({ categoryId }) => categoryId),
        Math.max(...asks.map(({ limit }) => limit)),
      );
      return lists.map((list, place) => list.slice(0, asks[place]?.limit));
    }, options),
  };
}
