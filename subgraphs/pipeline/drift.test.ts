import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase } from '../../test/support/database.ts';
import type { Database } from '../kit/database.ts';
import { driftWarning } from './drift.ts';
import { driftOf, saveDrift } from './drift-store.ts';

let db: Database;
beforeAll(async () => {
  db = await createDatabase('pipeline');
});
afterAll(() => db?.close());

const day = (ago: number) => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10);
const recommender = { name: 'recommender', version: 3 };

test('only what has moved on the newest day warns, the farthest first', () => {
  const on = (day: string, psi: Record<string, number>) =>
    Object.entries(psi).map(([feature, value]) => ({ day, feature, psi: value }));
  const before = on('2026-11-01', { age: 4, price: 0.3 });
  expect(driftWarning([], 0.2)).toBeNull();
  expect(driftWarning([...on('2026-11-02', { age: 0.2, price: 0.01 }), ...before], 0.2)).toBeNull();
  expect(driftWarning(before, 5)).toBeNull();
  expect(driftWarning(on('2026-11-02', { a: 0.3, b: 0.5, c: 0.4, d: 0.25, e: 0.1 }), 0.2)).toBe(
    'The data have moved since it was trained: PSI of b 0.50, c 0.40, a 0.30 and 1 more on 2026-11-02, above 0.2.',
  );
});

test('a day holds what was found last on it, and days long past are forgotten', async () => {
  await db.query(
    `INSERT INTO pipeline.drift VALUES ('recommender', 3, $1, 'age', 0.1), ('recommender', 3, $2, 'age', 9)`,
    [day(1), day(200)],
  );
  await saveDrift(db, recommender, { age: 0.2, price: 0 });
  await saveDrift(db, recommender, { age: 0.4 });
  await saveDrift(db, { name: 'forecaster', version: 3 }, {});
  expect(await driftOf(db, [{ name: 'forecaster', version: 3 }, recommender])).toEqual([
    [],
    [
      { day: day(0), feature: 'age', psi: 0.4 },
      { day: day(0), feature: 'price', psi: 0 },
      { day: day(1), feature: 'age', psi: 0.1 },
    ],
  ]);
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, -1])('%s is never stored', async (psi) => {
  await expect(saveDrift(db, recommender, { age: psi })).rejects.toThrow();
});
