import type { Product } from '../../catalog/model.ts';
import { type Finding, listing, nothing } from './extract.ts';
import type { Hit, Shelf } from './library.ts';
import { introduction, LISTED } from './showing.ts';
import type { Vocabulary } from './vocabulary.ts';
import type { Wish } from './wish.ts';
import { stems } from './words.ts';

/** What a question whose words a product all has gains over its meaning. */
const COVERED = 0.4;
/** What a product gains that is called by a word of the question that tells a kind. */
const CALLED = 0.2;
/** What a product loses that is just like one that is shown already: who describes a need has more than one way to meet it. */
const ALIKE = 0.3;

/** Near enough whatever the words. */
export const CLOSE = 0.41;

/**
 * What a search found for a described need, or nothing when it is not near enough.
 * @param shelf the products of the hits
 */
export function suggested(wish: Wish, hits: readonly Hit[], shelf: Shelf, vocabulary: Vocabulary): Finding {
  const candidates = hits.flatMap(({ productId, similarity }) => {
    const product = shelf.get(productId);
    if (!product || (wish.category && !wish.category.ids.includes(product.categoryId))) return [];
    const category = vocabulary.categoryNames.get(product.categoryId) ?? '';
    return [{ product, similarity: similarity ?? 0, words: wordsOf(product, category) }];
  });
  const asked = [...new Set(stems(wish.text))].filter((word) => !SAYS_NOTHING.has(word));
  const rarity = (word: string) =>
    Math.log(1 + candidates.length / (0.5 + candidates.filter(({ words }) => words.has(word)).length));
  const weights = new Map(asked.map((word) => [word, rarity(word)]));
  const sum = (words: readonly string[]) => words.reduce((total, word) => total + (weights.get(word) ?? 0), 0);
  const near = candidates.flatMap(({ product, similarity, words }) => {
    const has = asked.filter((word) => words.has(word));
    const coverage = asked.length === 0 ? 0 : has.length / asked.length;
    const called = new Set(stems(product.name));
    const kinds = wish.kinds.filter((kind) => called.has(kind)).length;
    if (
      !wish.category &&
      kinds === 0 &&
      !isNear(similarity, coverage, wish.strangers.length / Math.max(1, asked.length))
    )
      return [];
    const share = asked.length === 0 ? 0 : sum(has) / sum(asked);
    return [{ product, words, nearness: similarity + COVERED * share + CALLED * kinds }];
  });
  if (near.length === 0)
    return nothing('The catalogue does not have this: no product was found that fits the question.');
  return introduced(varied(near).map(({ product }) => product));
}

/** Products by what they are. */
export const introduced = (products: readonly Product[]): Finding =>
  listing(
    'This may fit:',
    products.slice(0, LISTED).map((product) => ({ product, passages: introduction(product), score: 0.6 })),
  );

interface Candidate {
  product: Product;
  /** Stems of all its texts. */
  words: ReadonlySet<string>;
  nearness: number;
}

/** The nearest, and others that are near and not just like it. */
function varied(candidates: readonly Candidate[]): Candidate[] {
  const rest = [...candidates];
  const shown: Candidate[] = [];
  while (shown.length < LISTED && rest.length > 0) {
    const gain = ({ words, nearness }: Candidate) =>
      nearness - ALIKE * Math.max(0, ...shown.map((other) => likeness(words, other.words)));
    const best = rest.reduce((best, candidate) => (gain(candidate) > gain(best) ? candidate : best));
    shown.push(best);
    rest.splice(rest.indexOf(best), 1);
  }
  return shown;
}

/** Share of their words that two texts have in common, 0 to 1. */
function likeness(one: ReadonlySet<string>, other: ReadonlySet<string>): number {
  let common = 0;
  for (const word of one) if (other.has(word)) common++;
  return common === 0 ? 0 : common / (one.size + other.size - common);
}

function wordsOf({ name, description, attributes }: Product, category: string): Set<string> {
  const properties = attributes.flatMap(({ name, value }) => [name, value]);
  return new Set(stems([name, category, description, ...properties].join(' ')));
}

const SAYS_NOTHING = new Set(
  'look search find recommend suggest sell buy shop catalogu good best nice great thing new gift'.split(' '),
);

/** Whether a product is near enough to a question to be shown: by what it means, or by that and its words. */
const isNear = (similarity: number, coverage: number, strange: number): boolean =>
  similarity >= (strange >= 0.5 ? 0.44 : strange > 0 ? CLOSE : 0.36) ||
  (similarity >= 0.32 && coverage >= 0.5) ||
  coverage >= 0.8;
