import type { Queryable } from '../kit/database.ts';
import { conditions, Parameters, subtree, tsquery } from './conditions.ts';
import type { ProductFilter } from './model.ts';
import type { SearchTerms } from './terms.ts';

// The SQL of retrieval: candidates by words, and what dense search needs to know of the catalogue. All answers are ids.

/** A word as full-text search keeps it, and how many products have it. */
export interface Lexeme {
  lexeme: string;
  products: number;
}

const RANKED = 300;

/** A lexeme as a query; the text is quoted as tsquery wants it. */
const QUOTED = String.raw`('''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''')::tsquery`;

/** The different words of a text that say something, in any order. */
export async function lexemesOf(db: Queryable, text: string, signal?: AbortSignal): Promise<string[]> {
  const [row] = await db.query<{ lexemes: string[] }>(
    `SELECT tsvector_to_array(to_tsvector('pg_catalog.english', $1)) AS lexemes`,
    [text],
    signal,
  );
  return row?.lexemes ?? [];
}

/** How many products have each word. */
export async function countLexemes(db: Queryable, lexemes: readonly string[], signal?: AbortSignal): Promise<Lexeme[]> {
  return db.query<Lexeme>(
    `SELECT lexeme, (SELECT count(*)::int FROM catalog.products p WHERE p.search @@ ${QUOTED}) AS products
     FROM unnest($1::text[]) lexeme`,
    [lexemes],
    signal,
  );
}

/** Those of the phrases that a product or the name of a category has. */
export async function knownPhrases(
  db: Queryable,
  phrases: readonly string[],
  signal?: AbortSignal,
): Promise<Set<string>> {
  const rows = await db.query<{ phrase: string }>(
    `SELECT phrase FROM unnest($1::text[]) phrase, phraseto_tsquery('pg_catalog.english', phrase) said
     WHERE EXISTS (SELECT FROM catalog.products p WHERE p.search @@ said)
        OR EXISTS (SELECT FROM catalog.categories c WHERE to_tsvector('pg_catalog.english', c.name) @@ said)`,
    [phrases],
    signal,
  );
  return new Set(rows.map(({ phrase }) => phrase));
}

/**
 * Products that have any of these words, best first: by the weights of the words they have, then by how often and how prominently
 * they have them. The weights alone choose the {@link RANKED} that are ranked, because for them the index is enough, and rows need
 * not be read.
 * @param weights of the words
 * @returns ids with the sum of the weights of the words that the product has
 */
export async function anyWords(
  db: Queryable,
  words: readonly string[],
  weights: readonly number[],
  filter: ProductFilter,
  limit: number,
  signal?: AbortSignal,
): Promise<{ id: string; weight: number }[]> {
  const parameters = new Parameters();
  const given = parameters.add(words);
  const terms = `(SELECT ${QUOTED} AS query, weight
    FROM unnest(${given}::text[], ${parameters.add(weights)}::float8[]) given(lexeme, weight)) term`;
  const any = `(SELECT string_agg((${QUOTED})::text, ' | ')::tsquery AS query FROM unnest(${given}::text[]) lexeme) q`;
  const all = ['p.search @@ term.query', ...conditions(filter, parameters)];
  return db.query<{ id: string; weight: number }>(
    `SELECT p.id, best.weight FROM (
       SELECT p.id, sum(term.weight) AS weight FROM ${terms} JOIN catalog.products p ON ${all.join(' AND ')}
       GROUP BY p.id ORDER BY weight DESC, p.id LIMIT ${parameters.add(Math.max(limit, RANKED))}
     ) best JOIN catalog.products p USING (id), ${any}
     ORDER BY best.weight * (1 + ts_rank(p.search, q.query)) DESC, p.id LIMIT ${parameters.add(limit)}`,
    parameters.values,
    signal,
  );
}

/** Products that have all words of a query, as the list of a search has them: best first. */
export async function allWords(
  db: Queryable,
  terms: SearchTerms,
  filter: ProductFilter,
  limit: number,
  signal?: AbortSignal,
): Promise<string[]> {
  const parameters = new Parameters();
  const query = tsquery(terms, parameters);
  const all = ['p.search @@ q.query', ...conditions(filter, parameters)];
  const rows = await db.query<{ id: string }>(
    `SELECT p.id FROM catalog.products p, ${query} WHERE ${all.join(' AND ')}
     ORDER BY ts_rank(p.search, q.query, 1) DESC, p.id LIMIT ${parameters.add(limit)}`,
    parameters.values,
    signal,
  );
  return rows.map(({ id }) => id);
}

/** Ids of products that a collection has and that pass a filter, at most `limit`, in no order. */
export async function indexedPassing(
  db: Queryable,
  collection: string,
  filter: ProductFilter,
  limit: number,
  signal?: AbortSignal,
): Promise<string[]> {
  const parameters = new Parameters();
  const all = [`i.collection = ${parameters.add(collection)}`, ...conditions(filter, parameters)];
  const rows = await db.query<{ id: string }>(
    `SELECT p.id FROM catalog.products p JOIN catalog.indexed_products i ON i.product_id = p.id
     WHERE ${all.join(' AND ')} LIMIT ${parameters.add(limit)}`,
    parameters.values,
    signal,
  );
  return rows.map(({ id }) => id);
}

/** Those of the ids whose product is there and passes the filter. */
export async function passingOf(
  db: Queryable,
  ids: readonly string[],
  filter: ProductFilter,
  signal?: AbortSignal,
): Promise<Set<string>> {
  const parameters = new Parameters();
  const all = [`p.id = ANY(${parameters.add(ids)})`, ...conditions(filter, parameters)];
  const rows = await db.query<{ id: string }>(
    `SELECT p.id FROM catalog.products p WHERE ${all.join(' AND ')}`,
    parameters.values,
    signal,
  );
  return new Set(rows.map(({ id }) => id));
}

/** A category and all below it. */
export async function categoryTree(db: Queryable, root: string, signal?: AbortSignal): Promise<string[]> {
  const rows = await db.query<{ id: string }>(
    `SELECT id FROM catalog.categories c WHERE c.id IN ${subtree('$1::text COLLATE "C"')}`,
    [root],
    signal,
  );
  return rows.map(({ id }) => id);
}
