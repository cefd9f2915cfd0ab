import type { ProductFilter } from './model.ts';
import type { SearchTerms } from './terms.ts';

// The parts of SQL that all statements about lists of products share.

/** The values of a statement; adding one gives its placeholder. */
export class Parameters {
  readonly values: unknown[] = [];

  add(value: unknown): string {
    this.values.push(value);
    return `$${this.values.length}`;
  }
}

/** The ids of a category and all below it; a cycle in the data ends by itself because UNION drops what was seen. */
export const subtree = (root: string): string => `(
  WITH RECURSIVE tree AS (
    SELECT ${root} AS id UNION SELECT c.id FROM catalog.categories c JOIN tree ON c.parent_id = tree.id
  ) SELECT id FROM tree)`;

/** What a product `p` must meet to pass a filter. */
export function conditions(filter: ProductFilter, parameters: Parameters): string[] {
  const all: string[] = [];
  if (filter.categoryId !== undefined)
    all.push(`p.category_id IN ${subtree(`${parameters.add(filter.categoryId)}::text COLLATE "C"`)}`);
  if (filter.minPrice !== undefined) all.push(`p.price >= ${parameters.add(String(filter.minPrice))}::numeric`);
  if (filter.maxPrice !== undefined) all.push(`p.price <= ${parameters.add(String(filter.maxPrice))}::numeric`);
  if (filter.inStock !== undefined)
    all.push(filter.inStock ? '(p.stock IS NULL OR p.stock > 0)' : '(p.stock IS NOT NULL AND p.stock = 0)');
  for (const [name, values] of filter.attributes) {
    const alternatives = values.map((value) => parameters.add(JSON.stringify({ [name]: value })));
    all.push(`(${alternatives.map((one) => `p.attributes @> ${one}::jsonb`).join(' OR ')})`);
  }
  return all;
}

/** A FROM item `q(query)` that holds the terms as one tsquery. */
export function tsquery(terms: SearchTerms, parameters: Parameters): string {
  const complete = `${parameters.add(terms.complete)}::text`;
  const words = ['english', 'simple'].map((config) => `websearch_to_tsquery('pg_catalog.${config}', ${complete})`);
  if (terms.prefix === null) return `(SELECT ${words.join(' || ')} AS query) q`;
  const begun = `to_tsquery('pg_catalog.simple', ${parameters.add(`${terms.prefix}:*`)})`;
  const whole = `plainto_tsquery('pg_catalog.english', ${parameters.add(terms.prefix)})`;
  const last = `(${begun} || ${whole})`;
  return `(SELECT (${words[0]} && ${last}) || (${words[1]} && ${last}) AS query) q`;
}
