import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { graphql } from 'graphql';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDatabase } from '../../test/support/database.ts';
import { type Answer, SubgraphUnderTest } from '../../test/support/execute.ts';
import { loadCatalog } from '../catalog/loader.ts';
import { double, int, string, timestamp, toParquet } from '../catalog/parquet-writer.ts';
import { CatalogStore } from '../catalog/store.ts';
import { productRow, writeBatch } from '../catalog/testing.ts';
import type { Database } from '../kit/database.ts';
import type { FederatedSchema } from '../kit/federation.ts';
import type { Served } from '../kit/production-model.ts';
import type { ModelVersion } from '../kit/registry.ts';
import { LocalStorage } from '../kit/storage/local.ts';
import type { Storage } from '../kit/storage/storage.ts';
import { createContext } from './context.ts';
import { recommendation } from './index.ts';
import { loadHistories } from './loader.ts';
import { Ranker } from './ranker.ts';
import { Recommender } from './recommender.ts';
import { RecommendationStore, typicalUser } from './store.ts';

const BUNDLE = path.join(import.meta.dirname, '../../ml/recommender/golden/bundle');
const PRODUCTS = Array.from({ length: 48 }, (_, n) => `p${String(n).padStart(2, '0')}`);
// The model's categories are c0 to c3; here c1 and c2 are below "blades", which it has never heard of.
const SHELVES = [
  { id: 'blades', name: 'Blades', parent_id: null },
  { id: 'c0', name: 'Cords', parent_id: null },
  { id: 'c1', name: 'Swords', parent_id: 'blades' },
  { id: 'c2', name: 'Daggers', parent_id: 'blades' },
  { id: 'c3', name: 'Care', parent_id: null },
];
const at = (day: number) => new Date(Date.UTC(2026, 0, day));

interface HistoryRow {
  user: string;
  product: string;
  purchases?: number;
  day?: number | null;
}
const HISTORIES: HistoryRow[] = [
  { user: 'u1', product: 'p01', day: 3 },
  { user: 'u1', product: 'p05', day: 9, purchases: 1 },
  { user: 'u1', product: 'p11', day: 12 },
  { user: 'u2', product: 'p01', day: 20, purchases: 2 },
  { user: 'u2', product: 'p30', day: 21 },
  { user: 'u3', product: 'p30', day: null },
  { user: 'stranger', product: 'new', day: 5 },
];

let folder: string;
let datasets: Storage;
let db: Database;
let ranker: Ranker;
let federated: FederatedSchema;
/** What is in production. */
let production: Served<Ranker> | null;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'hashira-recommendation-'));
  datasets = new LocalStorage(folder);
  db = await createDatabase('catalog', 'recommendation');
  const products = [...PRODUCTS, 'new'].map((id, n) =>
    productRow(id, { category_id: id === 'new' ? 'c3' : `c${n % 4}` }),
  );
  await loadCatalog(db, ...(await writeBatch('generated', { categories: SHELVES, products, users: [] })));
  ranker = await Ranker.load(BUNDLE);
  federated = await recommendation.schema();
});
afterAll(async () => {
  await ranker?.dispose();
  await db?.close();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  production = { model: ranker, version: { name: 'recommender', version: 4 } as ModelVersion };
  await db.query('DELETE FROM catalog.events');
  await loadHistories(db, datasets, await writeDataset('v1', HISTORIES));
});

async function writeDataset(dataVersion: string, rows: HistoryRow[], complete = true): Promise<string> {
  const columns = [
    ...['user_id', 'product_id'].map(string),
    ...['views', 'carts', 'purchases'].map(int),
    double('weight'),
    timestamp('last_at'),
  ];
  const table = rows.map(({ user, product, purchases = 0, day = null }) => ({
    user_id: user,
    product_id: product,
    views: 1,
    carts: 0,
    purchases,
    weight: Math.log1p(1 + 8 * purchases),
    last_at: day === null ? null : at(day),
  }));
  await datasets.write(`${dataVersion}/histories/part-0.parquet`, toParquet(columns, table));
  await datasets.write(`${dataVersion}/manifest.json`, JSON.stringify({ dataVersion }));
  if (complete) await datasets.write(`${dataVersion}/_SUCCESS`, '');
  return dataVersion;
}

