import type { Queryable, Transaction } from '../kit/database.ts';
import type { EventType } from './model.ts';

// The SQL between the catalogue and the lake: what a load replaces, and what an export takes.

/** Where loaded rows come from, the weaker first. Rows written by the API are stronger than both. */
export const LOADED_SOURCES = ['generated', 'imported'] as const;
export type LoadedSource = (typeof LOADED_SOURCES)[number];

type Rows = AsyncIterable<readonly unknown[]>;

/** The tables of a batch, as rows in the order of the columns below. Null: the batch does not have this table. */
export interface StagedRows {
  /** id, name, parent id */
  categories: Rows | null;
  /** id, SKU, name, description, price, currency, category id, attributes as JSON, stock, image, created at */
  products: Rows | null;
  /** id, name */
  users: Rows | null;
}

export interface LoadCounts {
  categories: number;
  products: number;
  users: number;
}

const STAGE = {
  categories: 'id text COLLATE "C", name text, parent_id text COLLATE "C"',
  products: `id text COLLATE "C", sku text, name text, description text, price numeric, currency text,
    category_id text COLLATE "C", attributes jsonb, stock integer, image_url text, created_at timestamptz(3)`,
  users: 'id text COLLATE "C", name text',
};
const columns = (table: keyof typeof STAGE): string[] =>
  STAGE[table].split(',').map((definition) => definition.trim().split(' ')[0] as string);

/** The category of products that the data gives none. */
const UNCATEGORISED = 'uncategorised';

/**
 * Makes the catalogue's rows of `source` those of the batch. Rows of a stronger source stay as they are; rows of `source` or
 * a weaker one that the batch does not have are deleted. A table that the batch does not have only loses weaker rows.
 * Readers see the old catalogue until the transaction ends.
 * @returns how many rows the batch has
 */
export async function replaceCatalog(tx: Transaction, source: LoadedSource, staged: StagedRows): Promise<LoadCounts> {
  const counts: LoadCounts = { categories: 0, products: 0, users: 0 };
  for (const table of ['categories', 'products', 'users'] as const) {
    await tx.query(`CREATE TEMP TABLE stage_${table} (${STAGE[table]}) ON COMMIT DROP`);
    const rows = staged[table];
    if (rows) counts[table] = await tx.copy(`stage_${table}`, columns(table), rows);
    await tx.query(`ANALYZE stage_${table}`);
  }
  const replaceable = LOADED_SOURCES.slice(0, LOADED_SOURCES.indexOf(source) + 1);
  const weaker = replaceable.slice(0, -1);
  const gone = (table: keyof StagedRows): readonly LoadedSource[] => (staged[table] ? replaceable : weaker);

  // Other loads and the API's upserts wait from here on; readers and events do not.
  await tx.query('LOCK TABLE catalog.products, catalog.categories, catalog.users IN SHARE ROW EXCLUSIVE MODE');
  await tx.query(
    `INSERT INTO catalog.categories AS c (id, name, parent_id, source)
     SELECT DISTINCT ON (id) id, name, parent_id, $1 FROM stage_categories
     ON CONFLICT (id) DO UPDATE SET (name, parent_id, source) = (excluded.name, excluded.parent_id, excluded.source)
     WHERE c.source = ANY($2)
       AND (c.name, c.parent_id, c.source) IS DISTINCT FROM (excluded.name, excluded.parent_id, excluded.source)`,
    [source, replaceable],
  );
  // A product always is in a category: one that is only named by products is called by its id.
  await tx.query(
    `INSERT INTO catalog.categories (id, name, source)
     SELECT DISTINCT coalesce(category_id, $2), coalesce(category_id, 'Uncategorised'), $1 FROM stage_products
     ON CONFLICT (id) DO NOTHING`,
    [source, UNCATEGORISED],
  );
  await tx.query(
    `INSERT INTO catalog.products AS p
       (id, sku, name, description, price, currency, category_id, attributes, stock, image_url, created_at, source)
     SELECT DISTINCT ON (s.id) s.id, s.sku, s.name, s.description, s.price, s.currency, coalesce(s.category_id, $3),
       s.attributes, s.stock, s.image_url, coalesce(s.created_at, known.created_at, now()), $1
     FROM stage_products s LEFT JOIN catalog.products known ON known.id = s.id
     ON CONFLICT (id) DO UPDATE SET (sku, name, description, price, currency, category_id, attributes, stock, image_url,
       created_at, source) = (excluded.sku, excluded.name, excluded.description, excluded.price, excluded.currency,
       excluded.category_id, excluded.attributes, excluded.stock, excluded.image_url, excluded.created_at, excluded.source)
     WHERE p.source = ANY($2)
       AND (p.sku, p.name, p.description, p.price, p.currency, p.category_id, p.attributes, p.stock, p.image_url,
         p.created_at, p.source)
       IS DISTINCT FROM (excluded.sku, excluded.name, excluded.description, excluded.price, excluded.currency,
         excluded.category_id, excluded.attributes, excluded.stock, excluded.image_url, excluded.created_at, excluded.source)`,
    [source, replaceable, UNCATEGORISED],
  );
  await tx.query(
    `INSERT INTO catalog.users AS u (id, name, source)
     SELECT DISTINCT ON (id) id, name, $1 FROM stage_users
     ON CONFLICT (id) DO UPDATE SET (name, source) = (excluded.name, excluded.source)
     WHERE u.source = ANY($2) AND (u.name, u.source) IS DISTINCT FROM (excluded.name, excluded.source)`,
    [source, replaceable],
  );
  for (const table of ['products', 'users'] as const) {
    await tx.query(
      `DELETE FROM catalog.${table} t WHERE t.source = ANY($1) AND NOT EXISTS (SELECT FROM stage_${table} s WHERE s.id = t.id)`,
      [gone(table)],
    );
  }
  // A category stays as long as a product is in it or below it, whatever its source.
  await tx.query(
    `WITH RECURSIVE used AS (
       SELECT category_id AS id FROM catalog.products
       UNION SELECT c.parent_id FROM catalog.categories c JOIN used ON c.id = used.id WHERE c.parent_id IS NOT NULL
     )
     DELETE FROM catalog.categories c WHERE c.source = ANY($1)
       AND NOT EXISTS (SELECT FROM stage_categories s WHERE s.id = c.id)
       AND NOT EXISTS (SELECT FROM used WHERE used.id = c.id)`,
    [gone('categories')],
  );
  return counts;
}

