import { setTimeout as sleep } from 'node:timers/promises';
import type { Database, Transaction } from '../kit/database.ts';
import type { Embedder } from '../kit/embedder.ts';
import { toDocument } from './documents.ts';
import {
  goneProducts,
  indexState,
  keepCollections,
  pendingProducts,
  recordIndexed,
  recordRemoved,
  tryLockIndex,
} from './index-store.ts';
import { CollectionLost, type Vectors } from './vectors.ts';

export interface IndexCounts {
  /** Products whose text was embedded. */
  indexed: number;
  /** Products of which only price, stock or category was written. */
  updated: number;
  /** Products that are gone and left the index. */
  removed: number;
  /** Products that there are. */
  total: number;
}

export interface IndexOptions {
  /** Deletes the index first, whatever it has. */
  full?: boolean;
  signal?: AbortSignal;
  /** Counted on here, as it goes; a call that is interrupted leaves here what it did. */
  counts?: IndexCounts;
  /** @param done 0 to 1, of what was to do at the start */
  onProgress?: (done: number) => void;
}

/** Products of one transaction: about a second's work, so that whoever waits for the lock waits not long. */
const BATCH = 64;
/** Removals cost next to nothing. */
const REMOVALS = 1_000;
const WAIT_MS = 100;
const MAX_LOSSES = 3;

const noCounts = (): IndexCounts => ({ indexed: 0, updated: 0, removed: 0, total: 0 });

/**
 * Brings the index up to date: embeds what is new or reads otherwise, writes what else has changed, removes what is gone. It goes on
 * where another call was interrupted. Of calls at once, in whatever processes, each batch is the work of one.
 * @throws HashiraError VECTORS_UNAVAILABLE, DATABASE_UNAVAILABLE; the signal's reason
 */
export async function indexCatalog(
  database: Database,
  vectors: Vectors,
  embedder: Embedder,
  { full = false, signal, counts = noCounts(), onProgress }: IndexOptions = {},
): Promise<IndexCounts> {
  if (full) await exclusively(database, signal, () => vectors.drop(signal));
  let toDo = 0;
  for (let losses = 0; ; ) {
    signal?.throwIfAborted();
    try {
      const collection = await vectors.open(signal);
      const { total, pending } = await indexState(database, collection);
      counts.total = total;
      toDo = Math.max(toDo, pending);
      onProgress?.(toDo === 0 ? 1 : 1 - pending / toDo);
      if (pending === 0) return counts;
      // A new collection may stand in for one that was lost.
      if (pending === total) await keepCollections(database, await vectors.collections(signal));
      const done = await exclusively(database, signal, (tx) => indexBatch(tx, collection, vectors, embedder, signal));
      for (const what of ['indexed', 'updated', 'removed'] as const) counts[what] += done[what];
    } catch (error) {
      // The server lost its data: begin again with a new collection.
      if (!(error instanceof CollectionLost) || ++losses > MAX_LOSSES) throw error;
    }
  }
}

/** Runs in a transaction that holds the index's lock. @throws the signal's reason, while it waits for the lock */
export async function exclusively<T>(
  database: Database,
  signal: AbortSignal | undefined,
  work: (tx: Transaction) => Promise<T>,
): Promise<T> {
  for (;;) {
    signal?.throwIfAborted();
    const held = await database.transaction(async (tx) =>
      (await tryLockIndex(tx)) ? { result: await work(tx) } : null,
    );
    if (held) return held.result;
    await sleep(WAIT_MS, undefined, { signal }).catch(() => {});
  }
}

/** The collection is written before the commit: when that fails, the same is written again. */
async function indexBatch(
  tx: Transaction,
  collection: string,
  vectors: Vectors,
  embedder: Embedder,
  signal?: AbortSignal,
): Promise<Omit<IndexCounts, 'total'>> {
  const gone = await goneProducts(tx, collection, REMOVALS);
  await vectors.remove(collection, gone, signal);
  await recordRemoved(tx, collection, gone);

  const pending = (await pendingProducts(tx, collection, BATCH)).map((product) => ({
    product,
    document: toDocument(product),
  }));
  const texts = pending.filter(({ product, document }) => product.textHash !== document.textHash);
  const rest = pending.filter(
    ({ product, document }) => product.textHash === document.textHash && product.metadataHash !== document.metadataHash,
  );
  const embedded = await embedder.embed(
    texts.map(({ document }) => document.text),
    signal,
  );
  const record = ({ product, document }: (typeof pending)[number]) => ({
    id: product.id,
    metadata: { ...document.metadata },
  });
  await vectors.upsert(
    collection,
    texts.map((one, index) => ({ ...record(one), vector: embedded[index] as Float32Array })),
    signal,
  );
  await vectors.describe(collection, rest.map(record), signal);
  await recordIndexed(
    tx,
    collection,
    pending.map(({ product, document }) => ({ id: product.id, version: product.version, ...document })),
  );
  return { indexed: texts.length, updated: rest.length, removed: gone.length };
}
