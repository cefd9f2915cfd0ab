import { type AsyncBuffer, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { HashiraError } from './errors.ts';
import { join, type Range, type Storage } from './storage/storage.ts';

/** A file up to this size is read at once; of a larger one only what is asked for, a column of a row group at a time. */
const WHOLE_BYTES = 8_000_000;

interface File {
  path: string;
  size: number;
  /** The values of the `key=value` folders it is in. */
  partition: Record<string, string>;
}

/** The Parquet files of a table, in a stable order. */
async function* files(storage: Storage, folder: string, partition: File['partition'] = {}): AsyncGenerator<File> {
  for (const entry of await storage.list(folder)) {
    if (/^[._]/.test(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.folder) {
      const [key, value] = entry.name.split('=');
      const below = value === undefined ? partition : { ...partition, [key as string]: decodeURIComponent(value) };
      yield* files(storage, path, below);
    } else if (entry.name.endsWith('.parquet')) yield { path, size: entry.size, partition };
  }
}

/**
 * Rows of a Parquet table (a folder, partitioned or not), one row group in memory at a time. A missing folder has no rows.
 * Timestamps are Dates, 64-bit integers are bigints, maps are objects as hyparquet gives them.
 * @throws HashiraError LAKE_UNREADABLE when a file is broken; those of Storage
 */
export async function* readParquet<Row extends Record<string, unknown>>(
  storage: Storage,
  folder: string,
  columns?: readonly (keyof Row & string)[],
): AsyncGenerator<Row> {
  for await (const { path, size, partition } of files(storage, folder)) {
    try {
      const file = await openFile(storage, path, size);
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
      const name = path.split('/').at(-1);
      throw new HashiraError('LAKE_UNREADABLE', `The Parquet file ${name} cannot be read.`, { cause });
    }
  }
}

async function openFile(storage: Storage, path: string, size: number): Promise<AsyncBuffer> {
  const read = async (range?: Range) => toArrayBuffer(await storage.read(path, range));
  if (size <= WHOLE_BYTES) return read();
  return { byteLength: size, slice: (start, end = size) => read({ start, end }) };
}

/** Small files share one buffer in Node; hyparquet takes a buffer for the whole file. */
function toArrayBuffer({ buffer, byteOffset, byteLength }: Uint8Array): ArrayBuffer {
  return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
}
