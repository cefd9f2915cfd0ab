import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase } from '../../test/support/database.ts';
import type { Database } from '../kit/database.ts';
import { askable, LockedTable } from '../kit/testing.ts';
import { recommendation } from './index.ts';

let db: Database;
let subgraph: Awaited<ReturnType<typeof askable>>;
let locked: LockedTable;

beforeAll(async () => {
  db = await createDatabase('catalog', 'recommendation');
  subgraph = await askable(recommendation, db, { MLFLOW_TRACKING_URI: 'http://127.0.0.1:1' });
});
afterAll(async () => {
  await subgraph?.stop();
  await db?.close();
});
afterEach(() => locked.release());

const ENTITY = (type: string, selection: string) =>
  `{ _entities(representations: [{ __typename: "${type}", id: "1" }]) { ... on ${type} ${selection} } }`;

describe('what takes long ends in PostgreSQL when the client leaves, and goes on for others:', () => {
  it.each([
    ['what is popular', 'catalog.products', '{ popular { rank } }', { popular: [] }],
    [
      'a history',
      'recommendation.histories',
      ENTITY('User', '{ recommendations { edges { cursor } } }'),
      { _entities: [{ recommendations: { edges: [] } }] },
    ],
    [
      'what is popular for who has one',
      'catalog.products',
      ENTITY('User', '{ recommendations { edges { cursor } } }'),
      { _entities: [{ recommendations: { edges: [] } }] },
    ],
    [
      'what is beside a product',
      'catalog.products',
      ENTITY('Product', '{ similar { rank } }'),
      { _entities: [{ similar: [] }] },
    ],
  ])('%s', async (_, table, query, answer) => {
    locked = await LockedTable.lock(db, table);
    const left = new AbortController();
    const mine = subgraph.ask(query, left.signal);
    const theirs = subgraph.ask(query, new AbortController().signal);
    await locked.until(2);
    left.abort();
    await locked.until(1, 1_000);
    expect((await mine).errors).toHaveLength(1);
    await locked.release();
    expect(await theirs).toEqual({ data: answer });
  });
});
