import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ChromaServer } from '../../test/support/chroma.ts';
import { createDatabase } from '../../test/support/database.ts';
import { loadConfig } from '../kit/config.ts';
import type { Database } from '../kit/database.ts';
import type { Embedder } from '../kit/embedder.ts';
import { repairIndex } from './index-repair.ts';
import { indexCatalog } from './indexer.ts';
import { ProductIndex } from './product-index.ts';
import { CatalogStore } from './store.ts';
import { loadShop, productRow } from './testing.ts';
import type { Vectors } from './vectors.ts';

let chroma: ChromaServer;
let database: Database;
let embedder: Embedder;
let vectors: Vectors;
const embed = vi.fn();

beforeAll(async () => {
  chroma = await ChromaServer.start();
});
afterAll(() => chroma?.stop());

beforeEach(async () => {
  database = await createDatabase('catalog');
  const index = new ProductIndex(database, chroma.url, loadConfig().EMBEDDER_DIR ?? '.embedder', 1);
  embedder = await index.embedder();
  vectors = await index.vectors();
  embed.mockReset();
  const real = embedder;
  embedder = Object.assign(Object.create(real), {
    embed: (texts: string[], signal?: AbortSignal) => {
      embed(texts.length);
      return real.embed(texts, signal);
    },
  });
  return () => database.close();
});

const shop = (count: number) => Array.from({ length: count }, (_, n) => productRow(`p${n}`, { name: `Sword ${n}` }));
const run = (options = {}) => indexCatalog(database, vectors, embedder, options);
const embeddedTexts = () => embed.mock.calls.reduce((sum, [count]) => sum + count, 0);
const nearest = async (text: string, options = {}) => {
  const found = await vectors.nearest(await embedder.one(text), 3, options);
  return found.map(({ id }) => id);
};

