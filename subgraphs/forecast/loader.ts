import { z } from 'zod';
import type { Database } from '../kit/database.ts';
import { readParquet } from '../kit/parquet.ts';
import { described } from '../kit/storage/described.ts';
import { join, type Storage } from '../kit/storage/storage.ts';
import { replaceSales, SALES_COLUMNS } from './store.ts';

const manifest = z.object({ dataVersion: z.string(), granularity: z.enum(['day', 'week']).nullable() });

/**
 * Loads the sales of a prepared dataset, by day (if it has days) and by week, with sums by category and for the whole shop.
 * @param dataset its folder in the store
 * @returns how many rows products have
 * @throws HashiraError LAKE_UNREADABLE when the dataset is incomplete or has a broken file; those of Storage
 */
export async function loadSales(db: Database, store: Storage, dataset: string): Promise<number> {
  const about = await described(store, dataset, 'manifest.json', manifest, 'dataset');
  const read: Read = (table, columns) => readParquet(store, join(dataset, table), columns);
  const nothing = async function* (): AsyncGenerator<readonly unknown[]> {};
  return replaceSales(db, {
    ...about,
    sales: {
      day: about.granularity === 'day' ? sales(read, 'sales') : nothing(),
      week: about.granularity ? sales(read, 'sales_weekly') : nothing(),
    },
    products: pairs(read, 'products', 'product_id', 'category_id'),
    categories: pairs(read, 'categories', 'id', 'parent_id'),
  });
}

type Read = (table: string, columns: readonly string[]) => AsyncIterable<Record<string, unknown>>;

async function* sales(read: Read, table: string): AsyncGenerator<readonly unknown[]> {
  for await (const row of read(table, SALES_COLUMNS)) {
    const { date, product_id: product, units, price, promotion, in_stock: inStock } = row;
    const day = date instanceof Date ? date.toISOString().slice(0, 10) : date;
    yield [day, product, Math.max(Number(units), 0), price, promotion ?? false, inStock ?? true];
  }
}

async function* pairs(
  read: Read,
  table: string,
  id: string,
  above: string,
): AsyncGenerator<readonly [string, string | null]> {
  for await (const row of read(table, [id, above])) yield [row[id] as string, (row[above] ?? null) as string | null];
}