/** Asks as one request to the subgraph. */
async function ask(source: string, variableValues: Record<string, unknown> = {}): Promise<Answer> {
  const models = {
    current: () => production,
    use: async <R>(work: (model: Ranker, version: ModelVersion) => Promise<R> | R) => {
      const { model, version } = production as Served<Ranker>;
      return work(model, version);
    },
  };
  const contextValue = createContext(new Recommender(new RecommendationStore(db), models));
  const { data, errors } = await graphql({ schema: federated.schema, source, variableValues, contextValue });
  return {
    data,
    errors: (errors ?? []).map(({ extensions, message, path: at }) => ({
      code: extensions.code,
      message,
      path: (at ?? []).join('.'),
    })),
  };
}

const LIST = `edges { cursor node { rank score reason product { id } } } pageInfo { hasNextPage hasPreviousPage endCursor }
  model { name version }`;

interface Node {
  rank: number;
  score: number;
  reason: string;
  product: { id: string };
}

interface List {
  nodes: Node[];
  ids: string[];
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; endCursor: string | null };
  model: { name: string; version: number } | null;
}

async function recommendations(user: string, args = 'first: 10'): Promise<List> {
  const { data, errors } = await ask(
    `query ($users: [_Any!]!) { _entities(representations: $users) { ... on User { recommendations(${args}) { ${LIST} } } } }`,
    { users: [{ __typename: 'User', id: user }] },
  );
  expect(errors).toEqual([]);
  const list = data._entities[0].recommendations;
  const nodes: Node[] = list.edges.map(({ node }: { node: Node }) => node);
  return { ...list, nodes, ids: nodes.map(({ product }) => product.id) };
}

async function similar(ids: string[], first = 5): Promise<Node[][]> {
  const { data, errors } = await ask(
    `query ($products: [_Any!]!) { _entities(representations: $products) {
       ... on Product { similar(first: ${first}) { rank score reason product { id } } } } }`,
    { products: ids.map((id) => ({ __typename: 'Product', id })) },
  );
  expect(errors).toEqual([]);
  return data._entities.map((entity: { similar: Node[] }) => entity.similar);
}

const popular = async (args: string): Promise<Node[]> => {
  const { data, errors } = await ask(`{ popular(${args}) { rank score reason product { id } } }`);
  expect(errors).toEqual([]);
  return data.popular;
};

let events = 0;
/** What the catalogue does when a shopper is tracked. Resolves to the id of the event. */
async function track(
  userId: string | null,
  productId: string,
  type: 'VIEW' | 'PURCHASE' = 'VIEW',
  occurredAt = at(30),
) {
  const clientEventId = `e${++events}`;
  await new CatalogStore(db as never).track([{ clientEventId, userId, productId, type, quantity: 1, occurredAt }]);
  const [row] = await db.query<{ id: string }>('SELECT max(id) AS id FROM catalog.events');
  return Number(row?.id);
}

