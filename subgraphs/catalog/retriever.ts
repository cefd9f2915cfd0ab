import type { Database } from '../kit/database.ts';
import { badInput, HashiraError } from '../kit/errors.ts';
import type { Logger } from '../kit/log.ts';
import type { Services } from '../kit/subgraph.ts';
import { DenseSearch } from './dense.ts';
import { fuse } from './fusion.ts';
import { type LexicalHit, LexicalSearch } from './lexical.ts';
import type { ProductFilter } from './model.ts';
import { cursorOrder, type Order, type Position } from './order.ts';
import type { ProductIndex } from './product-index.ts';
import { allWords, knownPhrases } from './retrieval-store.ts';
import type { CatalogStore, PlacedProduct } from './store.ts';
import { reworded, Synonyms } from './synonyms.ts';
import { hasOperators, toTerms } from './terms.ts';
import { checkLength } from './text.ts';
import { CollectionLost, type Neighbour } from './vectors.ts';

/** A product that a question found. */
export interface Hit {
  productId: string;
  /** Of the fusion; only for comparing hits of one question. */
  score: number;
  /** Place among what its words found, from 1; null when they did not. */
  lexicalRank: number | null;
  /** Place among what means alike, from 1; null when it is not there. */
  denseRank: number | null;
  /** Cosine of question and product, -1 to 1; null without a dense rank. */
  similarity: number | null;
}

export interface FindOptions {
  /** Most hits; 20 when not given. */
  limit?: number;
  signal?: AbortSignal;
  /** Whether a search without vectors is none: it fails with VECTORS_UNAVAILABLE, where else the words alone decide. */
  required?: boolean;
}

/** Products that a search finds, best first. */
export interface Retrieval {
  order: Order;
  /** At most `limit` products after a position. A product keeps its position while it and the query stay the same. */
  page(after: Position | null, limit: number): Promise<PlacedProduct[]>;
  count(): Promise<number>;
}

/** Of each half, so many are fused: a product that both find late is none for the first page. */
const DEPTH = 100;
/** Characters of a question that are read. */
const MAX_QUESTION = 4_000;
/**
 * What a product with all the words of a question counts, when the nearest in meaning counts 1: who names a thing wants that thing. With
 * a part of the words it counts the square of that part, because the rest of a question in other words than the shop's
 * ("something for my feet") is in no product. Tuned by `npm run bench:retrieval`.
 */
const LEXICAL_WEIGHT = 2;

/** Most products that a search with vectors lists. */
export const MAX_LISTED = 1_000;
/** A search lists so many products at most for their meaning alone, */
const NEIGHBOURS = 50;
/**
 * and only such as are near. `npm run bench:retrieval` tells how often what a shop has is that near, asked for in other words (26 of
 * 28), and what it has nothing of (1 of 21).
 */
export const NEAR = 0.4;
const NO_FILTER: ProductFilter = { attributes: new Map() };
const WARN_EVERY_MS = 60_000;
/** While Chroma is away, not every search waits for it to answer. */
const PAUSE_MS = 5_000;

/**
 * Finds products for words, by full-text search and by the nearest vectors, fused. Without a {@link ProductIndex}, by full text alone.
 */
export class Retriever {
  readonly #lexical: LexicalSearch;
  readonly #dense: DenseSearch | null;
  #warned = Number.NEGATIVE_INFINITY;
  #pausedUntil = 0;

  constructor(
    private readonly database: Database,
    index: ProductIndex | null,
    private readonly log: Logger,
    private readonly synonyms = new Synonyms(),
  ) {
    this.#lexical = new LexicalSearch(database);
    this.#dense = index && new DenseSearch(database, index);
  }

  /** With the configured synonyms. @throws ConfigError when these cannot be read */
  static of(
    { config, database, log }: Pick<Services, 'config' | 'database' | 'log'>,
    index: ProductIndex | null,
  ): Retriever {
    return new Retriever(database, index, log, Synonyms.read(config.SYNONYMS_FILE));
  }

  /**
   * A text with the shop's words for the shoppers': what the shop has is what is meant, and what it calls so itself stays.
   * @throws HashiraError DATABASE_UNAVAILABLE; the signal's reason
   */
  async reworded(text: string, signal?: AbortSignal): Promise<string> {
    const synonyms = this.synonyms.in(text);
    if (synonyms.length === 0) return text;
    const phrases = new Set(synonyms.flatMap(({ said, meant }) => [said, meant]));
    const known = await knownPhrases(this.database, [...phrases], signal);
    return reworded(
      text,
      synonyms.filter(({ said, meant }) => known.has(meant) && !known.has(said)),
    );
  }

