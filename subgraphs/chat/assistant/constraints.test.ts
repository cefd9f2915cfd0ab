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
  ['a katana', {}],
  ['something 72 cm long', {}],
])('reads the price of "%s"', (question, { minPrice, maxPrice }: { minPrice?: number; maxPrice?: number }) => {
  const found = constraintsIn(question);
  expect([found.minPrice, found.maxPrice]).toEqual([minPrice, maxPrice]);
});

test('a number with a unit of measure limits that measure, not the price', () => {
  expect(constraintsIn('a sword under 1 kg')).toEqual({ limits: [{ dimension: 'mass', max: 1000 }] });
  expect(constraintsIn('a manual with at least 200 pages').limits).toEqual([{ dimension: 'count', min: 200 }]);
});

test('says when it must be in stock', () => {
  expect(constraintsIn('is there a tanto in stock?').inStock).toBe(true);
  expect(constraintsIn('a tanto').inStock).toBeUndefined();
});
