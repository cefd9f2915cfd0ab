import { ProductIndex } from '../../catalog/product-index.ts';
import { Retriever } from '../../catalog/retriever.ts';
import { CatalogStore } from '../../catalog/store.ts';
import type { Database, Queryable } from '../../kit/database.ts';
import { HashiraError } from '../../kit/errors.ts';
import type { Services } from '../../kit/subgraph.ts';
import type { Ask } from '../generator.ts';
import type { Library } from './library.ts';
import { type Question, Researcher } from './researcher.ts';
import { Vocabularies } from './vocabulary.ts';

/** Research on this process's catalogue. The embedder is loaded when it is first needed. */
export function createResearcher(services: Services): Pick<Researcher, 'research'> {
  const { config, database, log } = services;
  const index = ProductIndex.of(config, database);
  const retriever = Retriever.of(services, index);
  const vocabularies = new Vocabularies(database, log);
  const library: Library = {
    search: (text, filter, limit, signal) => retriever.find(text, filter, { limit, signal, required: true }),
    reworded: (text, signal) => retriever.reworded(text, signal),
    products: (ids, signal) => storeOf(database, signal).productsById(ids),
    filtered: async (filter, limit, signal) => {
      const found = await storeOf(database, signal).products({ filter, order: 'PRICE_ASC', after: null, limit });
      return found.map(({ product }) => product);
    },
    vocabulary: () => vocabularies.get(),
  };
  return {
    research: async (question: Question, signal: AbortSignal): Promise<Ask> => {
      if (!index) throw new HashiraError('VECTORS_UNAVAILABLE', 'There is no index of the products here.');
      return new Researcher(library, await index.embedder()).research(question, signal);
    },
  };
}

/** Reads that end when nobody waits for the answer any more. */
function storeOf(database: Database, signal: AbortSignal): CatalogStore {
  const cancelled: Queryable = { query: (text, values) => database.query(text, values, signal) };
  return new CatalogStore({ ...cancelled, transaction: (work) => database.transaction(work) }, cancelled);
}
