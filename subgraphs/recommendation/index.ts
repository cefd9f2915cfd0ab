import { fileURLToPath } from 'node:url';
import { cancelledBy } from '../kit/cancelled-by.ts';
import { buildFederatedSchema } from '../kit/federation.ts';
import { modelCache } from '../kit/production-model.ts';
import type { ModelKey } from '../kit/registry.ts';
import { SplitModel } from '../kit/split-model.ts';
import { runStandalone } from '../kit/standalone.ts';
import type { Subgraph } from '../kit/subgraph.ts';
import { createContext, type RecommendationContext } from './context.ts';
import { Ranker } from './ranker.ts';
import { MODEL, ModelVersionResolver, PopularResolver, ProductResolver, UserResolver } from './resolvers.ts';
import { User } from './schema.ts';
import { SplitRecommender } from './split-recommender.ts';
import { RecommendationStore } from './store.ts';
import { TrafficLog } from './traffic.ts';
import { forgetShown, insertShown, traffic } from './traffic-store.ts';

/** Personal recommendations, similar products and what is popular. */
export const recommendation: Subgraph = {
  name: 'recommendation',
  schema: () =>
    buildFederatedSchema<RecommendationContext>({
      resolvers: [PopularResolver, UserResolver, ProductResolver, ModelVersionResolver],
      types: [User],
      references: {
        Product: ({ id }: { id: string }) => ({ id }),
        User: ({ id }: { id: string }) => ({ id }),
        ModelVersion: ({ name, version }: ModelKey) => ({ name, version }),
      },
    }),
  migrations: fileURLToPath(new URL('migrations', import.meta.url)),
  async start({ config, database, registry, log }) {
    const models = new SplitModel({
      name: MODEL,
      registry,
      cacheDir: modelCache(config),
      load: (dir) => Ranker.load(dir),
      log,
    });
    await models.start();
    const days = config.TRAFFIC_DAYS;
    const shown =
      days === 0
        ? null
        : new TrafficLog({
            write: (rows) => insertShown(database, rows),
            forget: () => forgetShown(database, days),
            log,
          });
    return {
      context: (request) => {
        const reading = cancelledBy(database, request);
        return createContext(new SplitRecommender(new RecommendationStore(reading), models), {
          log: shown,
          days,
          of: (versions) => traffic(reading, versions, days),
        });
      },
      stop: async () => {
        await models.stop();
        await shown?.stop();
      },
    };
  },
};

if (import.meta.main) await runStandalone(recommendation);
