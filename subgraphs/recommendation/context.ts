import DataLoader from 'dataloader';
import type { Ask, Recommendation, Recommendations, Recommender, SimilarAsk } from './recommender.ts';

/** What resolvers work with, made anew for each request. */
export interface RecommendationContext {
  recommendations: DataLoader<Ask, Recommendations, string>;
  similar: DataLoader<SimilarAsk, Recommendation[], string>;
  popular: DataLoader<PopularAsk, Recommendation[], string>;
}

export interface PopularAsk {
  categoryId: string | null;
  limit: number;
}

export function createContext(recommender: Recommender): RecommendationContext {
  const options = { cacheKeyFn: (ask: object) => JSON.stringify(ask) };
  return {
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