/** A tracked event as the lake gets it. */
export interface EventRow {
  id: string;
  userId: string | null;
  productId: string;
  type: EventType;
  quantity: number;
  price: number | null;
  occurredAt: Date;
}

/** A product written by the API as the lake gets it. */
export interface ProductRow {
  id: string;
  sku: string;
  name: string;
  description: string;
  price: number;
  currency: string;
  categoryId: string;
  attributes: Record<string, string>;
  stock: number | null;
  imageUrl: string | null;
  createdAt: Date;
}

export interface ExportState {
  /** Tells this database's batches from those of others on the same lake. */
  origin: string;
  /** Batches written so far. */
  batches: number;
  /** Id of the last event that the lake has. */
  eventsThrough: number;
}

/**
 * An event id such that all events up to it are there to be read: none of them can still be committed later. Ids are given
 * before the commit, so the largest visible id alone does not say that. The lock waits for the calls that record events now,
 * each of one statement, and is let go at once.
 */
export async function settledEventId(tx: Transaction): Promise<number> {
  await tx.query('LOCK TABLE catalog.events IN SHARE MODE');
  const rows = await tx.query<{ id: string }>('SELECT coalesce(max(id), 0) AS id FROM catalog.events');
  return Number(rows[0]?.id);
}

/** The bookkeeping of exports; another export waits for this transaction. */
export async function lockExports(tx: Queryable): Promise<ExportState> {
  const rows = await tx.query<{ origin: string; batches: number; through: string }>(
    'SELECT origin, batches, events_through AS through FROM catalog.exports FOR UPDATE',
  );
  const { origin, batches, through } = rows[0] as (typeof rows)[number];
  return { origin, batches, eventsThrough: Number(through) };
}

export async function finishExport(tx: Queryable, eventsThrough: number, batches: number): Promise<void> {
  await tx.query('UPDATE catalog.exports SET events_through = $1, batches = $2', [eventsThrough, batches]);
}

/** Events with ids above `after` up to `through`, in blocks. */
export async function* eventBlocks(
  tx: Queryable,
  after: number,
  through: number,
  size: number,
): AsyncGenerator<EventRow[]> {
  for (let last = String(after); ; ) {
    const rows = await tx.query<EventRow>(
      `SELECT id, user_id AS "userId", product_id AS "productId", type, quantity, price::float8 AS price,
         occurred_at AS "occurredAt"
       FROM catalog.events WHERE id > $1 AND id <= $2 ORDER BY id LIMIT $3`,
      [last, through, size],
    );
    if (rows.length === 0) return;
    yield rows;
    last = (rows.at(-1) as EventRow).id;
  }
}

/** Products that the lake lacks, in blocks, marked as being in the lake when the transaction commits. */
export async function* takeProductBlocks(tx: Queryable, size: number): AsyncGenerator<ProductRow[]> {
  for (;;) {
    const rows = await tx.query<ProductRow>(
      `UPDATE catalog.products SET in_lake = true
       WHERE id IN (SELECT id FROM catalog.products WHERE NOT in_lake ORDER BY id LIMIT $1 FOR UPDATE)
       RETURNING id, sku, name, description, price::float8 AS price, currency, category_id AS "categoryId", attributes,
         stock, image_url AS "imageUrl", created_at AS "createdAt"`,
      [size],
    );
    if (rows.length === 0) return;
    yield rows;
  }
}
