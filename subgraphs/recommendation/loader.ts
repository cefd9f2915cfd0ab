import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { Database } from '../kit/database.ts';
import { HashiraError } from '../kit/errors.ts';
import { localPath, readParquet } from '../kit/parquet.ts';
import { HISTORY_COLUMNS, replaceHistories } from './store.ts';

const manifest = z.object({ dataVersion: z.string() });

/**
 * Loads what users did, from a prepared dataset's `histories`, in one transaction. Tracked events stay where they are: those that
 * are not in the dataset go on counting. Loading the same dataset again changes nothing.
 * @param eventsThrough id of the last tracked event that was exported before the dataset was prepared
 * @returns how many rows the histories have
 * @throws HashiraError LAKE_UNREADABLE when the dataset is incomplete or has a broken file
 */
export async function loadHistories(db: Database, datasetDir: string, eventsThrough = 0): Promise<number> {
  const dir = localPath(datasetDir);
  let dataVersion: string;
  try {
    await readFile(path.join(dir, '_SUCCESS'));
    ({ dataVersion } = manifest.parse(JSON.parse(await readFile(path.join(dir, 'manifest.json'), 'utf8'))));
  } catch (cause) {
    throw new HashiraError('LAKE_UNREADABLE', `The dataset ${path.basename(dir)} is not complete.`, { cause });
  }
  const rows = async function* (): AsyncGenerator<readonly unknown[]> {
    for await (const row of readParquet(path.join(dir, 'histories'), HISTORY_COLUMNS))
      yield HISTORY_COLUMNS.map((column) => row[column]);
  };
  return replaceHistories(db, rows(), { dataVersion, eventsThrough });
}
