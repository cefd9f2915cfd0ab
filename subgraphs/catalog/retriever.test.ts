import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ChromaServer } from '../../test/support/chroma.ts';
import { createDatabase } from '../../test/support/database.ts';
import { SubgraphUnderTest } from '../../test/support/execute.ts';
import { loadConfig } from '../kit/config.ts';
import type { Database } from '../kit/database.ts';
import { createLogger } from '../kit/log.ts';
import { catalog } from './index.ts';
import { indexCatalog } from './indexer.ts';
import type { ProductFilter } from './model.ts';
import { ProductIndex } from './product-index.ts';
import { Retriever } from './retriever.ts';
import { CatalogStore } from './store.ts';
import { Synonyms } from './synonyms.ts';
import { loadShop, productRow } from './testing.ts';

let chroma: ChromaServer;
let database: Database;
let index: ProductIndex;
let retriever: Retriever;
const log = createLogger('test', 'silent');
const warn = vi.spyOn(log, 'warn');

const PRODUCTS = [
  productRow('katana', {
    name: 'Akane Flame Katana',
    description: 'A sharp sword for the flame style.',
    price: 400,
    attributes: [['breathing style', 'Flame']],
  }),
  productRow('water', {
    name: 'Nagare Water Katana',
    description: 'A blunt sword for display.',
    price: 300,
    attributes: [['breathing style', 'Water']],
  }),
  productRow('oil', {
    name: 'Camellia oil',
    description: 'Protects steel from rust.',
    category_id: 'care',
    price: 14,
    stock: 0,
  }),
  productRow('stone', {
    name: 'Whetstone, grit 1000',
    description: 'Brings back a dull edge.',
    category_id: 'care',
    price: 50,
  }),
  productRow('shoes', { name: 'Straw sandals', description: 'Light footwear.', category_id: 'care', price: 20 }),
];
const filter = (given: Partial<ProductFilter>): ProductFilter => ({ attributes: new Map(), ...given });

beforeAll(async () => {
  chroma = await ChromaServer.start();
  database = await createDatabase('catalog');
  await loadShop(database, PRODUCTS);
  index = new ProductIndex(database, chroma.url, loadConfig().EMBEDDER_DIR ?? '.embedder', 1);
  await indexCatalog(database, await index.vectors(), await index.embedder());
});
afterAll(async () => {
  await database?.close();
  await chroma?.stop();
});
beforeEach(() => {
  retriever = new Retriever(database, index, log);
  warn.mockClear();
});

const ids = async (text: string, given?: ProductFilter, options = {}) =>
  (await retriever.find(text, given, options)).map(({ productId }) => productId);

describe('finding products for a question', () => {
  it('finds by words and by meaning, and says by which', async () => {
    const [first, ...rest] = await retriever.find('which katana suits the flame style?');
    expect(first).toMatchObject({ productId: 'katana', lexicalRank: 1, denseRank: 1 });
    expect(first?.similarity).toBeGreaterThan(0.5);
    expect(rest.map(({ productId }) => productId).toSorted()).toEqual(['oil', 'shoes', 'stone', 'water']);
    const [meant] = await retriever.find('my blade has become blunt, how can I sharpen it');
    expect((await retriever.find('something to put on my feet'))[0]).toMatchObject({
      productId: 'shoes',
      lexicalRank: null,
    });
    expect(meant?.denseRank).not.toBeNull();
  });

  it('keeps to the filter in both halves, whatever it is by', async () => {
    expect(await ids('katana', filter({ maxPrice: 350 }))).toEqual(
      expect.arrayContaining(['water', 'oil', 'stone', 'shoes']),
    );
    expect(await ids('katana', filter({ maxPrice: 350 }))).not.toContain('katana');
    expect(await ids('rust', filter({ inStock: true }))).not.toContain('oil');
    expect((await ids('sword', filter({ categoryId: 'weapons' }))).toSorted()).toEqual(['katana', 'water']);
    expect(await ids('sword', filter({ attributes: new Map([['breathing style', ['Water', 'Mist']]]) }))).toEqual([
      'water',
    ]);
    expect(await ids('sword', filter({ categoryId: 'nowhere' }))).toEqual([]);
    expect(await ids('sword', undefined, { limit: 2 })).toHaveLength(2);
  });

  it('finds nothing by words for a text without any, and is no trap for signs', async () => {
    for (const text of [
      '',
      'a\0b \ud800',
      'sword katana oil '.repeat(5_000),
      '???',
      "it's \\ 'quoted' & | ! :*",
      'the of and',
      '日本刀',
      '🗡️',
    ]) {
      const hits = await retriever.find(text);
      expect(hits.length).toBeLessThanOrEqual(5);
    }
  });

  it('never names a product that is gone or no longer passes, though the index still has it', async () => {
    const other = await createDatabase('catalog');
    await loadShop(other, PRODUCTS);
    const theirs = new ProductIndex(other, chroma.url, '.embedder', 1);
    await indexCatalog(other, await theirs.vectors(), await theirs.embedder());
    await other.query("DELETE FROM catalog.products WHERE id = 'katana'");
    await other.query("UPDATE catalog.products SET price = 1000 WHERE id = 'water'");
    await other.query(
      "INSERT INTO catalog.products SELECT 'new', 'N', 'New katana', '', 10, 'JPY', 'swords', '{}', 1, NULL, now(), 'api'",
    );
    const found = await new Retriever(other, theirs, log).find('katana', filter({ maxPrice: 500 }), { required: true });
    expect(found.map(({ productId }) => productId).toSorted()).toEqual(['new', 'oil', 'shoes', 'stone']);
    await other.close();
  });

  it('is cancelled by its signal', async () => {
    await expect(ids('katana', undefined, { signal: AbortSignal.abort(new Error('left')) })).rejects.toThrow('left');
  });
});

