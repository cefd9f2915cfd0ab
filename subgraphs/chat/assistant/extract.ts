import type { Product } from '../../catalog/model.ts';
import type { Source } from '../generator.ts';
import type { Extreme } from './extremes.ts';
import { type Measure, measureOf } from './measures.ts';
import type { Passage } from './passages.ts';

/** What was found: the sources, and what they say, in sentences that cite them. */
export interface Finding {
  sources: Source[];
  extract: string;
}

/** Collects sources while an extract is written. */
export class Citing {
  readonly sources: Source[] = [];

  /** The passage as it reads in a sentence, with its number. A passage that was cited before keeps its number. */
  quote(product: Product, passage: Passage, score: number): string {
    const said = passage.kind === 'sentence' ? `“${passage.snippet}”` : passage.snippet;
    return `${said} [${this.number(product, passage, score)}]`;
  }

  number(product: Product, { snippet }: Passage, score: number): number {
    const known = this.sources.findIndex((source) => source.productId === product.id && source.snippet === snippet);
    if (known >= 0) return known + 1;
    return this.sources.push({ productId: product.id, productName: product.name, snippet, score: clamp(score) });
  }
}

const clamp = (score: number): number => Math.min(1, Math.max(0, score));

export const nothing = (what: string): Finding => ({ sources: [], extract: what });

/** Passages of one product that answer a question about it. */
export function facts(
  product: Product,
  answering: readonly { passage: Passage; score: number }[],
  further: readonly { passage: Passage; score: number }[],
): Finding {
  const citing = new Citing();
  const said = answering.map(({ passage, score }) => citing.quote(product, passage, score));
  // A model may make use of more than what answers for sure.
  for (const { passage, score } of further) citing.number(product, passage, score);
  return { sources: citing.sources, extract: `${product.name}: ${said.join('; ')}.` };
}

/** What a product is, in the words of its description, or else by its first attributes. */
export function overview(product: Product, passages: readonly Passage[]): Finding {
  const sentences = passages.filter(({ kind }) => kind === 'sentence');
  const attributes = passages.filter(({ kind }) => kind === 'attribute');
  const price = passages.filter(({ kind, name }) => kind === 'fact' && name === 'price');
  const told = [...(sentences.length > 0 ? sentences.slice(0, 2) : attributes.slice(0, 3)), ...price];
  return facts(
    product,
    told.map((passage) => ({ passage, score: 0.7 })),
    attributes.slice(0, 5).map((passage) => ({ passage, score: 0.5 })),
  );
}

/** Which of two products has more or less of something; both values are told. */
export function comparison(extreme: Extreme, products: readonly [Product, Product]): Finding {
  const citing = new Citing();
  const [one, other] = products.map((product) => ({ product, measure: measureOf(product, extreme) })) as [
    Measured,
    Measured,
  ];
  if (!one.measure || !other.measure) {
    const known = [one, other].filter(({ measure }) => measure);
    if (known.length === 0)
      return nothing(
        `The catalogue does not say which is ${extreme.word}: ${one.product.name} or ${other.product.name}.`,
      );
    const { product, measure } = known[0] as { product: Product; measure: Measure };
    const silent = one.measure ? other : one;
    return {
      extract: `Of ${product.name} the catalogue says: ${citing.quote(product, measure.passage, 0.5)}. Of ${silent.product.name} it does not say this.`,
      sources: citing.sources,
    };
  }
  const sides = [one, other] as [Known, Known];
  if (one.measure.value === other.measure.value) {
    const [a, b] = sides.map(({ product, measure }) => `${product.name}: ${citing.quote(product, measure.passage, 1)}`);
    return { extract: `They are equal. ${a}; ${b}.`, sources: citing.sources };
  }
  const [winner, loser] = [...sides].sort((a, b) =>
    extreme.more ? b.measure.value - a.measure.value : a.measure.value - b.measure.value,
  ) as [Known, Known];
  const told = citing.quote(winner.product, winner.measure.passage, 1);
  return {
    extract: `${winner.product.name} ${verb(extreme, winner.measure)} than ${loser.product.name}: ${told} against ${citing.quote(loser.product, loser.measure.passage, 1)}.`,
    sources: citing.sources,
  };
}

/** What the winner is or has: "is heavier", "has more pages". */
function verb({ aspect, noun, more }: Extreme, { passage }: Measure): string {
  const known = aspect && COMPARED[aspect.id];
  if (known && !(aspect.id === 'thickness' && passage.name === 'pages')) return known[more ? 0 : 1];
  const name = passage.name ?? noun ?? '';
  return /s$/.test(name) ? `has ${more ? 'more' : 'fewer'} ${name}` : `has the ${more ? 'higher' : 'lower'} ${name}`;
}

const COMPARED: Record<string, readonly [string, string]> = {
  weight: ['is heavier', 'is lighter'],
  length: ['is longer', 'is shorter'],
  width: ['is wider', 'is narrower'],
  height: ['is taller', 'is lower'],
  thickness: ['is thicker', 'is thinner'],
  diameter: ['is bigger', 'is smaller'],
  size: ['is bigger', 'is smaller'],
  price: ['is more expensive', 'is cheaper'],
  grain: ['is finer', 'is coarser'],
  load: ['carries more', 'carries less'],
};

interface Measured {
  product: Product;
  measure: Measure | null;
}
type Known = Measured & { measure: Measure };

/** The attributes in which two products differ. */
export function differences(
  [one, other]: readonly [Product, Product],
  passages: (product: Product) => Passage[],
): Finding {
  const citing = new Citing();
  const theirs = new Map(passages(other).map((passage) => [passage.name, passage]));
  const differing = passages(one).filter(
    ({ name, snippet }) => name !== null && theirs.has(name) && theirs.get(name)?.snippet !== snippet,
  );
  if (differing.length === 0)
    return nothing(`The catalogue does not say in what ${one.name} and ${other.name} differ.`);
  const lines = differing.slice(0, 5).map((passage) => {
    const theirPassage = theirs.get(passage.name) as Passage;
    return `${citing.quote(one, passage, 0.8)} against ${citing.quote(other, theirPassage, 0.8)}`;
  });
  return { extract: `${one.name} and ${other.name} differ. ${lines.join('; ')}.`, sources: citing.sources };
}

/** A list of products, best first, each with what makes it fit. */
export function listing(
  opening: string,
  products: readonly { product: Product; passages: readonly Passage[]; score: number }[],
): Finding {
  const citing = new Citing();
  const lines = products.map(
    ({ product, passages, score }) =>
      `${product.name} — ${passages.map((passage) => citing.quote(product, passage, score)).join(', ')}`,
  );
  return { extract: `${opening} ${lines.join('; ')}.`, sources: citing.sources };
}
