import { badInput } from '../kit/errors.ts';
import type { ProductFilter } from './model.ts';
import type { Position } from './order.ts';
import type { CatalogStore, PlacedProduct } from './store.ts';
import { checkLength } from './text.ts';

/** What full-text search looks for: `complete` in web search syntax, and a word that may be only begun. */
export interface SearchTerms {
  complete: string;
  /** Letters and digits only; null when the query does not end in a plain word. */
  prefix: string | null;
}

/** Reads a query as a person types it: the last word may still be growing, unless quotes, `or` or `-` say more precisely. */
export function toTerms(query: string): SearchTerms {
  const last = /(?<=^|\s)[\p{L}\p{N}]+$/u.exec(query);
  const operators = /"|(?<=^|\s)(-|or(?=\s|$))/i;
  if (!last || operators.test(query)) return { complete: query, prefix: null };
  return { complete: query.slice(0, last.index), prefix: last[0] };
}

/** Products that a query finds, best first. */
export interface Retrieval {
  /** At most `limit` products after a position. A product keeps its position while it and the query stay the same. */
  page(after: Position | null, limit: number): Promise<PlacedProduct[]>;
  count(): Promise<number>;
}

/**
 * Finds products for a shopper's words; all words must occur, in any form. Web search syntax works: "a phrase", or, -not.
 * Every search goes through here, so this is the place to rank in another way.
 * @throws HashiraError BAD_USER_INPUT when the query is blank or longer than 500 characters
 */
export function retrieve(store: CatalogStore, query: string, filter: ProductFilter): Retrieval {
  if (query.trim() === '') throw badInput('"query" must have a word in it.', 'query');
  checkLength(query, 1, 500, '"query"');
  const terms = toTerms(query.trimStart());
  return {
    page: (after, limit) => store.products({ filter, terms, order: 'RANK', after, limit }),
    count: () => store.countProducts(filter, terms),
  };
}
