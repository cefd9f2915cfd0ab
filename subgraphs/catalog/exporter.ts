import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Database } from '../kit/database.ts';
import { HashiraError } from '../kit/errors.ts';
import { localPath } from '../kit/parquet.ts';
import {
  type EventRow,
  eventBlocks,
  finishExport,
  lockExports,
  type ProductRow,
  settledEventId,
  takeProductBlocks,
} from './lake-store.ts';
import { double, int, map, string, timestamp, toParquet } from './parquet-writer.ts';

export interface Export {
  /** Name of the batch written; null when the lake had everything. */
  batch: string | null;
  /** Id of the last event that the lake has: all up to it, none after it. */
  through: number;
}

const EVENTS_PER_BLOCK = 50_000;
const PRODUCTS_PER_BLOCK = 5_000;

/**
 * Writes the events tracked and the products written by the API since the last export into the lake, as one batch. A crash at
 * any point loses nothing and doubles nothing: the batch counts only with its mark, and until the database has noted it, the
 * next export writes it again under the same name.
 * @param lakeUri a folder, as a path or `file:` address
 * @throws HashiraError STORAGE_FULL, or LAKE_UNREADABLE when the lake cannot be written
 */
export async function exportTracked(db: Database, lakeUri: string): Promise<Export> {
  if (/^(?!file:)[a-z][a-z0-9+.-]+:\/\//i.test(lakeUri))
    throw new HashiraError('LAKE_UNREADABLE', 'Tracked events can only be written to a lake in the file system.');
  const settled = await db.transaction(settledEventId);
  return db.transaction(async (tx) => {
    const { origin, batches, eventsThrough } = await lockExports(tx);
    // Another export may have gone further while this one waited.
    const through = Math.max(settled, eventsThrough);
    const batch = `tracked-${origin}-${String(batches + 1).padStart(8, '0')}`;
    const dir = path.join(localPath(lakeUri), 'raw', batch);
    const counts = { events: 0, products: 0 };
    await removeBatch(dir);
    for await (const events of eventBlocks(tx, eventsThrough, through, EVENTS_PER_BLOCK)) {
      await writeEvents(dir, origin, events);
      counts.events += events.length;
    }
    for await (const products of takeProductBlocks(tx, PRODUCTS_PER_BLOCK)) {
      await writeProducts(path.join(dir, 'products', `part-${counts.products}.parquet`), products);
      counts.products += products.length;
    }
    if (counts.events + counts.products === 0) return { batch: null, through };
    const inputs = { eventsAfter: eventsThrough, eventsThrough: through };
    const description = { kind: 'tracked', createdAt: new Date().toISOString(), inputs, counts };
    await write(path.join(dir, 'batch.json'), `${JSON.stringify(description, null, 2)}\n`);
    await write(path.join(dir, '_SUCCESS'), '');
    await finishExport(tx, through, batches + 1);
    return { batch, through };
  });
}

// The lake's schema of the two tables.
const EVENT_COLUMNS = [
  string('event_id'),
  string('user_id'),
  string('product_id'),
  string('type'),
  int('quantity'),
  timestamp('occurred_at'),
  double('price'),
];
const PRODUCT_COLUMNS = [
  string('id'),
  string('sku'),
  string('name'),
  string('description'),
  double('price'),
  string('currency'),
  string('category_id'),
  map('attributes'),
  int('stock'),
  string('image_url'),
  timestamp('created_at'),
];

/** One file for each UTC day that a block of events has. */
async function writeEvents(dir: string, origin: string, events: readonly EventRow[]): Promise<void> {
  const days = Map.groupBy(events, (event) => event.occurredAt.toISOString().slice(0, 10));
  for (const [day, rows] of days) {
    const table = rows.map((event) => ({
      event_id: `${origin}-${event.id}`,
      user_id: event.userId,
      product_id: event.productId,
      type: event.type,
      quantity: event.quantity,
      occurred_at: event.occurredAt,
      price: event.price,
    }));
    await write(
      path.join(dir, 'events', `date=${day}`, `part-${rows[0]?.id}.parquet`),
      toParquet(EVENT_COLUMNS, table),
    );
  }
}

async function writeProducts(file: string, products: readonly ProductRow[]): Promise<void> {
  const table = products.map((product) => ({
    id: product.id,
    sku: product.sku,
    name: product.name,
    description: product.description,
    price: product.price,
    currency: product.currency,
    category_id: product.categoryId,
    attributes: Object.entries(product.attributes),
    stock: product.stock,
    image_url: product.imageUrl,
    created_at: product.createdAt,
  }));
  await write(file, toParquet(PRODUCT_COLUMNS, table));
}

/** On the disk before it returns: the database must not note what a power cut can still take back. */
function write(file: string, content: string | Uint8Array): Promise<void> {
  return onDisk(async () => {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content, { flush: true });
  });
}

/** The mark goes first: what a crash left must not look complete while it is replaced. */
function removeBatch(dir: string): Promise<void> {
  return onDisk(async () => {
    await rm(path.join(dir, '_SUCCESS'), { force: true });
    await rm(dir, { recursive: true, force: true });
  });
}

async function onDisk<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOSPC' || code === 'EDQUOT')
      throw new HashiraError('STORAGE_FULL', 'The data lake has no disk space left.', { cause });
    throw new HashiraError('LAKE_UNREADABLE', 'The data lake cannot be written.', { cause });
  }
}
