import { expect, test } from 'vitest';
import { inventedNames, unfounded, wordsOf } from './faithful.ts';

const said = wordsOf("Rosa's Lamp, order HM-104, broke on 3 May.");
const own = wordsOf('the customer reports that from order arrived damaged');

test('words of the transcript, words of summaries and placeholders are founded', () => {
  expect(unfounded('The customer reports that <NAME_1> from order <CODE_1> broke.', said, own)).toEqual([]);
});

test('a word, a name or a number from nowhere is found', () => {
  expect(unfounded('The customer reports that Kenji paid 45.', said, own)).toEqual(['Kenji', 'paid', '45']);
});

test('names inside a sentence and all numbers must have been said; how a sentence begins is free', () => {
  expect(inventedNames('Customers like Rosa. Broken is the Lamp of 104, said Kenji on 4 May.', said)).toEqual([
    'Kenji',
    '4',
  ]);
});
