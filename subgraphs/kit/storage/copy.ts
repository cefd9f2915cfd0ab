import { join, type Storage, SUCCESS } from './storage.ts';

/** Copies folder `path`, one file after the other, to the same path of another storage, in the place of what is there. Its mark comes last. */
export async function copyFolder(from: Storage, to: Storage, path: string): Promise<void> {
  await to.remove(path);
  await copyFiles(from, to, path);
  if (await from.committed(path)) await to.write(join(path, SUCCESS), '');
}

async function copyFiles(from: Storage, to: Storage, path: string): Promise<void> {
  for (const { name, folder } of await from.list(path)) {
    const inner = join(path, name);
    if (folder) await copyFiles(from, to, inner);
    else if (name !== SUCCESS) await to.write(inner, await from.read(inner));
  }
}
