import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase } from '../../test/support/database.ts';
import { as, SubgraphUnderTest } from '../../test/support/execute.ts';
import type { Database } from '../kit/database.ts';
import { catalog } from './index.ts';
import { loadShop, productRow } from './testing.ts';

let db: Database;
let shop: SubgraphUnderTest;

const day = (n: number) => new Date(Date.UTC(2026, 0, 1) + n * 86_400_000 + 123);

// 100 products: prices and names with repeats, so that every order has equal keys; the newest is p099.
const PRODUCTS = Array.from({ length: 100 }, (_, n) => {
  const id = `p${String(n).padStart(3, '0')}`;
  return productRow(id, {
    name: n % 2 ? `blade ${n % 10}` : `Blade ${n % 10}`,
    price: (n % 7) + 0.1,
    created_at: day(Math.floor(n / 3)),
    category_id: n % 10 === 0 ? 'care' : 'swords',
    stock: n % 5 === 0 ? 0 : 3,
    attributes: [
      ['steel', n % 2 ? 'scarlet' : 'damascus'],
      ['breathing style', ['water', 'flame', 'mist'][n % 3]],
    ],
  });
});
const SPECIAL = [
  productRow('s1', {
    name: 'Nichirin Katana',
    description: 'Swords forged for the water breathing style.',
    created_at: day(-9),
  }),
  productRow('s2', { name: 'Practice Sword', description: 'Wooden. For the dojo.', created_at: day(-9), stock: null }),
  productRow('s3', { name: 'Whetstone', description: 'Keeps swords sharp.', category_id: 'care', created_at: day(-9) }),
  productRow('s4', {
    name: '100% Camellia_Oil',
    description: 'Against rust.',
    category_id: 'care',
    created_at: day(-9),
  }),
];

beforeAll(async () => {
  db = await createDatabase('catalog');
  await loadShop(db, [...PRODUCTS, ...SPECIAL]);
  shop = await SubgraphUnderTest.start(catalog, db);
});
afterAll(() => db?.close());

const PAGE = 'edges { cursor node { id name price { amount } } } pageInfo { hasNextPage hasPreviousPage endCursor }';
const LIST = `query ($first: Int, $after: String, $filter: ProductFilter, $sort: ProductSort) {
  products(first: $first, after: $after, filter: $filter, sort: $sort) { ${PAGE} totalCount } }`;
const SEARCH = `query ($query: String!, $first: Int, $after: String, $filter: ProductFilter) {
  search(query: $query, first: $first, after: $after, filter: $filter) { ${PAGE} totalCount } }`;

interface Node {
  id: string;
  name: string;
  price: { amount: number };
}
const nodes = (connection: { edges: { node: Node }[] }): Node[] => connection.edges.map(({ node }) => node);
const ids = (connection: { edges: { node: Node }[] }): string[] => nodes(connection).map(({ id }) => id);

async function walk(source: string, field: string, variables: Record<string, unknown>): Promise<Node[]> {
  const all: Node[] = [];
  let after: string | null = null;
  do {
    const { data, errors } = await shop.execute(source, { ...variables, after });
    expect(errors).toEqual([]);
    expect(data[field].pageInfo.hasPreviousPage).toBe(after !== null);
    all.push(...nodes(data[field]));
    after = data[field].pageInfo.hasNextPage ? data[field].pageInfo.endCursor : null;
  } while (after !== null);
  return all;
}

