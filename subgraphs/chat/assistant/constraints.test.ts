import { expect, test } from 'vitest';
import { constraintsIn } from './constraints.ts';

test.each([
  ['a katana under 30,000 yen', { maxPrice: 30_000 }],
  ['a katana under ¥30k', { maxPrice: 30_000 }],
  ['haori for less than $40', { maxPrice: 40 }],
  ['masks between 2,000 and 5,000 yen', { minPrice: 2_000, maxPrice: 5_000 }],
  ['more than 100000 yen', { minPrice: 100_000 }],
  ['15000 yen or less', { maxPrice: 15_000 }],
  ['my budget is 8000', { maxPrice: 8_000 }],
  ['no more than 12,000 yen', { maxPrice: 12_000 }],
  ['a haori that must not cost over 9000', { maxPrice: 9_000 }],
  ["I can't go above 20k", { maxPrice: 20_000 }],
  ['nothing beyond 4,500 yen please', { maxPrice: 4_500 }],
  ['no less than 50,000 yen', { minPrice: 50_000 }],
  ['a mask for 6,000 yen', { maxPrice: 6_000 }],
  ['I have 7000 yen to spend on a charm', { maxPrice: 7_000 }],
  ['8,000 yen is my limit', { maxPrice: 8_000 }],
  ['a stand, ten thousand yen at the most', { maxPrice: 10_000 }],
  ['5000 yen and up', { minPrice: 5_000 }],
  ['at least 2,000 and at most 5,000 yen', { minPrice: 2_000, maxPrice: 5_000 }],
  ['priced from 2,000 to 5,000 yen', { minPrice: 2_000, maxPrice: 5_000 }],
  ['a bag, 2000-5000 yen', { minPrice: 2_000, maxPrice: 5_000 }],
  ['around 10,000 yen', { minPrice: 8_000, maxPrice: 12_000 }],
  ['a 1060 steel katana', {}],
  ['a whetstone of grit 1000', {}],
  ['a stand for 2 swords', {}],
  ['a katana', {}],
  ['something 72 cm long', {}],
])('reads the price of "%s"', (question, { minPrice, maxPrice }: { minPrice?: number; maxPrice?: number }) => {
  const found = constraintsIn(question);
  expect([found.minPrice, found.maxPrice]).toEqual([minPrice, maxPrice]);
});

test('a number with a unit of measure limits that measure, not the price', () => {
  expect(constraintsIn('a sword under 1 kg')).toEqual({ limits: [{ dimension: 'mass', max: 1000 }] });
  expect(constraintsIn('nothing heavier than 900 g').limits).toEqual([{ dimension: 'mass', max: 900 }]);
  expect(constraintsIn('between 60 and 70 cm').limits).toEqual([
    { dimension: 'length', min: 600 },
    { dimension: 'length', max: 700 },
  ]);
  expect(constraintsIn('a manual with at least 200 pages').limits).toEqual([{ dimension: 'count', min: 200 }]);
});

test('says when it must be in stock', () => {
  for (const question of [
    'is there a tanto in stock?',
    'one that is not sold out',
    'available immediately',
    'can ship today',
  ])
    expect([question, constraintsIn(question).inStock]).toEqual([question, true]);
  expect(constraintsIn('which are unavailable?').inStock).toBeUndefined();
  expect(constraintsIn('a tanto').inStock).toBeUndefined();
});
