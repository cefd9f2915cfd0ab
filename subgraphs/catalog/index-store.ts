import type { Queryable } from '../kit/database.ts';
import type { IndexedProduct } from './documents.ts';

// The SQL of the product index: what it lacks, and what it has. `collection` is the id that the vector database gave it.

/** A product that an index lacks or has in an older version, as it is now. */
export interface PendingProduct extends IndexedProduct {
  id: string;
  version: string;
  /** Of the document that the index has; null when it has none. */
  textHash: string | null;
  metadataHash: string | null;
}

export interface IndexedRow {
  id: string;
  version: string;
  textHash: string;
  metadataHash: string;
}

export interface IndexState {
  /** Products that there are. */
  total: number;
  /** Of those, how many an index lacks or has in an older version; and how many it has that are gone. */
  pending: number;
}

/** Any two numbers will do that no other lock of this database has. */
const LOCK = [1_128_352_841, 1] as const;

/** Whether this transaction may change the index; another one holds it otherwise. Let go at the transaction's end. */
export async function tryLockIndex(tx: Queryable): Promise<boolean> {
  const [row] = await tx.query<{ locked: boolean }>('SELECT pg_try_advisory_xact_lock($1, $2) AS locked', LOCK);
  return row?.locked ?? false;
}

const STALE = `catalog.product_changes c LEFT JOIN catalog.indexed_products i
  ON i.collection = $1 AND i.product_id = c.product_id`;
const GONE = `catalog.indexed_products i WHERE i.collection = $1
  AND NOT EXISTS (SELECT FROM catalog.product_changes c WHERE c.product_id = i.product_id)`;

export async function indexState(db: Queryable, collection: string): Promise<IndexState> {
  const [row] = await db.query<IndexState>(
    `SELECT total, stale + gone AS pending FROM
       (SELECT count(*)::int AS total, (count(*) FILTER (WHERE i.version IS DISTINCT FROM c.version))::int AS stale
        FROM ${STALE}) changed,
       (SELECT count(*)::int AS gone FROM ${GONE}) removed`,
    [collection],
  );
  return row as IndexState;
}

/** What changed last comes first: who has just saved a product does not wait for a load of thousands. */
export async function pendingProducts(db: Queryable, collection: string, limit: number): Promise<PendingProduct[]> {
  return db.query<PendingProduct>(
    `SELECT p.id, c.version, i.text_hash AS "textHash", i.metadata_hash AS "metadataHash", p.name, p.description,
       p.attributes, shelf.name AS category, p.category_id AS "categoryId", p.price::float8 AS price,
       p.stock IS NULL OR p.stock > 0 AS "inStock"
     FROM ${STALE} JOIN catalog.products p ON p.id = c.product_id JOIN catalog.categories shelf ON shelf.id = p.category_id
     WHERE i.version IS DISTINCT FROM c.version ORDER BY c.version DESC LIMIT $2`,
    [collection, limit],
  );
}

/** Ids of products that an index has and that are gone. */
export async function goneProducts(db: Queryable, collection: string, limit: number): Promise<string[]> {
  const rows = await db.query<{ id: string }>(`SELECT i.product_id AS id FROM ${GONE} ORDER BY 1 LIMIT $2`, [
    collection,
    limit,
  ]);
  return rows.map(({ id }) => id);
}

export async function recordIndexed(db: Queryable, collection: string, rows: readonly IndexedRow[]): Promise<void> {
  await db.query(
    `INSERT INTO catalog.indexed_products (collection, product_id, version, text_hash, metadata_hash)
     SELECT $1, * FROM unnest($2::text[], $3::bigint[], $4::text[], $5::text[])
     ON CONFLICT (collection, product_id) DO UPDATE
     SET (version, text_hash, metadata_hash) = (excluded.version, excluded.text_hash, excluded.metadata_hash)`,
    [
      collection,
      rows.map(({ id }) => id),
      rows.map(({ version }) => version),
      rows.map(({ textHash }) => textHash),
      rows.map(({ metadataHash }) => metadataHash),
    ],
  );
}

export async function recordRemoved(db: Queryable, collection: string, ids: readonly string[]): Promise<void> {
  await db.query('DELETE FROM catalog.indexed_products WHERE collection = $1 AND product_id = ANY($2)', [
    collection,
    ids,
  ]);
}

/** Those of the ids that a collection is not recorded to have. */
export async function unrecorded(db: Queryable, collection: string, ids: readonly string[]): Promise<string[]> {
  const rows = await db.query<{ id: string }>(
    `SELECT id FROM unnest($2::text[]) id WHERE NOT EXISTS (
       SELECT FROM catalog.indexed_products i WHERE i.collection = $1 AND i.product_id = id)`,
    [collection, ids],
  );
  return rows.map(({ id }) => id);
}

/** Forgets all that a collection is recorded to have except these. @returns how many that were */
export async function forgetUnlisted(db: Queryable, collection: string, ids: readonly string[]): Promise<number> {
  const rows = await db.query(
    `DELETE FROM catalog.indexed_products i WHERE i.collection = $1
       AND NOT EXISTS (SELECT FROM unnest($2::text[]) id WHERE id = i.product_id) RETURNING 1`,
    [collection, ids],
  );
  return rows.length;
}

/** Forgets what collections had that are not there any more. */
export async function keepCollections(db: Queryable, collections: readonly string[]): Promise<void> {
  await db.query('DELETE FROM catalog.indexed_products WHERE collection <> ALL($1::uuid[])', [collections]);
}

/** What tells this database's collections from those of others in the same vector database. */
export async function databaseOrigin(db: Queryable): Promise<string> {
  const [row] = await db.query<{ origin: string }>('SELECT origin FROM catalog.exports');
  return (row as { origin: string }).origin;
}
