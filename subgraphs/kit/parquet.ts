import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { HashiraError } from './errors.ts';

/** A lake or store address as a local path. */
export const localPath = (uri: string): string => (uri.startsWith('file:') ? fileURLToPath(uri) : uri);

/** The Parquet files of a table, in a stable order, with the values of its `key=value` partition folders. */
async function* files(dir: string, partition: Record<string, string> = {}): AsyncGenerator<[string, typeof partition]> {
  const entries = await readdir(dir, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (/^[._]/.test(entry.name)) continue;
    const full = path.join(dir, entry.name);
    if (entry.isDirectory()) {
      const [key, value] = entry.name.split('=');
      yield* files(
        full,
        value === undefined ? partition : { ...partition, [key as string]: decodeURIComponent(value) },
      );
    } else if (entry.name.endsWith('.parquet')) yield [full, partition];
  }
}

/**
 * Rows of a Parquet table (a folder, partitioned or not), one row group in memory at a time. A missing folder has no rows.
 * Timestamps are Dates, 64-bit integers are bigints, maps are objects as hyparquet gives them.
 * @throws HashiraError LAKE_UNREADABLE when a file is broken
 */
export async function* readParquet<Row extends Record<string, unknown>>(
  uri: string,
  columns?: readonly (keyof Row & string)[],
): AsyncGenerator<Row> {
  const root = localPath(uri);
  const exists = await readdir(root).catch(() => null);
  if (!exists) return;
  for await (const [name, partition] of files(root)) {
    try {
      const file = await asyncBufferFromFile(name);
      const metadata = await parquetMetadataAsync(file);
      let rowStart = 0;
      for (const group of metadata.row_groups) {
        const rowEnd = rowStart + Number(group.num_rows);
        const wanted = columns?.filter((column) => !(column in partition));
        const rows = await parquetReadObjects({
          file,
          metadata,
          rowStart,
          rowEnd,
          ...(wanted ? { columns: [...wanted] } : {}),
        });
        for (const row of rows) yield Object.assign(row, partition) as Row;
        rowStart = rowEnd;
      }
    } catch (cause) {
      if (cause instanceof HashiraError) throw cause;
      throw new HashiraError('LAKE_UNREADABLE', `The Parquet file ${path.basename(name)} cannot be read.`, { cause });
    }
  }
}
