import type { ProductionModel } from '../kit/production-model.ts';
import type { ModelVersion } from '../kit/registry.ts';
import type { SplitModel } from '../kit/split-model.ts';
import type { Ranker } from './ranker.ts';
import { type Ask, type Recommendations, Recommender } from './recommender.ts';
import type { RecommendationStore } from './store.ts';

/** The recommender while two versions share its users: each answer is wholly of the version that the user belongs to. */
export class SplitRecommender extends Recommender {
  constructor(
    private readonly data: RecommendationStore,
    private readonly split: Pick<SplitModel<Ranker>, 'production' | 'answering'>,
  ) {
    super(data, split.production);
  }

  override async recommend(asks: readonly Ask[]): Promise<Recommendations[]> {
    const answers: Recommendations[] = [];
    const parts = Map.groupBy(asks.keys(), (place) => this.split.answering((asks[place] as Ask).userId));
    const answered = [...parts].map(async ([model, places]) => {
      const own = places.map((place) => asks[place] as Ask);
      const found = model.current()
        ? // Held from the first statement to the last, so that no promotion comes in between.
          await model.use((ranker, version) => new Recommender(this.data, held(ranker, version)).recommend(own))
        : await super.recommend(own);
      for (const [index, place] of places.entries()) answers[place] = found[index] as Recommendations;
    });
    await Promise.all(answered);
    return answers;
  }
}

const held = (model: Ranker, version: ModelVersion): Pick<ProductionModel<Ranker>, 'current' | 'use'> => ({
  current: () => ({ model, version }),
  use: async (work) => work(model, version),
});
