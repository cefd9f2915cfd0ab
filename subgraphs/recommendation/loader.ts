import { z } from 'zod';
import type { Database } from '../kit/database.ts';
import { readParquet } from '../kit/parquet.ts';
import { described } from '../kit/storage/described.ts';
import { join, type Storage } from '../kit/storage/storage.ts';
import { HISTORY_COLUMNS, replaceHistories } from './store.ts';

const manifest = z.object({ dataVersion: z.string() });

/**
 * Loads what users did, from a prepared dataset's `histories`, in one transaction. Tracked events stay where they are: those that
 * are not in the dataset go on counting. Loading the same dataset again changes nothing.
 * @param dataset its folder in the store
 * @param eventsThrough id of the last tracked event that was exported before the dataset was prepared
 * @returns how many rows the histories have
 * @throws HashiraError LAKE_UNREADABLE when the dataset is incomplete or has a broken file; those of Storage
 */
export async function loadHistories(db: Database, store: Storage, dataset: string, eventsThrough = 0): Promise<number> {
  const { dataVersion } = await described(store, dataset, 'manifest.json', manifest, 'dataset');
  const rows = async function* (): AsyncGenerator<readonly unknown[]> {
    for await (const row of readParquet(store, join(dataset, 'histories'), HISTORY_COLUMNS))
      yield HISTORY_COLUMNS.map((column) => row[column]);
  };
  return replaceHistories(db, rows(), { dataVersion, eventsThrough });
}
