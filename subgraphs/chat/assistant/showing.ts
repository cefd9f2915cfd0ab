import type { Product } from '../../catalog/model.ts';
import { trustworthy } from './guard.ts';
import { type Passage, passagesOf } from './passages.ts';
import { quantities } from './quantity.ts';
import type { Wish } from './wish.ts';
import { indexOfPhrase, stem, tokens } from './words.ts';

/** Products that are shown at once. */
export const LISTED = 3;

/** What may be quoted of a product. */
export const quotable = (product: Product): Passage[] => trustworthy(passagesOf(product));

/** How a product is introduced: by the first sentence of its description, and its price. */
export function introduction(product: Product): Passage[] {
  const passages = quotable(product);
  const sentence =
    passages.find(({ kind }) => kind === 'sentence') ?? passages.find(({ kind }) => kind === 'attribute');
  const price = passages.find(({ name, kind }) => kind === 'fact' && name === 'price');
  return [sentence, price].filter((passage) => passage !== undefined);
}

/**
 * What shows that a product keeps to a wish: its price, its values.
 * @param said what is told of it anyway
 */
export function proof(product: Product, { constraints, values }: Wish, said: readonly Passage[] = []): Passage[] {
  return quotable(product)
    .filter(({ kind, name, value }) => {
      if (kind === 'fact' && name === 'price')
        return constraints.minPrice !== undefined || constraints.maxPrice !== undefined;
      if (kind === 'fact' && name === 'availability') return constraints.inStock === true;
      if (kind !== 'attribute') return false;
      const words = tokens(value).map(stem);
      const measures = quantities(value);
      return (
        values.some((term) => indexOfPhrase(words, term.words) >= 0) ||
        constraints.limits.some(({ dimension }) => measures.some((measure) => measure.dimension === dimension))
      );
    })
    .filter(({ snippet }) => !said.some((other) => other.snippet === snippet))
    .slice(0, 3);
}
