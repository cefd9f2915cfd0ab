import { fileURLToPath } from 'node:url';
import { cancelledBy } from '../kit/cancelled-by.ts';
import { buildFederatedSchema } from '../kit/federation.ts';
import { modelCache, ProductionModel } from '../kit/production-model.ts';
import { runStandalone } from '../kit/standalone.ts';
import type { Subgraph } from '../kit/subgraph.ts';
import { createContext, type ForecastContext } from './context.ts';
import { Forecaster } from './forecaster.ts';
import { CategoryResolver, ForecastResolver, ProductResolver } from './resolvers.ts';
import { SalesForecasts } from './sales-forecast.ts';
import { Category, Product } from './schema.ts';
import { ForecastStore } from './store.ts';

/** Sales forecasts with intervals, by product, by category and for the whole shop. */
export const forecast: Subgraph = {
  name: 'forecast',
  schema: () =>
    buildFederatedSchema<ForecastContext>({
      resolvers: [ForecastResolver, ProductResolver, CategoryResolver],
      types: [Product, Category],
      references: {
        Product: ({ id }: { id: string }) => ({ id }),
        Category: ({ id }: { id: string }) => ({ id }),
      },
    }),
  migrations: fileURLToPath(new URL('migrations', import.meta.url)),
  async start({ config, database, registry, log }) {
    const models = new ProductionModel({
      name: 'forecaster',
      registry,
      cacheDir: modelCache(config),
      load: (dir) => Forecaster.load(dir),
      log,
    });
    await models.start();
    return {
      context: (request) =>
        createContext(new SalesForecasts(new ForecastStore(cancelledBy(database, request)), models)),
      stop: () => models.stop(),
    };
  },
};

if (import.meta.main) await runStandalone(forecast);
