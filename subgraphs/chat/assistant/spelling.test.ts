import { expect, test } from 'vitest';
import { mended, writtenOut } from './spelling.ts';

const known = new Set(['katana', 'haori', 'paulownia']);

test.each([
  ['is it in sotck?', 'is it in stock?'],
  ['which is lgihter', 'which is lighter'],
  ['a knaata', 'a knaata'], // more than one slip
  ['a ktaana', 'a katana'],
  ['paulownnia box', 'paulownia box'],
])('%s becomes %s', (typed, meant) => {
  expect(mended(typed, known)).toBe(meant);
});

test.each(['inspect it', 'do you ship bicycles', 'katanas', 'is it waxed'])('leaves "%s" as it is', (text) => {
  expect(mended(text, known)).toBe(text);
});

test('what phones make of words is written out', () => {
  expect(writtenOut('weight pls')).toBe('weight please');
  expect(writtenOut('oil incl y/n')).toBe('oil included ?');
  expect(writtenOut('heavier: Aonami / Kirikaze')).toBe('heavier: Aonami or Kirikaze');
  expect(writtenOut('hardback/paperback')).toBe('hardback or paperback');
  expect(writtenOut('1/2 inch')).toBe('1/2 inch');
});
