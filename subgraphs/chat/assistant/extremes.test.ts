import { expect, test } from 'vitest';
import { comparativeIn, superlativeIn } from './extremes.ts';

test.each([
  ['the lightest katana', 'weight', false],
  ['your cheapest haori', 'price', false],
  ['the most expensive blade', 'price', true],
  ['the least expensive blade', 'price', false],
  ['biggest stand', 'size', true],
  ['thinnest belt', 'thickness', false],
  ['the highest-priced katana', 'price', true],
  ['the sheath with the fewest grams', 'weight', false],
  ['a katana, and none in the shop should be heavier', 'weight', true],
  ['a mask that nothing is cheaper than? none should be cheaper', 'price', false],
])('"%s" is a superlative', (question, aspect, more) => {
  expect(superlativeIn(question)).toMatchObject({ aspect: { id: aspect }, more });
});

test.each([
  ['which is heavier, A or B?', 'weight', true],
  ['does A weigh less than B', 'weight', false],
  ['which costs more', 'price', true],
  ['is A cheaper than B', 'price', false],
])('"%s" is a comparative', (question, aspect, more) => {
  expect(comparativeIn(question)).toMatchObject({ aspect: { id: aspect }, more });
});

test('a noun behind most or fewer is what is counted', () => {
  expect(superlativeIn('the manual with the most pages')).toMatchObject({ aspect: null, noun: 'page', more: true });
  expect(comparativeIn('which has fewer pages?')).toMatchObject({ noun: 'page', more: false });
});

test.each([
  ['which has the higher grit', { aspect: { id: 'grain' }, more: true }],
  ['does A or B weigh more?', { aspect: { id: 'weight' }, more: true }],
  ['do I pay less for A', { aspect: { id: 'price' }, more: false }],
  ['which can bear more weight', { aspect: { id: 'load' }, more: true }],
  ['the one with the lower page count', { noun: 'page', more: false }],
])('"%s" says what is compared', (question, expected) => {
  expect(comparativeIn(question)).toMatchObject(expected);
});

test('other questions have neither', () => {
  expect(superlativeIn('what is the blade made of?')).toBeNull();
  expect(superlativeIn('what are the smallest and the biggest size?')).toBeNull();
  expect(superlativeIn('nothing heavier than 900 g')).toBeNull();
  expect(comparativeIn('does it fit a tall person')).toBeNull();
});