describe('products', () => {
  const oldest = (a: Node, b: Node) => {
    const at = (node: Node) => Number([...PRODUCTS, ...SPECIAL].find(({ id }) => id === node.id)?.created_at);
    return at(a) - at(b) || (a.id < b.id ? -1 : 1);
  };
  const byPrice = (a: Node, b: Node) => a.price.amount - b.price.amount || (a.id < b.id ? -1 : 1);
  const byName = (a: Node, b: Node) => {
    const [x, y] = [a.name.toLowerCase(), b.name.toLowerCase()];
    return x === y ? (a.id < b.id ? -1 : 1) : x < y ? -1 : 1;
  };

  it.each([
    ['NEWEST', (a: Node, b: Node) => oldest(b, a)],
    [null, (a: Node, b: Node) => oldest(b, a)],
    ['PRICE_ASC', byPrice],
    ['PRICE_DESC', (a: Node, b: Node) => byPrice(b, a)],
    ['NAME', byName],
  ])('sorted by %s come page by page, each once and in order', async (sort, compare) => {
    const found = await walk(LIST, 'products', { first: 7, sort });
    expect(found).toHaveLength(104);
    expect(found.map(({ id }) => id)).toEqual(found.toSorted(compare).map(({ id }) => id));
  });

  it('are filtered by category with all below it, by price, stock and attributes', async () => {
    const count = async (filter: object) => (await shop.execute(LIST, { filter, first: 100 })).data.products;
    expect((await count({ categoryId: 'weapons' })).totalCount).toBe(92);
    expect((await count({ categoryId: 'care' })).totalCount).toBe(12);
    expect((await count({ categoryId: 'nowhere' })).edges).toEqual([]);
    expect((await count({ minPrice: 3.1, maxPrice: 3.1 })).totalCount).toBe(14);
    expect((await count({ inStock: false })).totalCount).toBe(20);
    // Stock that is not counted can be bought.
    expect(ids(await count({ inStock: true, minPrice: 9 }))).toContain('s2');
    const scarlet = { name: 'steel', value: 'scarlet' };
    expect((await count({ attributes: [scarlet] })).totalCount).toBe(50);
    const style = (value: string) => ({ name: 'breathing style', value });
    expect((await count({ attributes: [scarlet, style('water')] })).totalCount).toBe(17);
    expect((await count({ attributes: [scarlet, style('water'), style('mist')] })).totalCount).toBe(33);
    expect((await count({ attributes: [{ name: 'steel', value: 'scar%' }] })).totalCount).toBe(0);
    const both = await count({ categoryId: 'weapons', maxPrice: 2, inStock: true, attributes: [scarlet] });
    expect(both.totalCount).toBe(both.edges.length);
    expect(both.totalCount).toBeGreaterThan(0);
  });

  it('are counted only when the total is selected', async () => {
    const before = db.statements;
    await shop.execute('{ products { edges { node { id } } } }');
    expect(db.statements - before).toBe(1);
    await shop.execute('{ products { totalCount edges { node { id } } } }');
    expect(db.statements - before).toBe(3);
  });

  it('cost a fixed number of statements, however many there are', async () => {
    const cost = async (first: number) => {
      const before = db.statements;
      const { data, errors } = await shop.execute(
        `query ($first: Int) { products(first: $first) { totalCount edges { node {
           id price { amount } attributes { name value } category { name parent { name } } } } } }`,
        { first },
      );
      expect(errors).toEqual([]);
      expect(data.products.edges).toHaveLength(first);
      return db.statements - before;
    };
    expect(await cost(5)).toBe(4);
    expect(await cost(100)).toBe(4); // the page, the total, the categories, their parents
  });

  it.each([
    [{ first: 0 }, 'first'],
    [{ first: 101 }, 'first'],
    [{ first: -1 }, 'first'],
    [{ after: 'nonsense' }, 'after'],
    [{ after: '' }, 'after'],
    [{ filter: { minPrice: 5, maxPrice: 4 } }, 'minPrice'],
    [{ filter: { attributes: Array(21).fill({ name: 'a', value: 'b' }) } }, 'attributes'],
    [{ filter: { categoryId: 'a\0' } }, 'filter.categoryId'],
    [{ filter: { attributes: [{ name: 'a', value: '\ud800' }] } }, 'filter.attributes[0].value'],
  ])('refuse %j with a coded error', async (variables, about) => {
    const { data, errors } = await shop.execute(LIST, variables);
    expect(data).toBeNull();
    expect(errors).toEqual([{ code: 'BAD_USER_INPUT', path: 'products', message: expect.stringContaining(about) }]);
  });

  const forged = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  it.each([
    ['another list', ['NAME', 'x', 'p001']],
    ['a key of another kind', ['NEWEST', 'yesterday', 'p001']],
    ['a time that does not exist', ['NEWEST', '9'.repeat(30), 'p001']],
    ['NUL in it', ['NEWEST', '0', 'p\0']],
    ['no id', ['NEWEST', '0']],
    ['an object', { key: '0' }],
  ])('refuse a forged cursor: %s', async (_, value) => {
    const { errors } = await shop.execute(LIST, { after: forged(value), sort: 'NEWEST' });
    expect(errors).toMatchObject([{ code: 'BAD_USER_INPUT' }]);
  });

  it.each([
    ['NEWEST', '99999999999999'],
    ['NEWEST', '-99999999999999'],
    ['PRICE_ASC', '9'.repeat(400)],
    ['NAME', '\u{10ffff}'.repeat(100)],
  ])('survive a cursor at the edge of what %s can have', async (sort, key) => {
    const { errors } = await shop.execute(LIST, { after: forged([sort, key, 'x']), sort });
    expect(errors).toEqual([]);
  });

  it('take prices at the edge of what a Float can be', async () => {
    const { data, errors } = await shop.execute(LIST, { filter: { minPrice: -1.7e308, maxPrice: 1.7e308 } });
    expect(errors).toEqual([]);
    expect(data.products.totalCount).toBe(104);
  });
});