  /**
   * Products for a question or a description, of which any words may occur or none; best first. The words are taken as they are:
   * see {@link reworded}.
   * @throws HashiraError DATABASE_UNAVAILABLE; VECTORS_UNAVAILABLE when vectors are required; the signal's reason
   */
  async find(
    text: string,
    filter: ProductFilter = NO_FILTER,
    { limit = 20, signal, required = false }: FindOptions = {},
  ): Promise<Hit[]> {
    const depth = Math.max(DEPTH, limit);
    const asked = text.slice(0, MAX_QUESTION).replaceAll('\0', ' ').toWellFormed();
    const [lexical, dense] = await Promise.all([
      this.#lexical.find(asked, filter, depth, signal),
      this.#near(asked, filter, depth, required, signal),
    ]);
    return fuseHits(lexical, dense ?? []).slice(0, limit);
  }

  /**
   * Products for what a shopper typed into a search field: those that have all the words, in any form, and those that mean nearly the
   * same. Web search syntax ("a phrase", or, -not) says precisely what is wanted, so then words alone decide. They do too while the
   * vectors are away; a list that was begun with them does not go on without, since products would be in it twice or never.
   * @param after the cursor where the list goes on
   * @throws HashiraError BAD_USER_INPUT when the query is blank or longer than 500 characters; VECTORS_UNAVAILABLE
   */
  async search(
    store: CatalogStore,
    typed: string,
    filter: ProductFilter,
    { after, signal }: { after?: string | null; signal?: AbortSignal } = {},
  ): Promise<Retrieval> {
    if (typed.trim() === '') throw badInput('"query" must have a word in it.', 'query');
    checkLength(typed, 1, 500, '"query"', 'query');
    const query = hasOperators(typed) ? typed : await this.reworded(typed, signal);
    const terms = toTerms(query.trimStart());
    const begun = cursorOrder(after);
    const wordsOnly: Retrieval = {
      order: 'RANK',
      page: (position, limit) => store.products({ filter, terms, order: 'RANK', after: position, limit }),
      count: () => store.countProducts(filter, terms),
    };
    if (!this.#dense || begun === 'RANK' || hasOperators(query)) return wordsOnly;
    const [lexical, near] = await Promise.all([
      allWords(this.database, terms, filter, MAX_LISTED, signal),
      this.#near(query, filter, NEIGHBOURS, begun === 'FUSED', signal),
    ]);
    if (!near) return wordsOnly;
    const hits = fuseHits(
      lexical.map((id) => ({ id, coverage: 1 })),
      near.filter(({ similarity }) => similarity >= NEAR),
    ).slice(0, MAX_LISTED);
    return listed(store, hits);
  }

  /** Null when there are no vectors now, and none are required. */
  async #near(
    text: string,
    filter: ProductFilter,
    limit: number,
    required: boolean,
    signal?: AbortSignal,
  ): Promise<Neighbour[] | null> {
    const started = performance.now();
    if (!required && started < this.#pausedUntil) return null;
    try {
      if (!this.#dense) throw new HashiraError('VECTORS_UNAVAILABLE', 'There is no index of the products here.');
      return await this.#dense.find(text, filter, limit, signal);
    } catch (error) {
      const away = error instanceof HashiraError && error.code === 'VECTORS_UNAVAILABLE';
      if (!away || required) throw error;
      if (!this.#dense) return null;
      // A collection that is not there yet answers at once.
      if (!(error instanceof CollectionLost)) this.#pausedUntil = performance.now() + PAUSE_MS;
      if (started > this.#warned + WARN_EVERY_MS) {
        this.#warned = started;
        this.log.warn({ err: error }, 'searching by words alone');
      }
      return null;
    }
  }
}

function fuseHits(lexical: readonly LexicalHit[], dense: readonly Neighbour[]): Hit[] {
  const similarity = new Map(dense.map((neighbour) => [neighbour.id, neighbour.similarity]));
  const rankings = [
    { ids: lexical.map(({ id }) => id), weight: lexical.map(({ coverage }) => LEXICAL_WEIGHT * coverage ** 2) },
    { ids: dense.map(({ id }) => id), weight: 1 },
  ];
  return fuse(rankings).map(({ id, score, ranks }) => ({
    productId: id,
    score,
    lexicalRank: ranks[0] ?? null,
    denseRank: ranks[1] ?? null,
    similarity: similarity.get(id) ?? null,
  }));
}

/** A list of hits, page by page. Positions are scores, so that a hit that came or went does not move the others. */
function listed(store: CatalogStore, hits: readonly Hit[]): Retrieval {
  const placed = hits.map(({ productId, score }) => ({ key: String(Math.round(score * 1e9)), id: productId }));
  return {
    order: 'FUSED',
    page: async (after, limit) => {
      const start = after ? placed.findIndex((position) => isAfter(position, after)) : 0;
      const page = start < 0 ? [] : placed.slice(start, start + limit);
      const products = await store.productsById(page.map(({ id }) => id));
      return page.flatMap((position, index) => {
        const product = products[index];
        return product ? [{ product, position }] : [];
      });
    },
    count: async () => hits.length,
  };
}

function isAfter(one: Position, other: Position): boolean {
  const difference = Number(one.key) - Number(other.key);
  return difference < 0 || (difference === 0 && one.id > other.id);
}