describe('synonyms', () => {
  const synonyms = new Synonyms(['shoes, zori => sandals', 'katana => sword', 'sabre => rapier']);
  const reworded = (text: string) => new Retriever(database, index, log, synonyms).reworded(text);

  it("are the shop's words where it has none of the shoppers'", async () => {
    expect(await reworded('Zori, and a pair of SHOES')).toBe('sandals, and a pair of sandals');
    // The shop has a katana, and no rapier.
    expect(await reworded('a katana or a sabre')).toBe('a katana or a sabre');
  });

  it('find what is called so, for questions and in the search', async () => {
    const wordy = new Retriever(database, null, log, synonyms);
    expect(await retriever.search(new CatalogStore(database), 'zori', filter({})).then((list) => list.count())).toBe(0);
    expect((await wordy.find(await wordy.reworded('zori')))[0]).toMatchObject({ productId: 'shoes', lexicalRank: 1 });
    const listed = await wordy.search(new CatalogStore(database), 'zori', filter({}));
    expect((await listed.page(null, 10)).map(({ product }) => product.id)).toEqual(['shoes']);
  });
});

describe('without vectors', () => {
  it('a question is answered by words alone, unless vectors are required', async () => {
    const alone = new Retriever(database, null, log);
    expect((await alone.find('flame sword'))[0]).toMatchObject({ productId: 'katana', denseRank: null });
    await expect(alone.find('flame', undefined, { required: true })).rejects.toMatchObject({
      code: 'VECTORS_UNAVAILABLE',
    });
    expect(warn).not.toHaveBeenCalled();
  });

  it('says once that Chroma is away, and goes on by words alone', async () => {
    const away = new Retriever(database, new ProductIndex(database, 'http://127.0.0.1:1', '.embedder', 1), log);
    for (let n = 0; n < 3; n++) expect((await away.find('flame sword'))[0]).toMatchObject({ productId: 'katana' });
    expect(warn).toHaveBeenCalledTimes(1);
    await expect(away.find('flame', undefined, { required: true })).rejects.toMatchObject({
      code: 'VECTORS_UNAVAILABLE',
    });
  });
});

it('does not wait for a Chroma that has stopped answering more than once, and comes back to it', async () => {
  const search = () => retriever.search(new CatalogStore(database), 'katana', filter({}));
  await search();
  await chroma.kill('SIGSTOP');
  const times: number[] = [];
  for (let n = 0; n < 3; n++) {
    const start = performance.now();
    expect((await search()).order).toBe('RANK');
    times.push(performance.now() - start);
  }
  await chroma.kill('SIGCONT');
  expect(times[0]).toBeLessThan(4_000);
  expect(Math.max(...times.slice(1))).toBeLessThan(500);
  await vi.waitFor(async () => expect((await search()).order).toBe('FUSED'), { timeout: 8_000, interval: 200 });
});

describe('search with vectors', () => {
  const store = () => new CatalogStore(database);
  const search = async (query: string, given = filter({}), after?: string) =>
    retriever.search(store(), query, given, { after });
  const found = async (query: string, given?: ProductFilter) =>
    (await (await search(query, given)).page(null, 100)).map(({ product }) => product.id);

  it('lists what has all the words first, then what means nearly the same', async () => {
    const list = await found('katana');
    expect(list.slice(0, 2).toSorted()).toEqual(['katana', 'water']);
    expect(await found('footwear for walking')).toEqual(['shoes']);
    expect((await found('rust protection'))[0]).toBe('oil');
    expect(await (await search('footwear for walking')).count()).toBe(1);
  });

  it('lists nothing for what the shop has nothing of', async () => {
    for (const query of ['laptop charger', 'pizza', 'car insurance', 'how do I reset my password'])
      expect(await found(query)).toEqual([]);
  });

  it('keeps to the filter, and to words alone when the query is precise', async () => {
    expect(await found('footwear', filter({ maxPrice: 10 }))).toEqual([]);
    expect(await found('"straw footwear"')).toEqual([]);
    expect(await found('katana -water')).toEqual(['katana']);
    expect((await search('katana -water')).order).toBe('RANK');
  });
});

describe('the search of the subgraph', () => {
  it('pages through a fused list, and does not mix it with one by words alone when Chroma goes away', async () => {
    const shop = await SubgraphUnderTest.start(catalog, database, { CHROMA_URL: chroma.url });
    const page = async (after?: string) => {
      const source = `query ($after: String) { search(query: "sword", first: 1, after: $after) {
        totalCount edges { cursor node { id } } pageInfo { hasNextPage endCursor } } }`;
      return shop.execute(source, { after });
    };
    const first = (await page()).data.search;
    const seen = [first.edges[0].node.id];
    for (let next = first; next.pageInfo.hasNextPage; ) {
      next = (await page(next.pageInfo.endCursor)).data.search;
      seen.push(next.edges[0].node.id);
    }
    expect(seen).toHaveLength(first.totalCount);
    expect(new Set(seen).size).toBe(first.totalCount);
    await chroma.kill('SIGKILL');
    expect((await page(first.pageInfo.endCursor)).errors).toMatchObject([{ code: 'VECTORS_UNAVAILABLE' }]);
    const alone = await page();
    expect(alone.errors).toEqual([]);
    expect(alone.data.search.totalCount).toBe(2);
    await chroma.again();
    const next = await page(alone.data.search.pageInfo.endCursor);
    expect(next.data.search.edges).toHaveLength(1);
    expect(next.data.search.pageInfo.hasNextPage).toBe(false);
    await shop.stop();
  });
});
