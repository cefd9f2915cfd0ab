import { randomUUID } from 'node:crypto';
import { access, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import nodePath from 'node:path';
import { pathToFileURL } from 'node:url';
import { byName, type Entry, type Range, Storage, SUCCESS } from './storage.ts';
import { type Trouble, trouble } from './trouble.ts';

/** A folder of this machine, or one that is mounted on it. */
export class LocalStorage extends Storage {
  constructor(
    private readonly root: string,
    private readonly name = 'The storage',
  ) {
    super();
  }

  uri(path: string): string {
    return pathToFileURL(this.#at(path)).href;
  }

  exists(path: string): Promise<boolean> {
    return this.#do('unreadable', path, () =>
      unlessMissing(
        access(this.#at(path)).then(() => true),
        false,
      ),
    );
  }

  list(path: string): Promise<Entry[]> {
    return this.#do('unreadable', path, async () => {
      const entries = await unlessMissing(readdir(this.#at(path), { withFileTypes: true }), []);
      const found = entries.map(async (entry): Promise<Entry | null> => {
        // What a link points at counts; what was deleted meanwhile does not.
        const about = await unlessMissing(stat(nodePath.join(this.#at(path), entry.name)), null);
        return about && { name: entry.name, folder: about.isDirectory(), size: about.isDirectory() ? 0 : about.size };
      });
      return (await Promise.all(found)).filter((entry) => entry !== null).sort(byName);
    });
  }

  read(path: string, range?: Range): Promise<Uint8Array> {
    return this.#do('unreadable', path, async () => {
      if (!range) return readFile(this.#at(path));
      await using file = await open(this.#at(path));
      const bytes = new Uint8Array(Math.max(range.end - range.start, 0));
      let length = 0;
      while (length < bytes.length) {
        const { bytesRead } = await file.read(bytes, length, bytes.length - length, range.start + length);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
      return bytes.subarray(0, length);
    });
  }

  write(path: string, content: string | Uint8Array): Promise<void> {
    return this.#do('unwritable', path, async () => {
      const target = this.#at(path);
      const folder = nodePath.dirname(target);
      const draft = nodePath.join(folder, `.${nodePath.basename(target)}.${randomUUID()}.tmp`);
      const made = await mkdir(folder, { recursive: true });
      try {
        await writeFile(draft, content, { flush: true });
        await rename(draft, target);
      } catch (error) {
        await rm(draft, { force: true }).catch(() => {});
        throw error;
      }
      // Names are kept by their folder: that of the file, and those of folders that were made, up to the first that was there.
      const top = made === undefined ? folder : nodePath.dirname(made);
      for (let at = folder; ; at = nodePath.dirname(at)) {
        await flush(at);
        if (at === top) return;
      }
    });
  }

  remove(path: string): Promise<void> {
    return this.#do('unwritable', path, async () => {
      const target = this.#at(path);
      await unlessMissing(rm(nodePath.join(target, SUCCESS), { force: true }), undefined);
      await unlessMissing(rm(target, { recursive: true, force: true }), undefined);
    });
  }

  #at(path: string): string {
    return nodePath.join(this.root, path);
  }

  async #do<T>(otherwise: Trouble, path: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      throw trouble(kindOf(cause, otherwise), this.name, new Error(`${this.uri(path)}: ${cause}`, { cause }));
    }
  }
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException | null)?.code;
const isMissing = (error: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '');

const unlessMissing = <T, M>(work: Promise<T>, missing: M): Promise<T | M> =>
  work.catch((error: unknown) => {
    if (isMissing(error)) return missing;
    throw error;
  });

function kindOf(error: unknown, otherwise: Trouble): Trouble {
  const code = codeOf(error) ?? '';
  if (['ENOSPC', 'EDQUOT'].includes(code)) return 'full';
  if (['EACCES', 'EPERM', 'EROFS'].includes(code)) return 'refused';
  return otherwise === 'unreadable' && isMissing(error) ? 'missing' : otherwise;
}

/** Some mounted file systems cannot flush a folder, and say so: they keep names at once. */
async function flush(folder: string): Promise<void> {
  await using handle = await open(folder);
  await handle.sync().catch((error: unknown) => {
    if (!['EINVAL', 'ENOTSUP', 'EPERM'].includes(codeOf(error) ?? '')) throw error;
  });
}
