import { expect, test } from 'vitest';
import { extract } from './extractive.ts';

test('quotes the first matter of the customer and the last answer', () => {
  const turns = [
    { speaker: 'Agent', text: 'Hi!' },
    { speaker: 'Customer', text: 'hello' },
    { speaker: 'Customer', text: 'My lamp came without a bulb.' },
    { speaker: 'Agent', text: 'A bulb is on its way to you.' },
    { speaker: 'Agent', text: 'Bye' },
  ];
  expect(extract(turns)).toEqual({
    summary: 'The customer wrote: “My lamp came without a bulb.”',
    keyIssue: 'Not classified',
    resolution: 'The last answer was: “A bulb is on its way to you.”',
    resolved: false,
  });
});

test('a monologue has no answer, and a long one is shortened at the end of a word', () => {
  const digest = extract([{ speaker: 'Customer', text: 'why '.repeat(200) }]);
  expect(digest.resolution).toBe('Nobody answered.');
  expect(digest.summary.length).toBeLessThan(300);
  expect(digest.summary).toMatch(/why…”$/);
});

test('never ends in half a character', () => {
  const { summary } = extract([{ speaker: 'Customer', text: '😀'.repeat(300) }]);
  expect(summary.isWellFormed()).toBe(true);
});
