import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';
import type { Database } from '../kit/database.ts';
import { LocalStorage } from '../kit/storage/local.ts';
import type { Storage } from '../kit/storage/storage.ts';
import { loadCatalog } from './loader.ts';
import { type Column, double, int, map, string, timestamp, toParquet } from './parquet-writer.ts';

// What the catalogue's tests share: batches as Spark writes them, and a small shop.

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

/** An empty folder that is deleted after the test file that imports this. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'hashira-catalog-'));
  folders.push(folder);
  return folder;
}

type Row = Record<string, unknown>;
export interface BatchTables {
  categories?: Row[];
  products?: Row[];
  users?: Row[];
}

const COLUMNS: Record<keyof BatchTables, Column[]> = {
  categories: [string('id'), string('name'), string('parent_id')],
  products: [
    ...['id', 'sku', 'name', 'description', 'currency', 'category_id', 'image_url'].map(string),
    double('price'),
    map('attributes'),
    int('stock'),
    timestamp('created_at'),
  ],
  users: [string('id'), string('name')],
};

/** Writes a complete batch, the only one of a lake, and returns where it is. Tables that are not given are not in it. */
export async function writeBatch(kind: string, tables: BatchTables): Promise<[lake: Storage, batch: string]> {
  const lake = new LocalStorage(await temporaryFolder());
  const batch = `raw/${kind}-1`;
  for (const [name, rows] of Object.entries(tables) as [keyof BatchTables, Row[]][])
    await lake.write(`${batch}/${name}/part-0.parquet`, toParquet(COLUMNS[name], rows));
  await lake.write(`${batch}/batch.json`, JSON.stringify({ kind }));
  await lake.write(`${batch}/_SUCCESS`, '');
  return [lake, batch];
}

export const productRow = (id: string, more: Row = {}): Row => ({
  id,
  sku: `SKU-${id}`,
  name: `Product ${id}`,
  description: '',
  price: 10,
  currency: 'JPY',
  category_id: 'swords',
  attributes: [],
  stock: 5,
  image_url: null,
  created_at: new Date('2026-01-01T00:00:00Z'),
  ...more,
});

const SHELVES = [
  { id: 'weapons', name: 'Weapons', parent_id: null },
  { id: 'swords', name: 'Swords', parent_id: 'weapons' },
  { id: 'care', name: 'Care', parent_id: null },
];

/** A small shop: categories `weapons` > `swords`, and `care`; the products given; users u1 and u2. */
export async function loadShop(db: Database, products: Row[]): Promise<void> {
  const users = [
    { id: 'u1', name: 'Kanao' },
    { id: 'u2', name: 'Aoi' },
  ];
  await loadCatalog(db, ...(await writeBatch('generated', { categories: SHELVES, products, users })));
}
