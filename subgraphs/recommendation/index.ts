import { fileURLToPath } from 'node:url';
import { cancelledBy } from '../kit/cancelled-by.ts';
import { buildFederatedSchema } from '../kit/federation.ts';
import { modelCache, ProductionModel } from '../kit/production-model.ts';
import { runStandalone } from '../kit/standalone.ts';
import type { Subgraph } from '../kit/subgraph.ts';
import { createContext, type RecommendationContext } from './context.ts';
import { Ranker } from './ranker.ts';
import { Recommender } from './recommender.ts';
import { PopularResolver, ProductResolver, UserResolver } from './resolvers.ts';
import { User } from './schema.ts';
import { RecommendationStore } from './store.ts';

/** Personal recommendations, similar products and what is popular. */
export const recommendation: Subgraph = {
  name: 'recommendation',
  schema: () =>
    buildFederatedSchema<RecommendationContext>({
      resolvers: [PopularResolver, UserResolver, ProductResolver],
      types: [User],
      references: {
        Product: ({ id }: { id: string }) => ({ id }),
        User: ({ id }: { id: string }) => ({ id }),
      },
    }),
  migrations: fileURLToPath(new URL('migrations', import.meta.url)),
  async start({ config, database, registry, log }) {
    const models = new ProductionModel({
      name: 'recommender',
      registry,
      cacheDir: modelCache(config),
      load: (dir) => Ranker.load(dir),
      log,
    });
    await models.start();
    return {
      context: (request) =>
        createContext(new Recommender(new RecommendationStore(cancelledBy(database, request)), models)),
      stop: () => models.stop(),
    };
  },
};

if (import.meta.main) await runStandalone(recommendation);
