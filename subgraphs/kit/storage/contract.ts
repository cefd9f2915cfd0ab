import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { double, int, string, toParquet } from '../../catalog/parquet-writer.ts';
import { readParquet } from '../parquet.ts';
import type { Storage } from './storage.ts';

/**
 * What every storage must do. The end-to-end tests of services run it against real HDFS and S3.
 * @param open a storage whose root is empty or not there
 */
export function storageContract(name: string, open: () => Storage | Promise<Storage>): void {
  describe(`a storage: ${name}`, () => {
    let storage: Storage;
    beforeAll(async () => {
      storage = await open();
    });
    afterAll(() => storage?.remove(''));

    const text = async (path: string) => Buffer.from(await storage.read(path)).toString();
    const rowsOf = async (folder: string) => {
      const rows: object[] = [];
      for await (const row of readParquet(storage, folder)) rows.push(row);
      return rows;
    };
    const names = async (path: string) => (await storage.list(path)).map((entry) => entry.name);

    it('has nothing where nothing was written, its root included', async () => {
      expect(await storage.list('')).toEqual([]);
      expect(await storage.list('nowhere/deep')).toEqual([]);
      expect(await storage.exists('nowhere')).toBe(false);
      expect(await storage.committed('nowhere')).toBe(false);
      await storage.remove('nowhere/deep');
      await expect(storage.read('nowhere')).rejects.toMatchObject({ code: 'LAKE_UNREADABLE' });
    });

    it('gives back what was written, with the folders above it', async () => {
      const bytes = randomBytes(100_000);
      await storage.write('files/deep/er/bytes.bin', bytes);
      await storage.write('files/text.json', '{"stück":1}\n');
      await storage.write('files/empty', '');
      expect(Buffer.from(await storage.read('files/deep/er/bytes.bin')).equals(bytes)).toBe(true);
      expect(await text('files/text.json')).toBe('{"stück":1}\n');
      expect(await text('files/empty')).toBe('');
      for (const path of ['', 'files', 'files/deep', 'files/deep/er', 'files/empty'])
        expect(await storage.exists(path), path).toBe(true);
      for (const path of ['file', 'files/dee', 'files/text.json/below', 'files/deep/er/bytes'])
        expect(await storage.exists(path), path).toBe(false);
    });

    it('lists files and folders by name, with sizes', async () => {
      for (const path of ['b', 'B', 'a/x', 'a-b', 'ä', 'a.b/y/z']) await storage.write(`listed/${path}`, path);
      expect(await storage.list('listed')).toEqual([
        { name: 'B', folder: false, size: 1 },
        { name: 'a', folder: true, size: 0 },
        { name: 'a-b', folder: false, size: 3 },
        { name: 'a.b', folder: true, size: 0 },
        { name: 'b', folder: false, size: 1 },
        { name: 'ä', folder: false, size: 2 },
      ]);
      expect(await storage.list('listed/b')).toEqual([]);
    });

    it('lists more than fits into one answer of S3', async () => {
      const wanted = Array.from({ length: 1_010 }, (_, n) => `f${String(n).padStart(4, '0')}`);
      for (let at = 0; at < wanted.length; at += 32)
        await Promise.all(wanted.slice(at, at + 32).map((file) => storage.write(`many/${file}`, '')));
      expect(await names('many')).toEqual(wanted);
      await storage.remove('many');
      expect(await names('many')).toEqual([]);
    });

    it('reads ranges, cut at the end of the file', async () => {
      await storage.write('ranges', '0123456789');
      const range = async (start: number, end: number) =>
        Buffer.from(await storage.read('ranges', { start, end })).toString();
      expect(await range(0, 10)).toBe('0123456789');
      expect(await range(3, 5)).toBe('34');
      expect(await range(9, 10)).toBe('9');
      expect(await range(7, 99)).toBe('789');
      expect(await range(4, 4)).toBe('');
    });

    it('takes names as they are', async () => {
      const odd = ['date=2026-01-01', 'a b', 'a+b', 'a%20b', 'a&b?c#d', 'ö–木', "it's", 'x;y,z@(1)!*'];
      for (const name of odd) await storage.write(`odd/${name}/${name}`, name);
      expect(await names('odd')).toEqual([...odd].sort());
      for (const name of odd) {
        expect(await names(`odd/${name}`)).toEqual([name]);
        expect(await text(`odd/${name}/${name}`)).toBe(name);
        await storage.remove(`odd/${name}`);
      }
      expect(await names('odd')).toEqual([]);
    });

    it('replaces a file in one step: readers see the old or the new, and nothing else stays', async () => {
      const contents = ['a', 'b'].map((letter) => letter.repeat(300_000));
      await storage.write('replaced/file', contents[0] as string);
      let writing = true;
      const writes = (async () => {
        for (let n = 1; n <= 12; n++) await storage.write('replaced/file', contents[n % 2] as string);
        writing = false;
      })();
      const seen = new Set<string>();
      while (writing) seen.add(await text('replaced/file'));
      await writes;
      expect([...seen].every((content) => contents.includes(content))).toBe(true);
      expect(await text('replaced/file')).toBe(contents[0]);
      expect(await names('replaced')).toEqual(['file']);
    });

    it('removes a folder with all in it and nothing beside it, and a single file', async () => {
      for (const path of ['batch/_SUCCESS', 'batch/t/p=1/part', 'batch/t/p=2/part', 'batch-2/part', 'batch.json'])
        await storage.write(`removed/${path}`, 'x');
      await storage.remove('removed/batch');
      expect(await names('removed')).toEqual(['batch-2', 'batch.json']);
      await storage.remove('removed/batch.json');
      expect(await names('removed')).toEqual(['batch-2']);
    });

    it('takes the mark of a folder away before anything else', async () => {
      const files = Array.from({ length: 40 }, (_, n) => `marked/table/part-${n}`);
      await Promise.all(files.map((file) => storage.write(file, 'x')));
      await storage.write('marked/_SUCCESS', '');
      expect(await storage.committed('marked')).toBe(true);
      let removing = true;
      const removal = storage.remove('marked').finally(() => {
        removing = false;
      });
      while (removing) {
        // Asked in this order: a folder that still has its mark afterwards had all its files before.
        const [table, marked] = [await names('marked/table'), await storage.committed('marked')];
        if (marked) expect(table).toHaveLength(files.length);
      }
      await removal;
      expect(await storage.exists('marked')).toBe(false);
    });

    it('holds Parquet tables, partitioned and not', async () => {
      const table = (rows: object[]) => toParquet([string('id'), int('n')], rows as Record<string, unknown>[]);
      await storage.write('table/day=2026-01-02/part-0.parquet', table([{ id: 'c', n: 3 }]));
      await storage.write('table/day=2026-01-01/part-0.parquet', table([{ id: 'a', n: 1 }]));
      await storage.write('table/day=2026-01-01/part-1.parquet', table([{ id: 'b', n: null }]));
      await storage.write('table/_temporary/part-9.parquet', 'half');
      await storage.write('table/_SUCCESS', '');
      expect(await rowsOf('table')).toEqual([
        { id: 'a', n: 1, day: '2026-01-01' },
        { id: 'b', n: null, day: '2026-01-01' },
        { id: 'c', n: 3, day: '2026-01-02' },
      ]);
      expect(await rowsOf('no-table')).toEqual([]);
      await storage.write('broken/part-0.parquet', 'PAR1 this is not Parquet');
      await expect(rowsOf('broken')).rejects.toMatchObject({ code: 'LAKE_UNREADABLE' });
    });

    it('gives columns of a large Parquet file without reading the whole of it', async () => {
      const rows = Array.from({ length: 300_000 }, (_, n) => ({
        n,
        a: Math.random(),
        b: Math.random(),
        c: Math.random(),
        d: Math.random(),
      }));
      const file = toParquet([int('n'), ...['a', 'b', 'c', 'd'].map(double)], rows);
      expect(file.length).toBeGreaterThan(9_000_000);
      await storage.write('large/part-0.parquet', file);
      const read = vi.spyOn(storage, 'read');
      let sum = 0;
      for await (const row of readParquet<{ n: number }>(storage, 'large', ['n'])) sum += row.n;
      expect(sum).toBe((299_999 * 300_000) / 2);
      const bytes = read.mock.calls.map(([, range]) => (range ? range.end - range.start : file.length));
      expect(bytes.reduce((total, each) => total + each)).toBeLessThan(file.length / 3);
      read.mockRestore();
    });
  });
}
