/** The mark of a complete folder, written last. */
export const SUCCESS = '_SUCCESS';

/** What is directly in a folder. */
export interface Entry {
  name: string;
  folder: boolean;
  /** Bytes of a file; 0 for a folder. */
  size: number;
}

/** Bytes from `start` up to and without `end`. */
export interface Range {
  start: number;
  end: number;
}

/**
 * A tree of files below one root: a folder of this machine, HDFS or S3. Paths are relative to the root, with `/` between the
 * parts; the root is ''. The Python side has the same in spark/storage.py.
 *
 * Every method throws HashiraError: STORAGE_UNAVAILABLE when the storage cannot be reached now, STORAGE_FULL, or
 * LAKE_UNREADABLE for what trying again does not mend. Messages name no path; the cause does, for the operator.
 */
export abstract class Storage {
  /** The full address of `path`. */
  abstract uri(path: string): string;

  /** Whether there is a file or a folder `path`. S3 has no empty folders. */
  abstract exists(path: string): Promise<boolean>;

  /** What is in folder `path`, by name; nothing when there is no such folder. */
  abstract list(path: string): Promise<Entry[]>;

  /** A file, or a range of it; a range that goes beyond the end is cut there. A missing file is LAKE_UNREADABLE. */
  abstract read(path: string, range?: Range): Promise<Uint8Array>;

  /**
   * Writes a file, with its folders. It is kept when this returns, also if power fails then; readers see the old content or
   * the new, never half.
   */
  abstract write(path: string, content: string | Uint8Array): Promise<void>;

  /**
   * Deletes a file, or a folder with all in it; nothing happens when it is not there. The mark of a folder goes first: what
   * is half deleted must not look complete.
   */
  abstract remove(path: string): Promise<void>;

  /** Whether folder `path` has its mark; a folder without it must not be read. */
  committed(path: string): Promise<boolean> {
    return this.exists(join(path, SUCCESS));
  }
}

/** Joins parts of a path, of which the first may be the root, ''. */
export const join = (...parts: string[]): string => parts.filter((part) => part !== '').join('/');

/** By code units, as Python and Java sort: the same order on every storage. */
export const byName = (a: { name: string }, b: { name: string }): number =>
  a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
