import { beforeAll, expect, test } from 'vitest';
import { isOneSlipFrom, pointingAt, productsNamed, withoutName } from './names.ts';
import { product, SHOP, shopOf } from './testing.ts';
import type { Vocabulary } from './vocabulary.ts';

let vocabulary: Vocabulary;
beforeAll(async () => {
  ({ vocabulary } = await shopOf(SHOP));
});
const named = (question: string, products = SHOP) =>
  productsNamed(question, products, vocabulary).map(({ product }) => product.id);

test('a word of its own is enough of a name', () => {
  expect(named('is aonami sharp?')).toEqual(['aonami']);
  expect(named('Which is longer, Hayate or Aonami Water Katana?')).toEqual(['hayate', 'aonami']);
});

test('in a shop with few products of a kind, the kind need not be said', async () => {
  const lamps = ['Vega', 'Rigel'].map((name) => product(name, `${name} Lantern`, 'guards'));
  const small = (await shopOf(lamps)).vocabulary;
  expect(productsNamed('how heavy is vega', lamps, small).map((mention) => mention.product.id)).toEqual(['Vega']);
});

test('words that tell what kind of thing it is are no name', () => {
  expect(named('a water katana')).toEqual([]);
  expect(named('a flame katana under 30,000 yen')).toEqual([]);
});

test('of names that differ by a number, the one that was said is meant', () => {
  const stands = ['43 cm', '52 cm'].map((size) => product(size, `Oak Wall Stand for Two Swords, ${size}`, 'guards'));
  expect(named('how much can the oak wall stand for two swords, 52 cm carry', stands)).toEqual(['52 cm']);
});

test('of two names that differ by a word, the one that was said without a gap is meant', () => {
  const uniforms = ['Cropped', 'Slim'].map((cut) => product(cut, `Moon Uniform, ${cut} Cut, Black`, 'guards'));
  expect(named('which fit has the moon uniform, cropped cut, black, is it slim', uniforms)).toEqual(['Cropped']);
});

test('a name that was said is meant before one that is a letter away', () => {
  const alike = ['Kuroyama', 'Kureyama'].map((name) => product(name, `${name} Katana`, 'katana'));
  expect(named('is Kureyama sharp?', alike)).toEqual(['Kureyama']);
});

test('a name gives way to "it", and the rest of the question stays', () => {
  expect(withoutName('Does Aonami Water Katana work with Water Breathing?', 'Aonami Water Katana')).toBe(
    'Does it work with Water Breathing?',
  );
  expect(pointingAt('is this haori lined?', { name: 'X', category: 'Haori' }, new Set())).toBe('is it lined?');
  expect(pointingAt('what is this steel?', { name: 'Steel', category: 'Katana' }, new Set(['steel']))).toBe(
    'what is this steel?',
  );
});

test('a slip is one letter, or two that are swapped', () => {
  expect(isOneSlipFrom('aonami', 'aonmai')).toBe(true);
  expect(isOneSlipFrom('aonami', 'aonam')).toBe(true);
  expect(isOneSlipFrom('aonami', 'aomani')).toBe(false);
});
