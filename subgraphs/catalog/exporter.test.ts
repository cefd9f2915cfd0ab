import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDatabase } from '../../test/support/database.ts';
import type { Database } from '../kit/database.ts';
import { readParquet } from '../kit/parquet.ts';
import { LocalStorage } from '../kit/storage/local.ts';
import type { Storage } from '../kit/storage/storage.ts';
import { exportTracked } from './exporter.ts';
import type { ProductDraft } from './model.ts';
import { CatalogStore } from './store.ts';
import { loadShop, productRow, temporaryFolder } from './testing.ts';

let db: Database;
let store: CatalogStore;
let lake: Storage;
beforeEach(async () => {
  db = await createDatabase('catalog');
  store = new CatalogStore(db);
  lake = new LocalStorage(await temporaryFolder());
  await loadShop(db, [productRow('p1', { price: 9.5 })]);
});
afterEach(() => db?.close());

const NOW = new Date();
const track = (clientEventId: string, more: object = {}) =>
  store.track([{ clientEventId, userId: 'u1', productId: 'p1', type: 'VIEW', quantity: 1, occurredAt: NOW, ...more }]);
const draft: ProductDraft = {
  id: 'mine',
  sku: 'M',
  name: 'Mine',
  description: 'd',
  price: 3.25,
  currency: 'JPY',
  categoryId: 'swords',
  attributes: { steel: 'scarlet', use: '' },
  stock: 0,
  imageUrl: null,
};
const upsert = (more: Partial<ProductDraft> = {}) => store.upsert([{ ...draft, ...more }], () => 'new');

type Row = Record<string, unknown>;
async function rows(batch: string | null, table: string): Promise<Row[]> {
  const all: Row[] = [];
  for await (const row of readParquet<Row>(lake, `raw/${batch}/${table}`)) all.push(row);
  return all;
}
const batches = async () => (await lake.list('raw')).map(({ name }) => name);
/** Every event of all committed batches. */
async function allEvents(): Promise<Row[]> {
  const all: Row[] = [];
  for (const batch of await batches()) all.push(...(await rows(batch, 'events')));
  return all;
}

describe('exportTracked', () => {
  it('writes events by day and products with all their columns, and the mark', async () => {
    const old = new Date('2026-03-01T23:59:59.999Z');
    await track('a', { type: 'PURCHASE', quantity: 7 });
    await track('b', { userId: null, occurredAt: old });
    await upsert();
    const { batch, through } = await exportTracked(db, lake);
    const events = await rows(batch, 'events');
    const [late, recent] = events;
    expect(events).toHaveLength(2);
    expect(late).toEqual({
      event_id: expect.any(String),
      user_id: null,
      product_id: 'p1',
      type: 'VIEW',
      quantity: 1,
      occurred_at: old,
      price: null,
      date: '2026-03-01',
    });
    expect(recent).toMatchObject({ user_id: 'u1', type: 'PURCHASE', quantity: 7, occurred_at: NOW, price: 9.5 });
    expect(await rows(batch, 'products')).toEqual([
      {
        id: 'mine',
        sku: 'M',
        name: 'Mine',
        description: 'd',
        price: 3.25,
        currency: 'JPY',
        category_id: 'swords',
        attributes: { steel: 'scarlet', use: '' },
        stock: 0,
        image_url: null,
        created_at: expect.any(Date),
      },
    ]);
    const [last] = await db.query('SELECT max(id)::int AS id FROM catalog.event_feed');
    expect(last).toEqual({ id: through });
    const description = Buffer.from(await lake.read(`raw/${batch}/batch.json`)).toString();
    expect(JSON.parse(description)).toMatchObject({
      kind: 'tracked',
      createdAt: expect.stringMatching(/Z$/),
      counts: { events: 2, products: 1 },
    });
    expect(await lake.committed(`raw/${batch}`)).toBe(true);
  });

  it('writes only what is new since the last time', async () => {
    await track('a');
    await upsert();
    const first = await exportTracked(db, lake);
    expect(await exportTracked(db, lake)).toEqual({ batch: null, through: first.through });
    await track('b', { type: 'ADD_TO_CART' });
    const second = await exportTracked(db, lake);
    expect(await rows(second.batch, 'events')).toMatchObject([{ type: 'ADD_TO_CART' }]);
    expect(await rows(second.batch, 'products')).toEqual([]);
    await upsert({ name: 'Renamed' });
    const third = await exportTracked(db, lake);
    expect(third.through).toBe(second.through);
    expect(await rows(third.batch, 'products')).toMatchObject([{ id: 'mine', name: 'Renamed' }]);
    expect(await batches()).toEqual([first.batch, second.batch, third.batch]);
  });

  it('does not pass over an event whose transaction commits after those of later ids', async () => {
    const opened = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const slow = db.transaction(async (tx) => {
      await tx.query(`INSERT INTO catalog.events (client_event_id, product_id, type, quantity, occurred_at)
        VALUES ('slow', 'p1', 'VIEW', 1, now())`);
      opened.resolve();
      await release.promise;
    });
    await opened.promise;
    await track('fast');
    const exported = exportTracked(db, lake);
    await new Promise((resolve) => setTimeout(resolve, 100));
    release.resolve();
    await slow;
    const { through } = await exported;
    expect(await db.query('SELECT id FROM catalog.event_feed WHERE id <= $1', [through])).toHaveLength(2);
    expect(await allEvents()).toHaveLength(2);
  });

  it('has each event once while events keep coming and two exports run', async () => {
    const coming = Promise.all(Array.from({ length: 60 }, (_, n) => track(`e${n}`)));
    await Promise.all([exportTracked(db, lake), exportTracked(db, lake)]);
    await coming;
    await exportTracked(db, lake);
    const ids = (await allEvents()).map(({ event_id }) => event_id);
    expect(ids).toHaveLength(60);
    expect(new Set(ids).size).toBe(60);
  });

  it('repeats a batch under its name when the database did not note it', async () => {
    await track('a');
    await upsert();
    const [before] = await db.query('SELECT batches, events_through FROM catalog.exports');
    const first = await exportTracked(db, lake);
    // As if the process had died between the mark and the commit.
    await db.query('UPDATE catalog.exports SET batches = $1, events_through = $2', Object.values(before as Row));
    await db.query("UPDATE catalog.products SET in_lake = false WHERE source = 'api'");
    await track('b');
    const second = await exportTracked(db, lake);
    expect(second.batch).toBe(first.batch);
    expect(await allEvents()).toHaveLength(2);
    expect(await rows(second.batch, 'products')).toHaveLength(1);
  });

  it('notes nothing when the lake cannot be written', async () => {
    await track('a');
    await lake.write('raw', 'in the way');
    await expect(exportTracked(db, lake)).rejects.toMatchObject({ extensions: { code: 'LAKE_UNREADABLE' } });
    await lake.remove('raw');
    expect(await rows((await exportTracked(db, lake)).batch, 'events')).toHaveLength(1);
  });
});
