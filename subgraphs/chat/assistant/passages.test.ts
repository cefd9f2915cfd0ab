import { expect, test } from 'vitest';
import type { Product } from '../../catalog/model.ts';
import { passagesOf, sentencesOf } from './passages.ts';

const product: Product = {
  id: 'p1',
  sku: 's',
  name: 'Lamp',
  description: 'A desk lamp. It has three levels of light.\n• Bulb included',
  price: { amount: 4980, currency: 'JPY' },
  categoryId: 'c',
  attributes: [
    { name: 'item_weight', value: '{ unit:grams, normalized_value:{ unit:pounds, value:1.2 } }' },
    { name: 'color', value: 'black' },
  ],
  inStock: false,
  stock: 0,
  imageUrl: null,
};

test('attributes, facts and sentences are quoted as the catalogue has them', () => {
  expect(passagesOf(product).map(({ snippet }) => snippet)).toEqual([
    'item_weight: { unit:grams, normalized_value:{ unit:pounds, value:1.2 } }',
    'color: black',
    'price: 4,980 JPY',
    'availability: sold out',
    'A desk lamp.',
    'It has three levels of light.',
    'Bulb included',
  ]);
});

test('what machines write is read in plain words', () => {
  const [weight] = passagesOf(product);
  expect(weight).toMatchObject({ name: 'item weight', value: 'grams, pounds, 1.2' });
});

test('a run-on sentence is cut where it pauses, and loses nothing', () => {
  const text = `It is made of ${Array.from({ length: 60 }, (_, n) => `part number ${n}`).join(', ')}.`;
  const parts = sentencesOf(text);
  expect(parts.length).toBeGreaterThan(1);
  for (const part of parts) expect(part.length).toBeLessThanOrEqual(400);
  expect(parts.join(' ')).toBe(text);
});