describe('product', () => {
  it('is found by id with all its fields', async () => {
    const { data, errors } = await shop.execute(`{ product(id: "p001") {
      id sku name description price { amount currency } category { id name } attributes { name value } inStock imageUrl } }`);
    expect(errors).toEqual([]);
    expect(data.product).toEqual({
      id: 'p001',
      sku: 'SKU-p001',
      name: 'blade 1',
      description: '',
      price: { amount: 1.1, currency: 'JPY' },
      category: { id: 'swords', name: 'Swords' },
      attributes: [
        { name: 'breathing style', value: 'flame' },
        { name: 'steel', value: 'scarlet' },
      ],
      inStock: true,
      imageUrl: null,
    });
  });

  it('is null for an unknown or a huge id, and refused for one that no text can be', async () => {
    const query = 'query ($id: ID!) { product(id: $id) { id } }';
    for (const id of ['nothing', '', '%', 'x'.repeat(1_000_000)])
      expect(await shop.execute(query, { id })).toEqual({ data: { product: null }, errors: [] });
    for (const id of ['\0', 'a\udfff'])
      expect((await shop.execute(query, { id })).errors).toMatchObject([{ code: 'BAD_USER_INPUT' }]);
  });

  it('shows its stock to admins only, as the schema declares', () => {
    expect(shop.sdl).toMatch(/stock: Int @requiresScopes\(scopes: \[\["admin"\]\]\)/);
    expect(shop.sdl).toMatch(
      /upsertProducts\([^)]*\): UpsertProductsPayload! @requiresScopes\(scopes: \[\["admin"\]\]\)/,
    );
    expect(shop.sdl).toMatch(/user\([^)]*\): User @requiresScopes\(scopes: \[\["support"\], \["admin"\]\]\)/);
  });
});

describe('search', () => {
  const search = async (query: string, more: object = {}) => {
    const { data, errors } = await shop.execute(SEARCH, { query, first: 100, ...more });
    expect(errors).toEqual([]);
    expect(Math.min(data.search.totalCount, 100)).toBe(data.search.edges.length);
    return ids(data.search);
  };

  it('finds words in any form, the name before the description', async () => {
    const found = await search('sword');
    expect(found[0]).toBe('s2');
    expect(found.toSorted()).toEqual(['s1', 's2', 's3']);
    expect((await search('SWORDS')).toSorted()).toEqual(['s1', 's2', 's3']);
  });

  it('needs all words, and takes the last one as begun', async () => {
    expect(await search('nichirin wat')).toEqual(['s1']);
    expect(await search('nich')).toEqual(['s1']);
    expect(await search('nichirin whetstone')).toEqual([]);
    expect(await search('whetstone zzz')).toEqual([]);
  });

  it('understands phrases, or and not', async () => {
    expect(await search('"water breathing"')).toEqual(['s1']);
    expect(await search('"breathing water"')).toEqual([]);
    expect((await search('wooden or rust')).toSorted()).toEqual(['s2', 's4']);
    expect((await search('swords -sharp')).toSorted()).toEqual(['s1', 's2']);
  });

  it('finds by SKU and by attribute, within a filter', async () => {
    expect(await search('SKU-s3')).toEqual(['s3']);
    expect(await search('scarlet')).toHaveLength(50);
    expect(await search('scarlet', { filter: { maxPrice: 1 } })).toHaveLength(7);
    expect(await search('sword', { filter: { categoryId: 'care' } })).toEqual(['s3']);
  });

  it.each([
    '%',
    '_',
    "'",
    '\\',
    '!!!',
    ':*',
    '&|',
    '<->',
    '"',
    '((',
    '-',
    'or',
    "a' | b",
    '🗡️',
    'the',
    '日輪刀',
    '-x:*',
  ])('takes %j for a text, never for syntax that breaks it', async (query) => {
    expect((await search(query)).length).toBeLessThanOrEqual(100);
  });

  it('pages through equal ranks without repeats or gaps', async () => {
    const found = await walk(SEARCH, 'search', { query: 'blade', first: 9 });
    expect(new Set(found.map(({ id }) => id)).size).toBe(100);
    expect(found).toHaveLength(100);
  });

  it.each(['', '   ', 'x'.repeat(501), 'a\0', '\ud800'])('refuses the query %j', async (query) => {
    expect((await shop.execute(SEARCH, { query })).errors).toMatchObject([{ code: 'BAD_USER_INPUT' }]);
  });
});

