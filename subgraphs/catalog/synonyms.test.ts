import { expect, test } from 'vitest';
import { reworded, Synonyms } from './synonyms.ts';

const rules = new Synonyms([
  '# parts of a sword',
  'saya, scabbard => sheath',
  '',
  'hilt tape => hilt wrap # a remark',
  'hilt => tsuka',
]);
const written = (text: string, synonyms = rules) => reworded(text, synonyms.in(text));

test('a word stands for the word of the shop, in any case, alone or many', () => {
  expect(written('A Scabbard and two sayas')).toBe('A sheath and two sheath');
  expect(written('sayaka')).toBe('sayaka');
});

test('the longest of several is meant, however it is spelt', () => {
  expect(written('hilt tape')).toBe('hilt wrap');
  expect(written('hilt-tape on a hilt')).toBe('hilt wrap on a tsuka');
});

test('a line that is no rule is told by its number', () => {
  expect(() => new Synonyms(['saya => sheath', 'saya sheath'])).toThrow('Line 2');
  expect(() => new Synonyms(['a, , b => c'])).toThrow('Line 1');
});

test('a file that cannot be read is told with its setting', () => {
  expect(() => Synonyms.read('/nowhere/synonyms.txt')).toThrow(/^SYNONYMS_FILE cannot be used: .*no such file/);
});

test('those that are shipped are rules', () => {
  expect(written('a saya', Synonyms.read())).toBe('a sheath');
  expect(written('a saya', new Synonyms())).toBe('a saya');
});
