import { expect, test } from 'vitest';
import { windows } from './windows.ts';

const words = (text: string) => text.split(/\s+/).filter(Boolean).length;

test('a transcript that fits is one part', () => {
  expect(windows(['Customer: hi', 'Agent: hello'], 10, words)).toEqual([['Customer: hi', 'Agent: hello']]);
});

test('nothing of a long transcript is left out, and no part is longer than allowed', () => {
  const lines = Array.from(
    { length: 200 },
    (_, n) => `${n % 2 ? 'Agent' : 'Customer'}: ${'word '.repeat(n % 40)}end${n}`,
  );
  const parts = windows(lines, 60, words);
  expect(parts.flat()).toEqual(lines);
  for (const part of parts) expect(words(part.join('\n'))).toBeLessThanOrEqual(60);
});

test('a line that is too long goes on in the next part with its speaker', () => {
  const line = `Customer: ${Array.from({ length: 500 }, (_, n) => `w${n}`).join(' ')}`;
  const parts = windows([line], 50, words).flat();
  expect(parts.every((part) => part.startsWith('Customer: '))).toBe(true);
  const said = parts.flatMap((part) => part.slice('Customer: '.length).split(' '));
  expect(said).toEqual(Array.from({ length: 500 }, (_, n) => `w${n}`));
});

test('a word without end is cut', () => {
  const parts = windows([`Agent: ${'x'.repeat(1_000)}`], 100, (text) => text.length).flat();
  expect(parts.map((part) => part.slice('Agent: '.length)).join('')).toBe('x'.repeat(1_000));
});
