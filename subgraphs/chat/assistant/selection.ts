import type { Product } from '../../catalog/model.ts';
import type { Constraints } from './constraints.ts';
import { type Finding, listing, nothing } from './extract.ts';
import type { Extreme } from './extremes.ts';
import type { Hit } from './library.ts';
import { measureOf } from './measures.ts';
import { quantities } from './quantity.ts';
import { introduction, LISTED, proof } from './showing.ts';
import { CLOSE } from './suggestion.ts';
import type { CategoryTerm, ValueTerm } from './vocabulary.ts';
import type { Wish } from './wish.ts';
import { indexOfPhrase, stem, tokens } from './words.ts';

/**
 * The products that a wish lets through, computed from their attributes.
 * @param products that keep to its price and stock, of its category
 * @param hits what a search for the wish found
 */
export function selected(wish: Wish, products: readonly Product[], hits: readonly Hit[]): Finding {
  const fitting = fittingOf(wish, products);
  const place = new Map(hits.map(({ productId }, index) => [productId, index]));
  const vague = !wish.category && wish.values.length === 0 && wish.kinds.length === 0;
  if (vague && wish.strangers.length > 0 && !hits.some(({ similarity }) => (similarity ?? 0) >= CLOSE))
    return nothing('The catalogue does not have this: nothing was found.');
  const byPlace = (a: Product, b: Product) => (place.get(a.id) ?? hits.length) - (place.get(b.id) ?? hits.length);
  if (vague && !wish.superlative) {
    // Nothing but a number was understood of the wish: what it means decides among the products that keep to it.
    const near = fitting.filter(({ id }) => place.has(id)).sort(byPlace);
    return near.length > 0
      ? listed(wish, near)
      : nothing('The catalogue does not have a product that fits this: nothing was found.');
  }
  if (fitting.length === 0)
    return nothing('The catalogue does not have a product that fits all of this: nothing was found.');
  return wish.superlative ? ranked(wish, wish.superlative, fitting) : listed(wish, [...fitting].sort(byPlace));
}

function fittingOf(wish: Wish, products: readonly Product[]): Product[] {
  const ofKind = wish.category ? byTerm(products, wish.category) : products;
  const keeping = ofKind.filter(
    (product) =>
      wish.kinds.every((kind) => tokens(product.name).map(stem).includes(kind)) &&
      withinLimits(product, wish.constraints),
  );
  const exact = keeping.filter((product) => wish.values.every((term) => hasValue(product, term)));
  if (exact.length > 0) return exact;
  // What it is for may be said in other words than the catalogue has.
  return keeping.filter((product) => wish.firm.every((term) => hasValue(product, term)));
}

function listed(wish: Wish, products: readonly Product[]): Finding {
  const shown = products.slice(0, LISTED);
  return listing(
    products.length > shown.length ? `${products.length} products fit, among them:` : 'This fits:',
    shown.map((product) => {
      const proven = proof(product, wish);
      return { product, passages: proven.length > 0 ? proven : introduction(product), score: 0.8 };
    }),
  );
}

/** The lightest, longest, cheapest of the products. */
function ranked(wish: Wish, superlative: Extreme, products: readonly Product[]): Finding {
  const measured = products.flatMap((product) => {
    const measure = measureOf(product, superlative);
    return measure ? [{ product, measure }] : [];
  });
  if (measured.length === 0) return nothing(`The catalogue does not say which is the ${superlative.word}.`);
  // Lengths are not compared with weights: what most products have is meant.
  const dimensions = Map.groupBy(measured, ({ measure }) => measure.dimension);
  const [most = []] = [...dimensions.values()].sort((a, b) => b.length - a.length);
  const ordered = [...most].sort((a, b) =>
    superlative.more ? b.measure.value - a.measure.value : a.measure.value - b.measure.value,
  );
  const isSaid = /^(\p{L}+est|(most|least|fewest) \p{L}+)$/u.test(superlative.word);
  return listing(
    `${isSaid ? `The ${superlative.word}` : 'The first'} of ${ordered.length}:`,
    ordered.slice(0, LISTED).map(({ product, measure }) => ({
      product,
      passages: [measure.passage, ...proof(product, wish, [measure.passage])],
      score: 1,
    })),
  );
}

/** Where a category goes by several names, "Naginata and spears", the product's own name must have the one that was said. */
function byTerm(products: readonly Product[], { words, partial }: CategoryTerm): readonly Product[] {
  if (!partial) return products;
  const so = products.filter(({ name }) => indexOfPhrase(tokens(name).map(stem), words) >= 0);
  return so.length > 0 ? so : products;
}

function hasValue(product: Product, term: ValueTerm): boolean {
  if (
    product.attributes.some(({ name, value }) =>
      term.values.some((known) => known.name === name && known.value === value),
    )
  )
    return true;
  return [product.name, ...product.attributes.map(({ value }) => value)].some(
    (text) => indexOfPhrase(tokens(text).map(stem), term.words) >= 0,
  );
}

function withinLimits(product: Product, { limits }: Constraints): boolean {
  return limits.every(({ dimension, min, max }) => {
    const measures = product.attributes
      .flatMap(({ value }) => quantities(value))
      .filter((measure) => measure.dimension === dimension);
    return measures.some(({ value }) => (min === undefined || value >= min) && (max === undefined || value <= max));
  });
}
