import { z } from 'zod';
import type { Database } from '../kit/database.ts';
import { HashiraError } from '../kit/errors.ts';
import { readParquet } from '../kit/parquet.ts';
import { described } from '../kit/storage/described.ts';
import { join, type Storage } from '../kit/storage/storage.ts';
import { LOADED_SOURCES, type LoadCounts, replaceCatalog } from './lake-store.ts';

type Row = Record<string, unknown>;
/** The columns after the id. */
type Rest = (row: Row & { id: string }) => unknown[];

/** Batches of other kinds are not loaded. */
const description = z.object({ kind: z.enum(LOADED_SOURCES) });

/** Ids are in indexes, whose entries PostgreSQL bounds. */
const MAX_ID = 600;
const MAX_STOCK = 2_147_483_647;
const MAX_ATTRIBUTES = 100;

/**
 * Loads the products, categories and users of a lake batch into the catalogue, in one transaction and one row group at a time.
 * Rows of the batch's kind that are no longer in it are deleted; an import also takes the place of generated data. Rows that
 * were written through the API stay. Loading the same batch again changes nothing.
 * @param batch its folder in the lake, `raw/<name>`
 * @returns how many rows the batch has
 * @throws HashiraError LAKE_UNREADABLE when the batch is incomplete, of another kind, or has a broken file; those of Storage
 */
export async function loadCatalog(db: Database, lake: Storage, batch: string): Promise<LoadCounts> {
  const { kind } = await described(lake, batch, 'batch.json', description, 'batch');
  const table = (name: string, rest: Rest) => rowsOf(lake, join(batch, name), rest);
  return db.transaction(async (tx) =>
    replaceCatalog(tx, kind, {
      categories: await table('categories', (row) => [text(row.name) ?? row.id, text(row.parent_id)]),
      products: await table('products', product),
      users: await table('users', (row) => [text(row.name) ?? row.id]),
    }),
  );
}

/** The rows of a table, id first; null when the batch does not have it. Rows without an id name nothing and are left out. */
async function rowsOf(lake: Storage, folder: string, rest: Rest) {
  if (!(await lake.exists(folder))) return null;
  return (async function* rows(): AsyncGenerator<unknown[]> {
    for await (const row of readParquet(lake, folder)) {
      const id = text(row.id);
      if (!id) continue;
      if (Buffer.byteLength(id) > MAX_ID)
        throw new HashiraError(
          'LAKE_UNREADABLE',
          `An id of ${folder.split('/').at(-1)} is longer than ${MAX_ID} bytes.`,
        );
      yield [id, ...rest({ ...row, id })];
    }
  })();
}

/** What data from outside leaves open, the catalogue has to answer: without a name the id, without a price nothing. */
function product(row: Row & { id: string }): unknown[] {
  const price = Number(row.price);
  const stock = row.stock == null ? null : Math.min(Math.max(Math.trunc(Number(row.stock)), 0), MAX_STOCK);
  return [
    text(row.sku) || row.id,
    text(row.name) || row.id,
    text(row.description) ?? '',
    Number.isFinite(price) && price > 0 ? price : 0,
    text(row.currency) || 'USD',
    text(row.category_id) || null,
    attributes(row.attributes),
    stock,
    text(row.image_url) || null,
    row.created_at,
  ];
}

/** PostgreSQL's text cannot hold NUL. */
function text(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value).replaceAll('\0', '');
}

/** As many and as long as the API takes them: a product's search index has a limit. */
function attributes(map: unknown): Record<string, string> {
  const entries = Object.entries((map ?? {}) as Record<string, unknown>).filter(([, value]) => value != null);
  return Object.fromEntries(
    entries
      .slice(0, MAX_ATTRIBUTES)
      .map(([name, value]) =>
        [text(name)?.slice(0, 100), text(value)?.slice(0, 1_000)].map((part) => part?.toWellFormed()),
      ),
  );
}
