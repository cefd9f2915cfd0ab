import type { Product } from '../../catalog/model.ts';

/** A piece of what the catalogue says of a product, small enough to be quoted. */
export interface Passage {
  /** `fact`: price and stock, which are no attributes. */
  kind: 'attribute' | 'sentence' | 'fact';
  /** Of an attribute or fact, in plain words. */
  name: string | null;
  /** In plain words. */
  value: string;
  /** As it is quoted: word by word from the catalogue. */
  snippet: string;
}

const MAX_SENTENCE = 400;
const MAX_PASSAGES = 250;
const sentences = new Intl.Segmenter('en', { granularity: 'sentence' });

/** Attributes first, then facts, then the sentences of the description. */
export function passagesOf(product: Product): Passage[] {
  const price = `${product.price.amount.toLocaleString('en')} ${product.price.currency}`;
  const stock = product.inStock ? 'in stock' : 'sold out';
  return [
    ...product.attributes.map(({ name, value }) => named('attribute', name, value)),
    named('fact', 'price', price),
    named('fact', 'availability', stock),
    ...sentencesOf(product.description).map(
      (text): Passage => ({ kind: 'sentence', name: null, value: text, snippet: text }),
    ),
  ].slice(0, MAX_PASSAGES);
}

const named = (kind: 'attribute' | 'fact', name: string, value: string): Passage => ({
  kind,
  name: plain(name),
  value: plainValue(value),
  snippet: `${name}: ${value}`,
});

/** Sentences, bullet points and lines of a description, each short enough to be quoted. */
export function sentencesOf(description: string): string[] {
  return description
    .split(/\r?\n|<br\s*\/?>|[•▪●]/i)
    .flatMap((line) => [...sentences.segment(line)].map(({ segment }) => segment.trim()))
    .filter((text) => /\p{L}/u.test(text))
    .flatMap((text) => (text.length <= MAX_SENTENCE ? [text] : clauses(text)));
}

/** A run-on sentence in parts, cut where it pauses or, failing that, between words. */
function clauses(text: string): string[] {
  const parts: string[] = [];
  for (let rest = text; rest.length > 0; ) {
    if (rest.length <= MAX_SENTENCE) return [...parts, rest];
    const head = rest.slice(0, MAX_SENTENCE);
    const pause = Math.max(head.lastIndexOf('; '), head.lastIndexOf(', '), head.lastIndexOf(' - '));
    const space = head.lastIndexOf(' ');
    const cut = pause > MAX_SENTENCE / 3 ? pause + 1 : space > 0 ? space : MAX_SENTENCE;
    parts.push(rest.slice(0, cut).trim());
    rest = rest.slice(cut).trim();
  }
  return parts;
}

/** Names of attributes as machines write them, in words: `item_weight`, `itemWeight`. */
export const plain = (name: string): string =>
  name
    .replace(/_+|(?<!\d)\.(?!\d)/g, ' ')
    .replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
    .replace(/\s+/g, ' ')
    .trim();

/** Values that are pieces of JSON or the like lose their brackets and the keys that only say that a value follows. */
function plainValue(value: string): string {
  if (!/[{}[\]]/.test(value)) return value.trim();
  return plain(
    value
      .replace(/["'{}[\]]/g, ' ')
      .replace(/\b(standardized_values|normalized_value|decimal_value|value|unit)\s*:/g, ' '),
  );
}
