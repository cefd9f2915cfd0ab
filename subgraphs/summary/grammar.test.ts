import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bundle, readBundle } from './bundle.ts';
import { FieldsGrammar } from './grammar.ts';
import { T5 } from './t5.ts';

const MODEL = path.join(import.meta.dirname, '../../ml/summarizer/golden/bundle');
let t5: T5;
let bundle: Bundle;
beforeAll(async () => {
  [t5, bundle] = await Promise.all([T5.load(MODEL), readBundle(MODEL)]);
});
afterAll(() => t5?.dispose());

/** What a model writes that always wants the first, or the last, of what it may write. */
function write(placeholders: readonly string[], want: 'first' | 'last', begin = ''): string {
  const grammar = new FieldsGrammar(t5, bundle).of(new Set(placeholders.map((name) => t5.id(name) as number)));
  const written = begin ? t5.encode(begin) : [];
  for (;;) {
    const may = [...(grammar.next(written) ?? [])];
    if (may.length === 0) break;
    written.push(may.at(want === 'first' ? 0 : -1) as number);
    if (written.length > 100) throw new Error('it does not end');
  }
  return t5.tokenizer.decode(written, { skip_special_tokens: false }).replaceAll(/ +([.,])/g, '$1');
}

test('the sentence is that of the label', () => {
  expect(write([], 'first', '<ISSUE> Cannot sign in <SUMMARY>')).toContain(
    '<SUMMARY> the customer cannot sign in to the account. <RESOLUTION>',
  );
});

test('the flag is that of the ending', () => {
  expect(
    write(
      [],
      'first',
      '<ISSUE> Cannot sign in <SUMMARY> the customer cannot sign in to the account. <RESOLUTION> The request',
    ),
  ).toMatch(/the request was refused\. <OPEN>$/);
  expect(
    write(
      [],
      'first',
      '<ISSUE> Cannot sign in <SUMMARY> the customer cannot sign in to the account. <RESOLUTION> The points',
    ),
  ).toMatch(/the points were added\. <RESOLVED>$/);
});

test('names only what is in the conversation, each where something of its kind belongs and once in a sentence', () => {
  for (const want of ['first', 'last'] as const) {
    for (const known of [[], ['<NAME_1>'], ['<NAME_1>', '<NAME_2>', '<CODE_1>', '<DATE_1>', '<AMOUNT_1>']]) {
      const text = write(known, want, '<ISSUE> Wrong item received <SUMMARY>');
      const named = text.match(/<[A-Z]+_\d+>/g) ?? [];
      expect(known).toEqual(expect.arrayContaining(named));
      const summary = text.slice(0, text.indexOf('<RESOLUTION>')).match(/<[A-Z]+_\d+>/g) ?? [];
      expect(new Set(summary).size).toBe(summary.length);
      expect(text).toMatch(/^<ISSUE> wrong item received <SUMMARY> .+\. <RESOLUTION> .+\. <(RESOLVED|OPEN)>$/);
      expect(text).not.toMatch(/order <(?!CODE)|due <(?!DATE)/);
    }
  }
});
