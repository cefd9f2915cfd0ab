import type { SchemaElement } from 'hyparquet';
import { ByteWriter, parquetWriteRows } from 'hyparquet-writer';

/** A column: its schema element and those below it. All columns are nullable, as in Spark's tables. */
export type Column = readonly [SchemaElement, ...SchemaElement[]];

export const string = (name: string): Column => [
  { name, type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' }, repetition_type: 'OPTIONAL' },
];

export const int = (name: string): Column => [{ name, type: 'INT32', repetition_type: 'OPTIONAL' }];

export const double = (name: string): Column => [{ name, type: 'DOUBLE', repetition_type: 'OPTIONAL' }];

/** Values are Dates; the file has microseconds, UTC. */
export const timestamp = (name: string): Column => [
  {
    name,
    type: 'INT64',
    converted_type: 'TIMESTAMP_MICROS',
    logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
    repetition_type: 'OPTIONAL',
  },
];

/** Strings by strings; values are entries. */
export const map = (name: string): Column => [
  { name, converted_type: 'MAP', logical_type: { type: 'MAP' }, repetition_type: 'OPTIONAL', num_children: 1 },
  { name: 'key_value', repetition_type: 'REPEATED', num_children: 2 },
  { ...string('key')[0], repetition_type: 'REQUIRED' },
  string('value')[0],
];

/** A Parquet file, snappy, in one row group. */
export function toParquet(columns: readonly Column[], rows: Record<string, unknown>[]): Uint8Array {
  const writer = new ByteWriter();
  parquetWriteRows({
    writer,
    rows,
    columns: columns.map(([{ name }]) => ({ name })),
    schema: [{ name: 'schema', num_children: columns.length }, ...columns.flat()],
    rowGroupSize: Math.max(rows.length, 1),
  });
  return writer.getBytes();
}
