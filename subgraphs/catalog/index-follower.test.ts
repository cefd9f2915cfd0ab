import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { ChromaServer } from '../../test/support/chroma.ts';
import { createDatabase } from '../../test/support/database.ts';
import { as, SubgraphUnderTest } from '../../test/support/execute.ts';
import type { Database } from '../kit/database.ts';
import { createLogger } from '../kit/log.ts';
import { catalog } from './index.ts';
import { IndexFollower } from './index-follower.ts';
import { ProductIndex } from './product-index.ts';
import { loadShop, productRow } from './testing.ts';

let chroma: ChromaServer;
let database: Database;
beforeAll(async () => {
  chroma = await ChromaServer.start();
  database = await createDatabase('catalog');
  await loadShop(database, [productRow('p1')]);
});
afterAll(async () => {
  await database?.close();
  await chroma?.stop();
});

/** Asks until the answer is as wanted. @returns how long that took, ms */
async function until(wanted: () => Promise<boolean>, ms = 10_000): Promise<number> {
  const start = performance.now();
  while (!(await wanted())) {
    if (performance.now() - start > ms) throw new Error(`not within ${ms} ms`);
    await sleep(20);
  }
  return performance.now() - start;
}

it('a product that was saved is found by its meaning within two seconds', async () => {
  const shop = await SubgraphUnderTest.start(catalog, database, { CHROMA_URL: chroma.url });
  const found = async (query: string): Promise<string[]> => {
    const { data } = await shop.execute('query ($query: String!) { search(query: $query) { edges { node { id } } } }', {
      query,
    });
    return data.search.edges.map(({ node }: { node: { id: string } }) => node.id);
  };
  const product = {
    ...{ id: 'tabi', sku: 'T', name: 'Split-toe boots', description: 'Warm footwear for winter.', price: 5 },
    ...{ currency: 'JPY', categoryId: 'care', stock: 1 },
  };
  const save = 'mutation ($p: ProductInput!) { upsertProducts(products: [$p]) { products { id } } }';
  // The first time also loads the embedder.
  await until(async () => (await found('something called product'))[0] === 'p1');
  expect((await shop.execute(save, { p: product }, as('admin', 'admin'))).errors).toEqual([]);
  expect(await until(async () => (await found('shoes against the cold')).includes('tabi'))).toBeLessThan(2_000);
  await database.query("DELETE FROM catalog.products WHERE id = 'tabi'");
  expect(await found('shoes against the cold')).toEqual([]);
  await shop.stop();
});

it('waits while Chroma is away, says so once, and catches up', async () => {
  const log = createLogger('test', 'silent');
  const warn = vi.spyOn(log, 'warn');
  await chroma.kill();
  const index = new ProductIndex(database, chroma.url, '.embedder', 1);
  const follower = new IndexFollower(database, index, log);
  await sleep(1_500);
  await database.query("UPDATE catalog.products SET name = 'Paper lantern' WHERE id = 'p1'");
  await chroma.again();
  const vectors = await index.vectors();
  const lantern = await (await index.embedder()).one('Paper lantern');
  await until(async () => {
    const [nearest] = await vectors.nearest(lantern, 1).catch(() => []);
    return nearest?.id === 'p1' && nearest.similarity > 0.6;
  });
  expect(warn).toHaveBeenCalledTimes(1);
  await follower.stop();
});

it('stops at once, also when nothing that it needs is there', async () => {
  const other = await createDatabase('catalog');
  const follower = new IndexFollower(
    other,
    new ProductIndex(other, 'http://127.0.0.1:1', '/nowhere', 1),
    createLogger('test', 'silent'),
  );
  await sleep(100);
  const start = performance.now();
  await follower.stop();
  expect(performance.now() - start).toBeLessThan(500);
  await other.close();
});
