import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { Database } from '../kit/database.ts';
import { HashiraError } from '../kit/errors.ts';
import { localPath, readParquet } from '../kit/parquet.ts';
import { replaceSales, SALES_COLUMNS } from './store.ts';

const manifest = z.object({ dataVersion: z.string(), granularity: z.enum(['day', 'week']).nullable() });

/**
 * Loads the sales of a prepared dataset, by day (if it has days) and by week, with sums by category and for the whole shop.
 * @returns how many rows products have
 * @throws HashiraError LAKE_UNREADABLE when the dataset is incomplete or has a broken file
 */
export async function loadSales(db: Database, datasetDir: string): Promise<number> {
  const dir = localPath(datasetDir);
  let about: z.infer<typeof manifest>;
  try {
    await readFile(path.join(dir, '_SUCCESS'));
    about = manifest.parse(JSON.parse(await readFile(path.join(dir, 'manifest.json'), 'utf8')));
  } catch (cause) {
    throw new HashiraError('LAKE_UNREADABLE', `The dataset ${path.basename(dir)} is not complete.`, { cause });
  }
  const table = (name: string) => path.join(dir, name);
  const nothing = async function* (): AsyncGenerator<readonly unknown[]> {};
  return replaceSales(db, {
    ...about,
    sales: {
      day: about.granularity === 'day' ? sales(table('sales')) : nothing(),
      week: about.granularity ? sales(table('sales_weekly')) : nothing(),
    },
    products: pairs(table('products'), 'product_id', 'category_id'),
    categories: pairs(table('categories'), 'id', 'parent_id'),
  });
}

async function* sales(folder: string): AsyncGenerator<readonly unknown[]> {
  for await (const row of readParquet(folder, SALES_COLUMNS)) {
    const { date, product_id: product, units, price, promotion, in_stock: inStock } = row;
    const day = date instanceof Date ? date.toISOString().slice(0, 10) : date;
    yield [day, product, Math.max(Number(units), 0), price, promotion ?? false, inStock ?? true];
  }
}

async function* pairs(folder: string, id: string, above: string): AsyncGenerator<readonly [string, string | null]> {
  for await (const row of readParquet(folder, [id, above]))
    yield [row[id] as string, (row[above] ?? null) as string | null];
}
