import { LRUCache } from 'lru-cache';
import type { Queryable } from '../kit/database.ts';
import type { ProductFilter } from './model.ts';
import { anyWords, countLexemes, lexemesOf } from './retrieval-store.ts';

const COUNT_TTL_MS = 300_000;
const COUNTED_LEXEMES = 20_000;
/** How much rarity adds to a word's weight. A shop's common words ("katana", "water") matter to its shoppers, so it adds little. */
const RARITY = 0.2;

/** Of a long text, so many words decide: the rarest. */
const MAX_WORDS = 32;

/** A product with words of a question. */
export interface LexicalHit {
  id: string;
  /** The part of the question's words that it has, by weight; 0 to 1. */
  coverage: number;
}

/** Finds products by the words of a question, of which most need not occur in any of them. */
export class LexicalSearch {
  readonly #counts = new LRUCache<string, number>({ max: COUNTED_LEXEMES, ttl: COUNT_TTL_MS });

  constructor(private readonly db: Queryable) {}

  /** Best first: those with all words that the shop knows, then those with some, rarer words weighing more. */
  async find(text: string, filter: ProductFilter, limit: number, signal?: AbortSignal): Promise<LexicalHit[]> {
    const counts = await this.#count(await lexemesOf(this.db, text, signal), signal);
    const known = counts
      .filter(({ products }) => products > 0)
      .sort((a, b) => a.products - b.products)
      .slice(0, MAX_WORDS);
    if (known.length === 0) return [];
    const most = Math.max(...known.map(({ products }) => products));
    const weights = known.map(({ products }) => 1 + RARITY * Math.log(most / products));
    const words = known.map(({ lexeme }) => lexeme);
    const hits = await anyWords(this.db, words, weights, filter, limit, signal);
    // A word of no product counts as a common one: it says that the question means something else.
    const all = weights.reduce((sum, weight) => sum + weight, counts.length - known.length);
    return hits.map(({ id, weight }) => ({ id, coverage: weight / all }));
  }

  /** How many products have a word changes slowly, and its weight even more so. */
  async #count(lexemes: readonly string[], signal?: AbortSignal): Promise<{ lexeme: string; products: number }[]> {
    const unknown = lexemes.filter((lexeme) => !this.#counts.has(lexeme));
    if (unknown.length > 0) {
      for (const { lexeme, products } of await countLexemes(this.db, unknown, signal)) {
        // A word of no product may be one of a product that comes next.
        if (products > 0) this.#counts.set(lexeme, products);
      }
    }
    return lexemes.map((lexeme) => ({ lexeme, products: this.#counts.get(lexeme) ?? 0 }));
  }
}
