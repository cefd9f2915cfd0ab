import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { entitySpec, Masker, restore } from './entities.ts';
import { lines } from './prompt.ts';

const ML = path.join(import.meta.dirname, '../../ml/summarizer');
const spec = entitySpec.parse(JSON.parse(readFileSync(path.join(ML, 'entities.json'), 'utf8')));
const golden: {
  starters: string[];
  common: string[];
  conversations: { turns: [string, string][]; texts: string[]; values: Record<string, string> }[];
} = JSON.parse(readFileSync(path.join(ML, 'golden/masking.json'), 'utf8'));
const masker = new Masker(spec, new Set(golden.starters), new Set(golden.common));

test.each(golden.conversations.map((conversation, index) => ({ index, ...conversation })))(
  'hides what training hides, in conversation $index',
  ({ turns, texts, values }) => {
    const masked = masker.mask(lines(turns.map(([speaker, text]) => ({ speaker, text }))));
    expect(masked.texts).toEqual(texts);
    expect(Object.fromEntries(masked.values)).toEqual(values);
  },
);

test('no digit is left to a model', () => {
  for (const { turns } of golden.conversations) {
    const { texts } = masker.mask(lines(turns.map(([speaker, text]) => ({ speaker, text }))));
    expect(texts.join(' ').replace(/<[A-Z]+_\d+>/g, '')).not.toMatch(/\d/);
  }
});

test('puts back what a placeholder stands for, and nothing for one that stands for nothing', () => {
  const { texts, values } = masker.mask(['Customer: My order HM-104 costs $12.50.']);
  expect(texts).toEqual(['Customer: My order <CODE_1> costs <AMOUNT_1>.']);
  expect(restore('<AMOUNT_1> for <CODE_1>', values)).toBe('$12.50 for HM-104');
  expect(restore('<CODE_2>', values)).toBeNull();
});

test('a value said twice is one entity, whatever its case, and a first name is its full name', () => {
  const { texts } = masker.mask([
    'Rosa Delgado here. ROSA DELGADO, order hm-104 and HM-104.',
    'Agent: Hi Rosa, rosa delgado?',
  ]);
  expect(texts[1]).toBe('Agent: Hi <NAME_1>, <NAME_1>?');
  expect(texts[0]).toContain('order <CODE_1> and <CODE_1>');
});
