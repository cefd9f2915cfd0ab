import DataLoader from 'dataloader';
import type { Identity } from '../kit/auth.ts';
import type { RequestContext } from '../kit/subgraph.ts';
import type { Category, Product } from './model.ts';
import type { Position } from './order.ts';
import type { Retriever } from './retriever.ts';
import type { CatalogStore, PlacedProduct } from './store.ts';
import { isStorable } from './text.ts';

/** What resolvers work with, made anew for each request: its loaders remember nothing of other requests. */
export interface CatalogContext {
  identity: Identity | null;
  request: Pick<RequestContext, 'signal'>;
  store: CatalogStore;
  retriever: Retriever;
  products: DataLoader<string, Product | null>;
  categories: DataLoader<string, Category | null>;
  userNames: DataLoader<string, string | null>;
  /** Products of a category by id; one loader per page asked for. */
  productsOf(after: Position | null, limit: number): DataLoader<string, PlacedProduct[]>;
  productCounts: DataLoader<string, number>;
  /** Products that a user, by id, has viewed; one loader per length asked for. */
  recentlyViewed(limit: number): DataLoader<string, Product[]>;
}

/** A loader that answers keys which no stored text can equal by itself: they must not fail the others' statement. */
function loader<T>(batch: (keys: readonly string[]) => Promise<T[]>, none: T): DataLoader<string, T> {
  return new DataLoader(async (keys) => {
    const storable = keys.filter(isStorable);
    const values = storable.length > 0 ? await batch(storable) : [];
    const found = new Map(storable.map((key, index) => [key, values[index] as T]));
    return keys.map((key) => found.get(key) ?? none);
  });
}

/** One loader for each set of arguments. */
function memoized<Args extends unknown[], T>(make: (...args: Args) => T): (...args: Args) => T {
  const made = new Map<string, T>();
  return (...args) => {
    const key = JSON.stringify(args);
    const value = made.get(key) ?? make(...args);
    made.set(key, value);
    return value;
  };
}

export function createContext(store: CatalogStore, retriever: Retriever, request: RequestContext): CatalogContext {
  return {
    identity: request.identity,
    request,
    store,
    retriever,
    products: loader<Product | null>((ids) => store.productsById(ids), null),
    categories: loader<Category | null>((ids) => store.categoriesById(ids), null),
    userNames: loader<string | null>((ids) => store.userNames(ids), null),
    productsOf: memoized((after, limit) => loader((ids) => store.productsByCategory(ids, after, limit), [])),
    productCounts: loader((ids) => store.countByCategory(ids), 0),
    recentlyViewed: memoized((limit) => loader((ids) => store.recentlyViewed(ids, limit), [])),
  };
}
