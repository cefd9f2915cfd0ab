import type { Database } from '../kit/database.ts';
import { forgetUnlisted, unrecorded } from './index-store.ts';
import { exclusively } from './indexer.ts';
import { MAX_BATCH, type Vectors } from './vectors.ts';

/**
 * Compares what the collection has with what it is recorded to have: after a crash they can differ. What is too much is removed, and
 * what is missing counts as not indexed, so that `indexCatalog` brings it.
 * @returns how many records were too many or missing
 * @throws HashiraError VECTORS_UNAVAILABLE, DATABASE_UNAVAILABLE; the signal's reason
 */
export async function repairIndex(database: Database, vectors: Vectors, signal?: AbortSignal): Promise<number> {
  return exclusively(database, signal, async (tx) => {
    const collection = await vectors.open(signal);
    const listed: string[] = [];
    for (let page = MAX_BATCH; page === MAX_BATCH; ) {
      const ids = await vectors.ids(collection, MAX_BATCH, listed.length, signal);
      listed.push(...ids);
      page = ids.length;
    }
    const surplus = await unrecorded(tx, collection, listed);
    await vectors.remove(collection, surplus, signal);
    return surplus.length + (await forgetUnlisted(tx, collection, listed));
  });
}
