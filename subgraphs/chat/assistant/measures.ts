import type { Product } from '../../catalog/model.ts';
import { aspectsOfName } from './aspects.ts';
import type { Extreme } from './extremes.ts';
import type { Passage } from './passages.ts';
import { passagesOf, plain } from './passages.ts';
import { type Dimension, numberOf, quantities } from './quantity.ts';
import { stem, tokens } from './words.ts';

/** What a product has of the measure that is compared by. */
export interface Measure {
  /** In the base unit of its dimension. */
  value: number;
  dimension: Dimension;
  passage: Passage;
}

/** @returns null when the catalogue does not tell it */
export function measureOf(product: Product, { aspect, noun, said }: Extreme): Measure | null {
  const passages = passagesOf(product);
  if (aspect?.id === 'price') {
    const passage = passages.find(({ kind, name }) => kind === 'fact' && name === 'price');
    return passage ? { value: product.price.amount, dimension: 'count', passage } : null;
  }
  const measured = passages
    .filter(({ kind }) => kind === 'attribute')
    .flatMap((passage): (Measure & { fit: number })[] => {
      const named = fitOf(passage.name ?? '', aspect?.id ?? null, noun);
      const fit = named > 0 ? named + specific(passage.name ?? '', said) : 0;
      const amounts = quantities(passage.value);
      const counted = tokens(passage.name ?? '')
        .map(stem)
        .includes(PAGES);
      const amount =
        amounts.find(({ dimension }) => counted || !aspect?.dimension || dimension === aspect.dimension) ??
        wordCount(passage.value);
      return fit > 0 && amount ? [{ ...amount, passage, fit }] : [];
    });
  measured.sort((a, b) => b.fit - a.fit);
  return measured[0] ?? null;
}

/** "Blade length" is meant where the blade is spoken of, and nowhere else. */
function specific(name: string, said: ReadonlySet<string>): number {
  const own = tokens(name)
    .map(stem)
    .filter((word) => !aspectsOfName(word).length);
  if (own.length === 0) return 0;
  return own.every((word) => said.has(word)) ? 2 : -0.3;
}

const PAGES = stem('pages');

/** How well an attribute's name fits: called just so, or with more words; a size stands for any length. */
function fitOf(name: string, aspect: string | null, noun: string | null): number {
  const words = tokens(plain(name)).map(stem);
  if (noun !== null) return words.includes(noun) ? 1 / words.length : 0;
  const told = aspectsOfName(name);
  if (told.some(({ id }) => id === aspect)) return 1 + 1 / words.length;
  // A book's length and thickness are those of its pages.
  if ((aspect === 'thickness' || aspect === 'length' || aspect === 'size') && words.includes(PAGES)) return 0.3;
  // Round things are as wide as their diameter.
  if (aspect === 'width' && told.some(({ id }) => id === 'diameter')) return 0.45;
  if (aspect === 'size') return told.some(({ dimension }) => dimension === 'length') ? 0.5 : 0;
  if (aspect === 'length' || aspect === 'width' || aspect === 'height')
    return told.some(({ id }) => id === 'size') ? 0.4 : 0;
  return 0;
}

function wordCount(value: string): { value: number; dimension: Dimension } | null {
  const count = tokens(value)
    .map(numberOf)
    .find((number) => number !== null);
  return count == null ? null : { value: count, dimension: 'count' };
}