describe('indexing the catalogue', () => {
  it('indexes each product once, and then only what has changed', async () => {
    const products = [
      ...shop(3),
      productRow('oil', { name: 'Camellia oil', description: 'Against rust on blades.', category_id: 'care' }),
    ];
    await loadShop(database, products);
    expect(await run()).toEqual({ indexed: 4, updated: 0, removed: 0, total: 4 });
    expect((await nearest('keeps my blade from rusting'))[0]).toBe('oil');
    expect(await run()).toEqual({ indexed: 0, updated: 0, removed: 0, total: 4 });
    await loadShop(database, products);
    expect(await run()).toMatchObject({ indexed: 0, updated: 0 });

    embed.mockClear();
    await database.query("UPDATE catalog.products SET name = 'Wooden sandals', description = '' WHERE id = 'oil'");
    expect(await run()).toEqual({ indexed: 1, updated: 0, removed: 0, total: 4 });
    expect(embeddedTexts()).toBe(1);
    expect((await nearest('footwear made of wood'))[0]).toBe('oil');
  });

  it('writes a change of price or stock without embedding, and none for what it does not keep', async () => {
    await loadShop(database, shop(3));
    await run();
    embed.mockClear();
    await database.query("UPDATE catalog.products SET price = 99, stock = 0 WHERE id = 'p1'");
    expect(await run()).toEqual({ indexed: 0, updated: 1, removed: 0, total: 3 });
    expect(embeddedTexts()).toBe(0);
    expect(await nearest('sword', { where: { price: { $gte: 50 } } })).toEqual(['p1']);
    expect((await nearest('sword', { where: { inStock: true } })).toSorted()).toEqual(['p0', 'p2']);
    await database.query(
      "UPDATE catalog.products SET image_url = 'https://x.example/y', in_lake = false, stock = 6 WHERE id = 'p2'",
    );
    expect(await run()).toMatchObject({ indexed: 0, updated: 0 });
  });

  it('embeds the products of a renamed category again', async () => {
    await loadShop(database, shop(3));
    await run();
    await database.query("UPDATE catalog.categories SET name = 'Kitchen knives' WHERE id = 'swords'");
    expect(await run()).toEqual({ indexed: 3, updated: 0, removed: 0, total: 3 });
  });

  it('removes what is gone, also when it came back as something else', async () => {
    await loadShop(database, shop(4));
    await run();
    await loadShop(database, shop(2));
    expect(await run()).toEqual({ indexed: 0, updated: 0, removed: 2, total: 2 });
    expect((await nearest('sword')).toSorted()).toEqual(['p0', 'p1']);
    await database.query("DELETE FROM catalog.products WHERE id = 'p0'");
    await new CatalogStore(database).upsert(
      [
        {
          ...{ id: 'p0', sku: 'S', name: 'Umbrella', description: '', price: 1, currency: 'JPY' },
          ...{ categoryId: 'care', attributes: {}, stock: 1, imageUrl: null },
        },
      ],
      () => '',
    );
    expect(await run()).toMatchObject({ indexed: 1, total: 2 });
    expect((await nearest('umbrella'))[0]).toBe('p0');
  });

  it('goes on where it was interrupted', async () => {
    await loadShop(database, shop(200));
    const stop = new AbortController();
    const progress: number[] = [];
    const onProgress = (done: number) => {
      progress.push(done);
      if (done > 0.3) stop.abort(new Error('enough'));
    };
    await expect(run({ signal: stop.signal, onProgress })).rejects.toThrow('enough');
    expect(embeddedTexts()).toBeLessThan(200);
    const rest = await run();
    expect(rest.indexed).toBeGreaterThan(0);
    expect(rest.indexed).toBeLessThan(200);
    expect(embeddedTexts()).toBe(200);
    expect(await vectors.count(await vectors.open())).toBe(200);
    expect(progress[0]).toBe(0);
  });

  it('shares the work between two at once: each product is embedded once', async () => {
    await loadShop(database, shop(300));
    const [one, other] = await Promise.all([run(), run()]);
    expect(one.indexed + other.indexed).toBe(300);
    expect(embeddedTexts()).toBe(300);
    expect(await vectors.count(await vectors.open())).toBe(300);
  });

  it('begins anew when Chroma lost its data, and when told to', async () => {
    await loadShop(database, shop(5));
    await run();
    expect(await run({ full: true })).toMatchObject({ indexed: 5, total: 5 });
    await chroma.kill();
    await chroma.wipe();
    await expect(run()).rejects.toMatchObject({ code: 'VECTORS_UNAVAILABLE' });
    await chroma.again();
    expect(await run()).toMatchObject({ indexed: 5, total: 5 });
    expect(await nearest('sword')).toHaveLength(3);
    const [row] = await database.query<{ rows: number }>('SELECT count(*)::int AS rows FROM catalog.indexed_products');
    expect(row?.rows).toBe(5);
  });

  it('finds out what a crash has left, too much or too little', async () => {
    await loadShop(database, shop(4));
    await run();
    const collection = await vectors.open();
    expect(await repairIndex(database, vectors)).toBe(0);
    await vectors.remove(collection, ['p2']);
    const vector = await embedder.one('stray');
    await vectors.upsert(collection, [{ id: 'stray', vector, metadata: { price: 1 } }]);
    expect(await run()).toMatchObject({ indexed: 0 });
    expect(await repairIndex(database, vectors)).toBe(2);
    expect(await run()).toMatchObject({ indexed: 1, total: 4 });
    expect((await vectors.ids(collection, 10, 0)).toSorted()).toEqual(['p0', 'p1', 'p2', 'p3']);
  });

  it('keeps databases that share a Chroma apart', async () => {
    await loadShop(database, shop(1));
    await run();
    const other = await createDatabase('catalog');
    await loadShop(other, [productRow('only here')]);
    const theirs = await new ProductIndex(other, chroma.url, '.embedder', 1).vectors();
    await indexCatalog(other, theirs, embedder);
    expect(await nearest('product')).toEqual(['p0']);
    await other.close();
  });

  it('indexes what changes last first', async () => {
    await loadShop(database, shop(70));
    await database.query("UPDATE catalog.products SET name = 'Lantern' WHERE id = 'p3'");
    const stop = new AbortController();
    await run({ signal: stop.signal, onProgress: (done: number) => done > 0 && stop.abort() }).catch(() => {});
    expect((await nearest('Lantern'))[0]).toBe('p3');
  });
});
