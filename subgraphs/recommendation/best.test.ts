import { describe, expect, it } from 'vitest';
import { Best } from './best.ts';

/** Whole numbers up to `kinds`, so that many are equal. */
function numbers(count: number, kinds: number, seed: number): number[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state % kinds;
  });
}

function kept(scores: readonly number[], most: number): number[] {
  const best = new Best(most);
  scores.forEach((score, item) => {
    if (score > best.least) best.add(item, score);
  });
  return [...best.kept()].sort((a, b) => a - b);
}

describe('the best of many', () => {
  it('are those that sorting finds, of equal ones the first', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const scores = numbers(1 + (seed % 60), 1 + (seed % 9), seed);
      const most = seed % 13;
      const sorted = scores
        .map((score, item) => ({ score, item }))
        .sort((a, b) => b.score - a.score || a.item - b.item);
      const first = sorted.slice(0, most).map(({ item }) => item);
      expect(kept(scores, most)).toEqual(first.sort((a, b) => a - b));
    }
  });

  it('are none where none is wanted', () => {
    expect(kept([3, 1, 2], 0)).toEqual([]);
  });
});
