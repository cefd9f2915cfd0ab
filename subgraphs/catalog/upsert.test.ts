import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase } from '../../test/support/database.ts';
import { as, SubgraphUnderTest } from '../../test/support/execute.ts';
import type { Database } from '../kit/database.ts';
import { catalog } from './index.ts';
import { loadCatalog } from './loader.ts';
import { loadShop, productRow, writeBatch } from './testing.ts';

let db: Database;
let shop: SubgraphUnderTest;
beforeAll(async () => {
  db = await createDatabase('catalog');
  await loadShop(db, [productRow('p1'), productRow('p2'), productRow('twin', { sku: 'SKU-p2' })]);
  shop = await SubgraphUnderTest.start(catalog, db);
});
afterAll(() => db?.close());

const UPSERT = `mutation ($products: [ProductInput!]!) { upsertProducts(products: $products) { products {
  id sku name description price { amount currency } category { id } attributes { name value } inStock stock imageUrl } } }`;
const input = (sku: string, more: object = {}) => ({
  sku,
  name: `New ${sku}`,
  description: 'Made by hand.',
  price: 12.5,
  currency: 'JPY',
  categoryId: 'swords',
  stock: 2,
  ...more,
});
const upsert = (...products: object[]) => shop.execute(UPSERT, { products }, as('ops', 'admin'));
const count = async () => (await shop.execute('{ products { totalCount } }')).data.products.totalCount;

describe('upsertProducts', () => {
  it('creates a product, which is then found like any other', async () => {
    const attributes = [{ name: 'steel', value: 'scarlet' }];
    const { data, errors } = await upsert(input('NEW-1', { attributes, imageUrl: 'https://example.com/1.png' }));
    expect(errors).toEqual([]);
    const [created] = data.upsertProducts.products;
    expect(created).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      sku: 'NEW-1',
      name: 'New NEW-1',
      description: 'Made by hand.',
      price: { amount: 12.5, currency: 'JPY' },
      category: { id: 'swords' },
      attributes,
      inStock: true,
      stock: 2,
      imageUrl: 'https://example.com/1.png',
    });
    const found = await shop.execute('{ search(query: "handmade or hand") { edges { node { id } } } }');
    expect(found.data.search.edges).toEqual([{ node: { id: created.id } }]);
  });

  it('replaces by id, and by SKU when there is no id, so that a repeated call makes no second product', async () => {
    const first = (await upsert(input('NEW-2'))).data.upsertProducts.products[0].id;
    const total = await count();
    const again = (await upsert(input('NEW-2', { stock: 0 }))).data.upsertProducts.products[0];
    expect(again).toMatchObject({ id: first, inStock: false });
    const renamed = (await upsert(input('NEW-3', { id: first }))).data.upsertProducts.products[0];
    expect(renamed).toMatchObject({ id: first, sku: 'NEW-3' });
    expect(await count()).toBe(total);
  });

  it('makes one product of the same new SKU sent at the same time', async () => {
    // Several rounds: the first ones may still wait for connections, one after the other.
    for (let round = 0; round < 5; round++) {
      const answers = await Promise.all(Array.from({ length: 8 }, () => upsert(input(`RACE-${round}`))));
      expect(answers.flatMap(({ errors }) => errors)).toEqual([]);
      expect(new Set(answers.map(({ data }) => data.upsertProducts.products[0].id)).size).toBe(1);
    }
  });

  it('answers in the order of the products it was given', async () => {
    const { data } = await upsert(input('Z'), input('SKU-p1', { id: 'p1' }), input('A'));
    expect(data.upsertProducts.products.map(({ sku }: { sku: string }) => sku)).toEqual(['Z', 'SKU-p1', 'A']);
  });

  it('refuses the SKU of another product, but not one that loaded data already shares', async () => {
    expect((await upsert(input('SKU-p1', { id: 'mine' }))).errors).toMatchObject([
      { code: 'CONFLICT', message: expect.stringContaining('SKU-p1') },
    ]);
    expect((await upsert(input('SKU-p2', { id: 'twin' }))).errors).toEqual([]);
  });

  it.each([
    ['an unknown category', input('X', { categoryId: 'nowhere' })],
    ['a negative price', input('X', { price: -0.01 })],
    ['a price beyond all', input('X', { price: 1e300 })],
    ['a currency of no code', input('X', { currency: 'yen' })],
    ['negative stock', input('X', { stock: -1 })],
    ['a script for a picture', input('X', { imageUrl: 'javascript:alert(1)' })],
    ['an attribute twice', input('X', { attributes: Array(2).fill({ name: 'a', value: 'b' }) })],
    ['an empty name', input('X', { name: '' })],
    ['an endless description', input('X', { description: 'x'.repeat(20_001) })],
    ['the same SKU twice', input('FIRST')],
    ['NUL in an attribute', input('X', { attributes: [{ name: 'a', value: '\0' }] })],
  ])('refuses %s, and does nothing of the call', async (_, wrong) => {
    const total = await count();
    const { data, errors } = await upsert(input('FIRST'), wrong);
    expect(data).toBeNull();
    expect(errors).toMatchObject([{ code: 'BAD_USER_INPUT' }]);
    expect(await count()).toBe(total);
  });

  it('keeps an attribute named like a part of JavaScript', async () => {
    const attributes = [{ name: '__proto__', value: 'x' }];
    const { data } = await upsert(input('PROTO', { attributes }));
    expect(data.upsertProducts.products[0].attributes).toEqual(attributes);
    const filter = { attributes };
    const found = await shop.execute('query ($filter: ProductFilter) { products(filter: $filter) { totalCount } }', {
      filter,
    });
    expect(found.data.products.totalCount).toBe(1);
  });

  it('wins over data loaded later', async () => {
    await upsert(input('SKU-p1', { id: 'p1', name: 'Mine' }));
    await loadCatalog(db, ...(await writeBatch('imported', { products: [productRow('p1', { name: 'Theirs' })] })));
    expect((await shop.execute('{ product(id: "p1") { name } }')).data.product.name).toBe('Mine');
  });
});
