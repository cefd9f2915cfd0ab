import type { Where } from 'chromadb';
import type { Queryable } from '../kit/database.ts';
import type { ProductFilter } from './model.ts';
import type { ProductIndex } from './product-index.ts';
import { categoryTree, indexedPassing, passingOf } from './retrieval-store.ts';
import { type Neighbour, UnknownRecord, type Vectors } from './vectors.ts';

/** As many products the database names to Chroma, which is faster and finds more than filtering by metadata. */
const NAMED = 10_000;
/** Where a filter is left to the database, so many times more are asked for. */
const SPARE = 3;

/** Finds products that mean alike, by the nearest vectors. */
export class DenseSearch {
  constructor(
    private readonly db: Queryable,
    private readonly index: ProductIndex,
  ) {}

  /**
   * The nearest first. All of them are in the catalogue and pass the filter, whatever the index has.
   * @throws HashiraError VECTORS_UNAVAILABLE, DATABASE_UNAVAILABLE; the signal's reason
   */
  async find(text: string, filter: ProductFilter, limit: number, signal?: AbortSignal): Promise<Neighbour[]> {
    const vectors = await this.index.vectors();
    const [vector, ids] = await Promise.all([this.#embed(text, signal), this.#named(vectors, filter, signal)]);
    if (ids?.length === 0) return [];
    if (ids) {
      const named = await vectors.nearest(vector, limit, { ids, signal }).catch((error) => {
        // One of them has just left the index.
        if (!(error instanceof UnknownRecord)) throw error;
      });
      if (named) return this.#checked(named, filter, limit, signal);
    }
    // Without a filter, or with one that lets many pass, those that pass are among the nearest of all.
    const wanted = isOpen(filter) ? limit : SPARE * limit;
    const found = await vectors.nearest(vector, wanted, { signal });
    const passed = await this.#checked(found, filter, limit, signal);
    if (isOpen(filter) || passed.length === limit || found.length < wanted) return passed;
    const where = await this.#where(filter, signal);
    return this.#checked(await vectors.nearest(vector, wanted, { where, signal }), filter, limit, signal);
  }

  /** Those that are in the catalogue and pass the filter. */
  async #checked(found: Neighbour[], filter: ProductFilter, limit: number, signal?: AbortSignal): Promise<Neighbour[]> {
    const there = await passingOf(
      this.db,
      found.map(({ id }) => id),
      filter,
      signal,
    );
    return found.filter(({ id }) => there.has(id)).slice(0, limit);
  }

  async #embed(text: string, signal?: AbortSignal): Promise<Float32Array> {
    const [vector] = await (await this.index.embedder()).embed([text], signal);
    return vector as Float32Array;
  }

  /** All products that pass, when they are few enough to be named; null otherwise, and without a filter. */
  async #named(vectors: Vectors, filter: ProductFilter, signal?: AbortSignal): Promise<string[] | null> {
    if (isOpen(filter)) return null;
    const ids = await indexedPassing(this.db, await vectors.id(), filter, NAMED + 1, signal);
    return ids.length <= NAMED ? ids : null;
  }

  async #where(filter: ProductFilter, signal?: AbortSignal): Promise<Where | undefined> {
    const { categoryId, minPrice, maxPrice, inStock } = filter;
    const all: Where[] = [];
    if (categoryId !== undefined) all.push({ category: { $in: await categoryTree(this.db, categoryId, signal) } });
    if (minPrice !== undefined) all.push({ price: { $gte: minPrice } });
    if (maxPrice !== undefined) all.push({ price: { $lte: maxPrice } });
    if (inStock !== undefined) all.push({ inStock });
    return all.length > 1 ? { $and: all } : all[0];
  }
}

const isOpen = ({ categoryId, minPrice, maxPrice, inStock, attributes }: ProductFilter): boolean =>
  [categoryId, minPrice, maxPrice, inStock].every((value) => value === undefined) && attributes.size === 0;
