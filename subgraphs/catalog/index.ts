import { fileURLToPath } from 'node:url';
import { cancelledBy } from '../kit/cancelled-by.ts';
import { buildFederatedSchema } from '../kit/federation.ts';
import { runStandalone } from '../kit/standalone.ts';
import type { Subgraph } from '../kit/subgraph.ts';
import { type CatalogContext, createContext } from './context.ts';
import { IndexFollower } from './index-follower.ts';
import { ProductIndex } from './product-index.ts';
import {
  CatalogResolver,
  CategoryResolver,
  ProductConnectionResolver,
  ProductResolver,
  UserResolver,
} from './resolvers.ts';
import { Retriever } from './retriever.ts';
import { CatalogStore } from './store.ts';

/** Products, categories and users, and what shoppers do with them. */
export const catalog: Subgraph = {
  name: 'catalog',
  schema: () =>
    buildFederatedSchema<CatalogContext>({
      resolvers: [CatalogResolver, ProductResolver, CategoryResolver, UserResolver, ProductConnectionResolver],
      references: {
        Product: ({ id }: { id: string }, { products }) => products.load(id),
        Category: ({ id }: { id: string }, { categories }) => categories.load(id),
        // Accounts live with the token issuer: whoever another subgraph names is a user, known to this shop's data or not.
        User: ({ id }: { id: string }) => ({ id }),
      },
    }),
  migrations: fileURLToPath(new URL('./migrations', import.meta.url)),
  start: async ({ config, database, log }) => {
    const index = ProductIndex.of(config, database);
    if (config.CHROMA_URL && !index) log.warn('there is no sentence embedder here: search goes by words alone');
    const retriever = Retriever.of({ config, database, log }, index);
    const follower = index && new IndexFollower(database, index, log);
    return {
      context: (request) =>
        createContext(new CatalogStore(database, cancelledBy(database, request)), retriever, request),
      stop: async () => follower?.stop(),
    };
  },
};

if (import.meta.main) await runStandalone(catalog);
