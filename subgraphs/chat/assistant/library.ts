import type { Product, ProductFilter } from '../../catalog/model.ts';
import type { Vocabulary } from './vocabulary.ts';

/** A product as retrieval finds it. */
export interface Hit {
  productId: string;
  /** Fused; comparable within one search only. */
  score: number;
  /** Cosine of question and product; null when only words found it. */
  similarity: number | null;
}

/** Where a researcher looks. */
export interface Library {
  /** Best first. @throws HashiraError VECTORS_UNAVAILABLE, DATABASE_UNAVAILABLE */
  search(text: string, filter: ProductFilter, limit: number, signal: AbortSignal): Promise<Hit[]>;
  /** The text with the shop's words for the shoppers'. @throws HashiraError DATABASE_UNAVAILABLE */
  reworded(text: string, signal: AbortSignal): Promise<string>;
  /** In the order of the ids, null where there is none. */
  products(ids: readonly string[], signal: AbortSignal): Promise<(Product | null)[]>;
  /** Products that a filter lets through, the cheapest first. */
  filtered(filter: ProductFilter, limit: number, signal: AbortSignal): Promise<Product[]>;
  vocabulary(): Promise<Vocabulary>;
}

/** Products by their ids. */
export type Shelf = ReadonlyMap<string, Product>;

export async function shelfOf(library: Library, ids: Iterable<string>, signal: AbortSignal): Promise<Shelf> {
  const products = await library.products([...new Set(ids)], signal);
  return new Map(products.filter((product) => product !== null).map((product) => [product.id, product]));
}