describe('recommendations', () => {
  it('are ranked by the model in production, best first, without what the user knows', async () => {
    const { nodes, ids, model } = await recommendations('u1');
    expect(model).toEqual({ name: 'recommender', version: 4 });
    expect(ids).toHaveLength(10);
    for (const known of ['p01', 'p05', 'p11']) expect(ids).not.toContain(known);
    expect(nodes.map(({ rank }) => rank)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(nodes.map(({ score }) => score)).toEqual(nodes.map(({ score }) => score).sort((a, b) => b - a));
  });

  it('have pages that follow each other without gaps or repeats', async () => {
    const whole = await recommendations('u1', 'first: 100');
    const ids: string[] = [];
    let after = '';
    for (let turn = 0; ; turn++) {
      const list = await recommendations('u1', `first: 4${after}`);
      expect(list.pageInfo.hasPreviousPage).toBe(turn > 0);
      ids.push(...list.ids);
      if (!list.pageInfo.hasNextPage) break;
      after = `, after: "${list.pageInfo.endCursor}"`;
    }
    expect(ids).toEqual(whole.ids);
    expect(whole.pageInfo.hasNextPage).toBe(false);
  });

  it('have later pages of the list that was begun, though the user went on meanwhile', async () => {
    const whole = await recommendations('u1', 'first: 100');
    const begun = await recommendations('u1', 'first: 4');
    await track('u1', 'p02', 'PURCHASE');
    const later = await recommendations('u1', `first: 100, after: "${begun.pageInfo.endCursor}"`);
    expect([...begun.ids, ...later.ids]).toEqual(whole.ids);
  });

  it('have pages that go on at the same place when another model has come into production', async () => {
    const begun = await recommendations('u1', 'first: 3');
    production = null;
    const later = await recommendations('u1', `first: 2, after: "${begun.pageInfo.endCursor}"`);
    expect(later.model).toBeNull();
    expect(later.ids).toHaveLength(2);
  });

  it('keep to a category and those below it', async () => {
    const all = await recommendations('u1', 'first: 100');
    const blades = await recommendations('u1', 'first: 100, categoryId: "blades"');
    const swords = await recommendations('u1', 'first: 100, categoryId: "c1"');
    const daggers = await recommendations('u1', 'first: 100, categoryId: "c2"');
    expect(blades.ids.length).toBeGreaterThan(0);
    expect(blades.ids.length).toBeLessThan(all.ids.length + 1);
    expect(swords.ids.filter((id) => daggers.ids.includes(id))).toEqual([]);
    expect((await recommendations('u1', 'categoryId: "nowhere"')).ids).toEqual([]);
  });

  it('follow a tracked event at once, also of a user whom the dataset does not know', async () => {
    const before = await recommendations('u1');
    await track('u1', before.ids[0] as string);
    expect((await recommendations('u1')).ids).not.toContain(before.ids[0]);
    expect((await recommendations('newcomer')).model).toBeNull();
    await track('newcomer', 'p05', 'PURCHASE');
    const list = await recommendations('newcomer');
    expect(list.model).toEqual({ name: 'recommender', version: 4 });
    expect(list.ids).not.toContain('p05');
  });

  it('never show a product that the catalogue no longer has', async () => {
    const first = (await recommendations('u1')).ids[0] as string;
    await db.query('UPDATE catalog.products SET id = $1 WHERE id = $2', ['gone', first]);
    try {
      expect((await recommendations('u1', 'first: 100')).ids).not.toContain(first);
      expect((await similar(['p05'], 40)).flat().map(({ product }) => product.id)).not.toContain(first);
    } finally {
      await db.query('UPDATE catalog.products SET id = $1 WHERE id = $2', [first, 'gone']);
    }
  });

  it('never show a product that is sold out, nor do popular and similar ones', async () => {
    const first = (await recommendations('u1')).ids[0] as string;
    const everywhere = async () => [
      ...(await recommendations('u1', 'first: 100')).ids,
      ...(await recommendations('nobody', 'first: 100')).ids,
      ...(await similar(['p05', 'new'], 40)).flat().map(({ product }) => product.id),
    ];
    expect(await everywhere()).toContain(first);
    await db.query('UPDATE catalog.products SET stock = 0 WHERE id = $1', [first]);
    try {
      expect(await everywhere()).not.toContain(first);
    } finally {
      await db.query('UPDATE catalog.products SET stock = 5 WHERE id = $1', [first]);
    }
    expect(await everywhere()).toContain(first);
  });

  it('give reasons that are true of the tables the model came with', async () => {
    const { nodes } = await recommendations('u1', 'first: 100');
    const { neighbours } = ranker;
    const itemOf = (id: string) => PRODUCTS.indexOf(id);
    const bought = new Set(['p05']);
    const seen = new Set(['p01', 'p05', 'p11']);
    for (const { reason, product } of nodes) {
      const item = itemOf(product.id);
      expect(reason === 'BOUGHT_TOGETHER').toBe(neighbours.boughtWith(item, bought));
      if (reason === 'SIMILAR_TO_VIEWED') expect(neighbours.similarTo(item, seen)).toBe(true);
      if (reason === 'POPULAR') expect(neighbours.similarTo(item, seen)).toBe(false);
    }
    expect(new Set(nodes.map(({ reason }) => reason)).size).toBeGreaterThan(1);
  });

  it('are the most popular products, without those the user knows, before there is a model', async () => {
    production = null;
    const { nodes, model } = await recommendations('u3', 'first: 2');
    expect(model).toBeNull();
    expect(nodes.map(({ product, reason }) => [product.id, reason])).toEqual([
      ['p01', 'POPULAR'],
      ['p05', 'POPULAR'],
    ]);
  });

  it('are the most popular products for a user of whose history the model knows nothing', async () => {
    const { ids, model, nodes } = await recommendations('stranger', 'first: 3');
    expect(model).toBeNull();
    expect(ids[0]).toBe('p01');
    expect(nodes.map(({ rank }) => rank)).toEqual([1, 2, 3]);
  });
});

describe('popular', () => {
  it('puts first what many did lately, counting tracked events of visitors too', async () => {
    const list = await popular('first: 3');
    expect(list.map(({ product, reason, rank }) => [product.id, reason, rank])).toEqual([
      ['p01', 'POPULAR', 1],
      ['p05', 'POPULAR', 2],
      ['p30', 'POPULAR', 3],
    ]);
    for (let n = 0; n < 4; n++) await track(null, 'p40', 'PURCHASE');
    expect((await popular('first: 1'))[0]?.product.id).toBe('p40');
  });

  it('keeps to a category and those below it', async () => {
    expect((await popular('first: 1, categoryId: "blades"'))[0]?.product.id).toBe('p01');
    expect(await popular('first: 100, categoryId: "blades"')).toHaveLength(24);
    expect(await popular('categoryId: "nowhere"')).toEqual([]);
  });
});

describe('similar products', () => {
  it('are near the product, nearest first, and not itself', async () => {
    const [list] = await similar(['p05']);
    expect(list).toHaveLength(5);
    expect(list?.map(({ product }) => product.id)).not.toContain('p05');
    for (const { reason } of list ?? []) expect(['SIMILAR_TO_VIEWED', 'BOUGHT_TOGETHER']).toContain(reason);
  });

  it('are the popular ones of the category for a product the model has never seen', async () => {
    const [list] = await similar(['new'], 2);
    expect(list?.map(({ reason }) => reason)).toEqual(['POPULAR', 'POPULAR']);
    expect((await similar(['no such product']))[0]).toEqual([]);
  });

  it('and recommendations of a whole list cost a fixed number of statements', async () => {
    const cost = async (work: () => Promise<unknown>) => {
      const before = db.statements;
      await work();
      return db.statements - before;
    };
    await expect(cost(() => similar([...PRODUCTS, ...PRODUCTS, 'new']))).resolves.toBe(2);
    const users = Array.from({ length: 100 }, (_, n) => ({ __typename: 'User', id: `u${n}` }));
    const query = `query ($users: [_Any!]!) { _entities(representations: $users) { ... on User { recommendations { edges { node { rank } } } } } }`;
    await expect(cost(() => ask(query, { users }))).resolves.toBe(3);
  });
});

describe('bad arguments', () => {
  it.each([
    ['first: 0', 'first'],
    ['first: 101', 'first'],
    ['first: -1', 'first'],
    ['after: "nonsense"', 'after'],
    [`after: "${Buffer.from('{"rank":-1,"productId":"p","through":0}').toString('base64url')}"`, 'after'],
    [`after: "${Buffer.from('{"rank":1,"productId":"p"}').toString('base64url')}"`, 'after'],
    ['categoryId: "\\u0000"', 'categoryId'],
  ])('are refused with a code: %s', async (args, named) => {
    const { errors } = await ask(
      `{ _entities(representations: [{ __typename: "User", id: "u1" }]) { ... on User { recommendations(${args}) { model { name } } } } }`,
    );
    expect(errors.map(({ code }) => code)).toEqual(['BAD_USER_INPUT']);
    expect(errors[0]?.message).toContain(named);
  });

  it('are refused by the lists without pages too', async () => {
    const { errors } = await ask('{ popular(first: 0) { rank } }');
    expect(errors.map(({ code }) => code)).toEqual(['BAD_USER_INPUT']);
  });
});

describe('loading a dataset', () => {
  it('counts each tracked event once: in the dataset, or beside it', async () => {
    const first = await track('u1', 'p20', 'VIEW', at(30));
    await track('u1', 'p21', 'VIEW', at(2));
    // p20 was exported and is in the new dataset; p21 came after the export, though it happened long before.
    await loadHistories(
      db,
      datasets,
      await writeDataset('v2', [...HISTORIES, { user: 'u1', product: 'p20', day: 30 }]),
      first,
    );
    const [history] = await new RecommendationStore(db).histories([{ userId: 'u1', through: null }]);
    const weights = new Map(history?.items.map(({ productId, weight }) => [productId, weight]));
    expect([...weights.keys()].sort()).toEqual(['p01', 'p05', 'p11', 'p20', 'p21']);
    expect(weights.get('p20')).toBeCloseTo(Math.log1p(1));
  });

  it('keeps events that were exported but happened after all the dataset has', async () => {
    const last = await track('u1', 'p22', 'VIEW', at(31));
    await loadHistories(db, datasets, await writeDataset('v3', HISTORIES), last);
    const [history] = await new RecommendationStore(db).histories([{ userId: 'u1', through: null }]);
    expect(history?.items.map(({ productId }) => productId)).toContain('p22');
  });

  it('changes nothing when the dataset is not complete or broken', async () => {
    const incomplete = await writeDataset('v4', [{ user: 'u1', product: 'p30' }], false);
    await expect(loadHistories(db, datasets, incomplete)).rejects.toMatchObject({
      extensions: { code: 'LAKE_UNREADABLE' },
    });
    const broken = await writeDataset('v5', [{ user: 'u1', product: 'p30' }]);
    await datasets.write(`${broken}/histories/part-1.parquet`, 'not Parquet at all');
    await expect(loadHistories(db, datasets, broken)).rejects.toMatchObject({
      extensions: { code: 'LAKE_UNREADABLE' },
    });
    const [row] = await db.query<{ count: number }>('SELECT count(*)::int AS count FROM recommendation.histories');
    expect(row?.count).toBe(HISTORIES.length);
  });

  it('names a user with a history of the usual length', async () => {
    expect(await typicalUser(db)).toBe('stranger');
    await loadHistories(db, datasets, await writeDataset('v6', []));
    expect(await typicalUser(db)).toBeNull();
  });
});

describe('the subgraph as a whole', () => {
  it('answers while the model registry is away and nothing has been trained', async () => {
    const subgraph = await SubgraphUnderTest.start(recommendation, db, { HASHIRA_DATA: folder });
    try {
      const { data, errors } = await subgraph.execute('{ popular(first: 1) { product { id } } }');
      expect(errors).toEqual([]);
      expect(data.popular).toEqual([{ product: { id: 'p01' } }]);
    } finally {
      await subgraph.stop();
    }
  });
});
