import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDatabase } from '../../test/support/database.ts';
import { cancelledBy } from '../kit/cancelled-by.ts';
import type { Database } from '../kit/database.ts';
import { askable, LockedTable } from '../kit/testing.ts';
import { catalog } from './index.ts';
import { CatalogStore } from './store.ts';
import { loadShop, productRow } from './testing.ts';

let db: Database;
let shop: Awaited<ReturnType<typeof askable>>;
let locked: LockedTable;

beforeAll(async () => {
  db = await createDatabase('catalog');
  await loadShop(db, [productRow('p1', { name: 'Katana' })]);
  shop = await askable(catalog, db, {});
});
afterAll(() => db?.close());
beforeEach(async () => {
  locked = await LockedTable.lock(db, 'catalog.products');
});
afterEach(() => locked.release());

describe('what takes long ends in PostgreSQL when nobody waits any more:', () => {
  const all = { filter: { attributes: new Map() }, order: 'NEWEST', after: null, limit: 10 } as const;
  const terms = { complete: '', prefix: 'kat' };
  it.each<[string, (store: CatalogStore) => Promise<unknown>]>([
    ['a list', (store) => store.products(all)],
    ['a search', (store) => store.products({ ...all, terms, order: 'RANK' })],
    ['the number of products', (store) => store.countProducts(all.filter, terms)],
    ['products of categories', (store) => store.productsByCategory(['swords'], null, 10)],
    ['their numbers', (store) => store.countByCategory(['swords'])],
    ['what users viewed', (store) => store.recentlyViewed(['u1'], 10)],
  ])('%s', async (_, read) => {
    const left = new AbortController();
    const reading = read(new CatalogStore(db, cancelledBy(db, left)));
    const ended = expect(reading).rejects.toThrow();
    await locked.until(1);
    left.abort();
    await locked.until(0, 1_000);
    await ended;
  });
});

it('a request goes on although one like it has lost its client', async () => {
  const query = '{ products { edges { node { id } } totalCount } }';
  const left = new AbortController();
  const mine = shop.ask(query, left.signal);
  const theirs = shop.ask(query, new AbortController().signal);
  await locked.until(2);
  left.abort();
  await locked.until(1, 1_000);
  expect((await mine).errors).toHaveLength(1);
  await locked.release();
  expect(await theirs).toEqual({ data: { products: { edges: [{ node: { id: 'p1' } }], totalCount: 1 } } });
});

it('a change is made although its client has left', async () => {
  const left = new AbortController();
  const product = { sku: 'NEW', name: 'New', description: '', price: 1, currency: 'JPY', categoryId: 'care', stock: 1 };
  const change = shop.ask(
    'mutation ($products: [ProductInput!]!) { upsertProducts(products: $products) { products { sku } } }',
    left.signal,
    { products: [product] },
  );
  await locked.until(1);
  left.abort();
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(await locked.waiting()).toBe(1);
  await locked.release();
  expect(await change).toEqual({ data: { upsertProducts: { products: [{ sku: 'NEW' }] } } });
});
