import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bundle, readBundle } from './bundle.ts';
import { candidatesOf, FEATURES, type HistoryItem } from './features.ts';
import { Ranker } from './ranker.ts';

const GOLDEN = path.join(import.meta.dirname, '../../ml/recommender/golden');

interface Expected {
  history: (HistoryItem & { views: number; carts: number })[];
  candidates: { productId: string; features: number[]; score: number }[];
}
const expected: Expected[] = JSON.parse(readFileSync(path.join(GOLDEN, 'expected.json'), 'utf8'));

let bundle: Bundle;
let ranker: Ranker;
beforeAll(async () => {
  bundle = await readBundle(path.join(GOLDEN, 'bundle'));
  ranker = await Ranker.load(path.join(GOLDEN, 'bundle'));
});
afterAll(() => ranker?.dispose());

describe('the golden files that training wrote', () => {
  it('give the same candidates and features here', () => {
    for (const { history, candidates } of expected) {
      const { items, features } = candidatesOf(bundle.tables, bundle.settings, history);
      expect(items.map((item) => bundle.tables.ids[item])).toEqual(candidates.map(({ productId }) => productId));
      candidates.forEach((candidate, row) => {
        candidate.features.forEach((value, column) => {
          const name = `${candidate.productId} ${FEATURES[column]}`;
          expect([name, features[row * FEATURES.length + column]]).toEqual([name, expect.closeTo(value, 5)]);
        });
      });
    }
  });

  it('give the same scores here, all users in one run, best first', async () => {
    const lists = await ranker.rank(expected.map(({ history }) => ({ history, categories: null })));
    expected.forEach(({ candidates }, user) => {
      const list = lists[user] ?? [];
      expect(list.length).toBe(candidates.length);
      const scores = new Map(candidates.map(({ productId, score }) => [productId, score]));
      for (const { productId, score } of list) expect(score).toBeCloseTo(scores.get(productId) as number, 4);
      expect(list.map(({ score }) => score)).toEqual(list.map(({ score }) => score).sort((a, b) => b - a));
    });
  });
});

describe('ranking', () => {
  const history = expected.at(-1)?.history ?? [];

  it('proposes nothing of the history, whatever its length', async () => {
    const [list] = await ranker.rank([{ history, categories: null }]);
    const seen = new Set(history.map(({ productId }) => productId));
    expect(list?.filter(({ productId }) => seen.has(productId))).toEqual([]);
  });

  it('keeps to the categories asked for and fills the list from within them', async () => {
    const [all, one, none] = await ranker.rank([
      { history, categories: null },
      { history, categories: new Set(['c2']) },
      { history, categories: new Set(['nowhere']) },
    ]);
    const category = ({ item }: { item: number }) => bundle.tables.categories[bundle.tables.category[item] as number];
    expect(new Set(one?.map(category))).toEqual(new Set(['c2']));
    expect(one?.length).toBeGreaterThanOrEqual(all?.filter((product) => category(product) === 'c2').length as number);
    expect(none).toEqual([]);
  });

  it('reads over products that the model does not know', async () => {
    const stranger = { productId: 'unknown', purchases: 1, weight: 2, day: 20_099 };
    const [known, mixed] = await ranker.rank([
      { history, categories: null },
      { history: [stranger, ...history], categories: null },
    ]);
    expect(mixed).toEqual(known);
    expect(ranker.knows([stranger])).toBe(false);
  });

  it('refuses a bundle that was made for other features', async () => {
    await expect(Ranker.load(path.join(GOLDEN, 'nothing'))).rejects.toThrow();
  });
});

describe('neighbours', () => {
  it('are other products, the nearest first, as many as asked for', () => {
    const near = ranker.neighbours.of('p05', 7) ?? [];
    expect(near).toHaveLength(7);
    expect(near.map(({ productId }) => productId)).not.toContain('p05');
    expect(near.map(({ score }) => score)).toEqual(near.map(({ score }) => score).sort((a, b) => b - a));
  });

  it('of a product that the model does not know are not made up', () => {
    expect(ranker.neighbours.of('unknown', 5)).toBeNull();
  });
});
