import type { Database } from '../kit/database.ts';
import { join, type Storage, SUCCESS } from '../kit/storage/storage.ts';
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
 * @throws HashiraError those of Storage
 */
export async function exportTracked(db: Database, lake: Storage): Promise<Export> {
  const settled = await db.transaction(settledEventId);
  return db.transaction(async (tx) => {
    const { origin, batches, eventsThrough } = await lockExports(tx);
    // Another export may have gone further while this one waited.
    const through = Math.max(settled, eventsThrough);
    const batch = `tracked-${origin}-${String(batches + 1).padStart(8, '0')}`;
    const dir = join('raw', batch);
    const counts = { events: 0, products: 0 };
    await lake.remove(dir);
    for await (const events of eventBlocks(tx, eventsThrough, through, EVENTS_PER_BLOCK)) {
      await writeEvents(lake, dir, origin, events);
      counts.events += events.length;
    }
    for await (const products of takeProductBlocks(tx, PRODUCTS_PER_BLOCK)) {
      await writeProducts(lake, join(dir, 'products', `part-${counts.products}.parquet`), products);
      counts.products += products.length;
    }
    if (counts.events + counts.products === 0) return { batch: null, through };
    const inputs = { eventsAfter: eventsThrough, eventsThrough: through };
    const description = { kind: 'tracked', createdAt: new Date().toISOString(), inputs, counts };
    await lake.write(join(dir, 'batch.json'), `${JSON.stringify(description, null, 2)}\n`);
    await lake.write(join(dir, SUCCESS), '');
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
async function writeEvents(lake: Storage, dir: string, origin: string, events: readonly EventRow[]): Promise<void> {
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
    const file = join(dir, 'events', `date=${day}`, `part-${rows[0]?.id}.parquet`);
    await lake.write(file, toParquet(EVENT_COLUMNS, table));
  }
}

async function writeProducts(lake: Storage, file: string, products: readonly ProductRow[]): Promise<void> {
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
  await lake.write(file, toParquet(PRODUCT_COLUMNS, table));
}