describe('categories', () => {
  it('come by name, with parents and products in two statements more', async () => {
    const before = db.statements;
    const { data, errors } = await shop.execute(
      '{ categories { id parent { id } products(first: 2) { totalCount edges { node { id } } pageInfo { endCursor hasNextPage } } } }',
    );
    expect(errors).toEqual([]);
    expect(db.statements - before).toBe(4); // categories, parents, products, totals
    expect(data.categories.map(({ id }: { id: string }) => id)).toEqual(['care', 'swords', 'weapons']);
    const [care, swords, weapons] = data.categories;
    expect(swords.parent).toEqual({ id: 'weapons' });
    expect(weapons.parent).toBeNull();
    expect(care.products.totalCount).toBe(12);
    expect(ids(weapons.products)).toEqual(['p099', 'p098']);
    expect(weapons.products).toEqual(swords.products);
  });

  it('page through their products', async () => {
    const query = `query ($after: String) { _entities(representations: [{ __typename: "Category", id: "care" }]) {
      ... on Category { products(first: 5, after: $after) { edges { node { id } } pageInfo { endCursor } } } } }`;
    const first = (await shop.execute(query)).data._entities[0].products;
    const second = (await shop.execute(query, { after: first.pageInfo.endCursor })).data._entities[0].products;
    expect(ids(first)).toEqual(['p090', 'p080', 'p070', 'p060', 'p050']);
    expect(ids(second)).toEqual(['p040', 'p030', 'p020', 'p010', 'p000']);
  });

  it('end a cycle in the data', async () => {
    const looped = await createDatabase('catalog');
    await loadShop(looped, [productRow('p1')]);
    await looped.query("UPDATE catalog.categories SET parent_id = 'swords' WHERE id = 'weapons'");
    const other = await SubgraphUnderTest.start(catalog, looped);
    const { data } = await other.execute('{ products(filter: { categoryId: "swords" }) { totalCount } }');
    expect(data.products.totalCount).toBe(1);
    await looped.close();
  });
});

describe('users', () => {
  const ME = '{ me { id name recentlyViewed(first: 2) { id } } }';

  it('are nobody when signed out, and whoever signed in, known by name or not', async () => {
    expect((await shop.execute(ME)).data.me).toBeNull();
    expect((await shop.execute(ME, {}, as('u1', 'customer'))).data.me).toEqual({
      id: 'u1',
      name: 'Kanao',
      recentlyViewed: [],
    });
    expect((await shop.execute('{ me { id name } }', {}, as('ops', 'admin'))).data.me).toEqual({
      id: 'ops',
      name: 'ops',
    });
  });

  it('are looked up by id', async () => {
    const query = 'query ($id: ID!) { user(id: $id) { id name } }';
    const support = as('s', 'support');
    expect((await shop.execute(query, { id: 'u2' }, support)).data.user).toEqual({ id: 'u2', name: 'Aoi' });
    expect(await shop.execute(query, { id: 'u3' }, support)).toEqual({ data: { user: null }, errors: [] });
  });

  it('have the products they viewed last, each once, in one statement for all', async () => {
    const view = (id: string, productId: string, minutes: number) => ({
      clientEventId: id,
      productId,
      type: 'VIEW',
      occurredAt: new Date(Date.now() - minutes * 60_000).toISOString(),
    });
    const track = 'mutation ($events: [EventInput!]!) { trackEvents(events: $events) { accepted } }';
    const events = [view('a', 'p001', 9), view('b', 'p002', 8), view('c', 'p001', 7), view('d', 'p003', 10)];
    await shop.execute(
      track,
      { events: [...events, { clientEventId: 'e', productId: 'p009', type: 'PURCHASE' }] },
      as('u1', 'customer'),
    );
    await shop.execute(track, { events: [view('a', 'p004', 1)] }, as('u2', 'customer'));
    const before = db.statements;
    const { data } = await shop.entities('User', ['u1', 'u2', 'u3'], '{ recentlyViewed(first: 2) { id } }');
    expect(db.statements - before).toBe(1);
    const viewed = data._entities.map((user: { recentlyViewed: { id: string }[] }) =>
      user.recentlyViewed.map((p) => p.id),
    );
    expect(viewed).toEqual([['p001', 'p002'], ['p004'], []]);
    expect((await shop.execute('{ me { recentlyViewed(first: 0) { id } } }', {}, as('u1'))).errors).toMatchObject([
      { code: 'BAD_USER_INPUT', path: 'me.recentlyViewed' },
    ]);
  });
});

describe('entities', () => {
  it('of a list are found in one statement, unknown ones are null', async () => {
    const before = db.statements;
    const wanted = ['p001', 'none', 'p002', 'p001', 'bad\0', '\ud800'];
    const { data, errors } = await shop.entities('Product', wanted, '{ id }');
    expect(errors).toEqual([]);
    expect(data._entities).toEqual([{ id: 'p001' }, null, { id: 'p002' }, { id: 'p001' }, null, null]);
    expect(db.statements - before).toBe(1);
    expect((await shop.entities('Category', ['care', 'none'], '{ name }')).data._entities).toEqual([
      { name: 'Care' },
      null,
    ]);
    expect((await shop.entities('User', ['u2', 'ops'], '{ name }')).data._entities).toEqual([
      { name: 'Aoi' },
      { name: 'ops' },
    ]);
  });
});
