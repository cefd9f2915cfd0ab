import type { z } from 'zod';
import { HashiraError } from '../errors.ts';
import { join, type Storage } from './storage.ts';

/**
 * What a folder with its mark says of itself, in a JSON file beside its tables.
 * @param kind how a person calls such a folder, "dataset"
 * @throws HashiraError LAKE_UNREADABLE when the mark is missing or the file is not as it should be; those of Storage
 */
export async function described<T>(
  storage: Storage,
  folder: string,
  file: string,
  shape: z.ZodType<T>,
  kind: string,
): Promise<T> {
  const unreadable = (what: string, cause?: unknown) =>
    new HashiraError('LAKE_UNREADABLE', `The ${kind} ${folder.split('/').at(-1)} ${what}.`, { cause });
  if (!(await storage.committed(folder))) throw unreadable('is not complete');
  const text = await storage.read(join(folder, file));
  try {
    return shape.parse(JSON.parse(Buffer.from(text).toString()));
  } catch (cause) {
    throw unreadable(`has no ${file} that is as it should be`, cause);
  }
}
