import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChromaServer } from '../../test/support/chroma.ts';
import { UnknownRecord, Vectors } from './vectors.ts';

let chroma: ChromaServer;
beforeAll(async () => {
  chroma = await ChromaServer.start();
});
afterAll(() => chroma?.stop());

/** A vector of length 1 in a plane, at this angle. */
const at = (degrees: number): Float32Array => {
  const vector = new Float32Array(8);
  vector[0] = Math.cos((degrees * Math.PI) / 180);
  vector[1] = Math.sin((degrees * Math.PI) / 180);
  return vector;
};
const record = (id: string, degrees: number, price = 1) => ({ id, vector: at(degrees), metadata: { price } });
const unavailable = expect.objectContaining({ code: 'VECTORS_UNAVAILABLE' });

describe('vectors', () => {
  it('finds the nearest, with the cosine, among all or some', async () => {
    const vectors = new Vectors(chroma.url, 'nearest');
    const collection = await vectors.open();
    await vectors.upsert(collection, [record('a', 0), record('b', 60, 5), record('c', 90, 5)]);
    const found = await vectors.nearest(at(0), 10);
    expect(found.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
    expect(found.map(({ similarity }) => similarity)).toEqual(
      [1, 0.5, 0].map((cosine) => expect.closeTo(cosine, 5) as number),
    );
    const ids = async (options: object) => (await vectors.nearest(at(0), 10, options)).map(({ id }) => id);
    expect(await ids({ where: { price: { $gte: 2 } } })).toEqual(['b', 'c']);
    expect(await ids({ ids: ['c', 'b'] })).toEqual(['b', 'c']);
    await expect(ids({ ids: ['c', 'unknown'] })).rejects.toBeInstanceOf(UnknownRecord);
    await vectors.describe(collection, [{ id: 'c', metadata: { price: 1 } }]);
    await vectors.remove(collection, ['a', 'unknown']);
    expect(await ids({ where: { price: { $gte: 2 } } })).toEqual(['b']);
    expect(await vectors.count(collection)).toBe(2);
  });

  it('writes more at once than Chroma takes', async () => {
    const vectors = new Vectors(chroma.url, 'many');
    const collection = await vectors.open();
    await vectors.upsert(
      collection,
      Array.from({ length: 6_000 }, (_, n) => record(`p${n}`, n / 100)),
    );
    expect(await vectors.count(collection)).toBe(6_000);
  });

  it('is unavailable until the collection is made, and finds one that another process made again', async () => {
    const [reader, writer] = [new Vectors(chroma.url, 'made'), new Vectors(chroma.url, 'made')];
    await expect(reader.nearest(at(0), 1)).rejects.toEqual(unavailable);
    const first = await writer.open();
    await writer.upsert(first, [record('a', 0)]);
    expect(await reader.nearest(at(0), 1)).toHaveLength(1);
    await writer.drop();
    await writer.drop();
    await expect(writer.upsert(first, [record('a', 0)])).rejects.toEqual(unavailable);
    const second = await writer.open();
    expect(second).not.toBe(first);
    expect(await writer.collections()).toEqual(expect.arrayContaining([second]));
    await writer.upsert(second, [record('b', 0)]);
    expect(await reader.nearest(at(0), 1)).toMatchObject([{ id: 'b' }]);
  });

  it('ends its request when the signal aborts, and rejects with the reason', async () => {
    let closed = () => {};
    const gone = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const silent = createServer((socket) => {
      socket.on('error', () => {}).on('close', closed);
      socket.resume();
    });
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };
    const leaving = new AbortController();
    const asked = new Vectors(`http://127.0.0.1:${port}`, 'any').upsert(
      crypto.randomUUID(),
      [record('a', 0)],
      leaving.signal,
    );
    setTimeout(() => leaving.abort(new Error('left')), 50);
    await expect(asked).rejects.toThrow('left');
    await gone;
    silent.close();
  });

  it('says that it is unavailable, without an address, while the server is away, and works again after', async () => {
    const vectors = new Vectors(chroma.url, 'away');
    const collection = await vectors.open();
    await vectors.upsert(collection, [record('a', 0)]);
    await chroma.kill('SIGKILL');
    const error: Error = await vectors.nearest(at(0), 1).catch((thrown) => thrown);
    expect(error).toEqual(unavailable);
    expect(error.message).not.toMatch(/http|127/);
    await chroma.again();
    expect(await vectors.nearest(at(0), 1)).toHaveLength(1);
  });
});
