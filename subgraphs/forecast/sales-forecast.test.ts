import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { graphql } from 'graphql';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createDatabase } from '../../test/support/database.ts';
import type { Answer } from '../../test/support/execute.ts';
import { type Column, double, string, toParquet } from '../catalog/parquet-writer.ts';
import type { Database } from '../kit/database.ts';
import type { FederatedSchema } from '../kit/federation.ts';
import type { Served } from '../kit/production-model.ts';
import type { ModelVersion } from '../kit/registry.ts';
import { LocalStorage } from '../kit/storage/local.ts';
import type { Storage } from '../kit/storage/storage.ts';
import { createContext } from './context.ts';
import { Forecaster } from './forecaster.ts';
import { forecast } from './index.ts';
import { loadSales } from './loader.ts';
import { SalesForecasts } from './sales-forecast.ts';
import { addDays } from './series.ts';
import { ForecastStore } from './store.ts';

const BUNDLE = path.join(import.meta.dirname, '../../ml/forecaster/golden/bundle');
/** A Monday. */
const START = '2026-01-05';
const DAYS = 140;
const LAST_DAY = addDays(START, DAYS - 1);
const PRODUCTS = Array.from({ length: 100 }, (_, n) => `p${n}`);
/** p0, p2, … are katana, below blades; p1, p3, … are in no category. "empty" has no products. */
const CATEGORIES = [
  { id: 'blades', parent_id: null },
  { id: 'katana', parent_id: 'blades' },
  { id: 'empty', parent_id: null },
];
const unitsOf = (product: number, period: number) => (product + period) % 7;

let folder: string;
let datasets: Storage;
let db: Database;
let forecaster: Forecaster;
let federated: FederatedSchema;
/** What is in production. */
let production: Served<Forecaster> | null;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'hashira-forecast-'));
  datasets = new LocalStorage(folder);
  db = await createDatabase('forecast');
  forecaster = await Forecaster.load(BUNDLE);
  federated = await forecast.schema();
  await loadSales(db, datasets, await writeDataset('daily', 'day'));
});
afterAll(async () => {
  await forecaster?.dispose();
  await db?.close();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  production = { model: forecaster, version: { name: 'forecaster', version: 3 } as ModelVersion };
});

interface SalesRow {
  date: Date;
  product_id: string;
  units: number;
  price: number | null;
  promotion: boolean | null;
  in_stock: boolean | null;
}

/** `p99` begins 20 periods before the end; `p98` has a gap, which sold nothing. */
function panel(periods: number, step: number): SalesRow[] {
  return PRODUCTS.flatMap((product_id, product) =>
    Array.from({ length: periods }, (_, period) => ({
      date: new Date(addDays(START, period * step)),
      product_id,
      units: unitsOf(product, period),
      price: product === 1 ? null : 1000,
      promotion: product === 2 ? null : period % 10 === 0,
      in_stock: product === 3 ? null : true,
    })).filter((_, period) =>
      product === 99 ? period >= periods - 20 : product !== 98 || period < periods - 3 || period === periods - 1,
    ),
  );
}

async function writeDataset(dataVersion: string, granularity: 'day' | 'week' | null, complete = true): Promise<string> {
  const flag = (name: string): Column => [{ name, type: 'BOOLEAN', repetition_type: 'OPTIONAL' }];
  const date: Column = [{ name: 'date', type: 'INT32', converted_type: 'DATE', repetition_type: 'OPTIONAL' }];
  const columns = [date, string('product_id'), double('units'), double('price'), flag('promotion'), flag('in_stock')];
  const write = async (table: string, schema: Column[], rows: object[]) => {
    const content = toParquet(schema, rows as Record<string, unknown>[]);
    await datasets.write(`${dataVersion}/${table}/part-0.parquet`, content);
  };
  if (granularity) {
    const weekly = panel(DAYS / 7, 7);
    await write('sales', columns, granularity === 'day' ? panel(DAYS, 1) : weekly);
    await write('sales_weekly', columns, weekly);
  }
  const products = PRODUCTS.map((product_id, n) => ({ product_id, category_id: n % 2 ? null : 'katana' }));
  await write('products', ['product_id', 'category_id'].map(string), [
    ...products,
    { product_id: 'unsold', category_id: 'katana' },
  ]);
  await write('categories', ['id', 'parent_id'].map(string), CATEGORIES);
  await datasets.write(`${dataVersion}/manifest.json`, JSON.stringify({ dataVersion, granularity }));
  if (complete) await datasets.write(`${dataVersion}/_SUCCESS`, '');
  return dataVersion;
}

/** Asks as one request to the subgraph. */
async function ask(source: string, variableValues: Record<string, unknown> = {}): Promise<Answer> {
  const models = {
    current: () => production,
    use: async <R>(work: (model: Forecaster, version: ModelVersion) => Promise<R> | R) => {
      const { model, version } = production as Served<Forecaster>;
      return work(model, version);
    },
  };
  const contextValue = createContext(new SalesForecasts(new ForecastStore(db), models));
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

const FIELDS = 'scope granularity history { date units } points { date units lower upper } model { name version }';

interface Point {
  date: string;
  units: number;
  lower: number;
  upper: number;
}
interface Forecast {
  scope: string;
  granularity: string;
  history: { date: string; units: number }[];
  points: Point[];
  model: { name: string; version: number };
}

async function salesForecast(args = ''): Promise<Forecast> {
  const { data, errors } = await ask(`{ salesForecast${args && `(${args})`} { ${FIELDS} } }`);
  expect(errors).toEqual([]);
  return data.salesForecast;
}

const codeOf = async (args: string): Promise<unknown> =>
  (await ask(`{ salesForecast${args && `(${args})`} { scope } }`)).errors[0]?.code;

const entities = (type: string, ids: readonly string[], args = ''): Promise<Answer> =>
  ask(
    `query ($these: [_Any!]!) { _entities(representations: $these) { ... on ${type} { forecast${args} { ${FIELDS} } } } }`,
    { these: ids.map((id) => ({ __typename: type, id })) },
  );

describe('a forecast of daily sales', () => {
  it('is of the whole shop for 28 days unless asked otherwise, from the day after the last one known', async () => {
    const { scope, granularity, history, points, model } = await salesForecast();
    expect({ scope, granularity, model }).toEqual({
      scope: 'shop',
      granularity: 'DAY',
      model: { name: 'forecaster', version: 3 },
    });
    expect(points.map(({ date }) => date)).toEqual(Array.from({ length: 28 }, (_, n) => addDays(LAST_DAY, n + 1)));
    expect(history).toHaveLength(DAYS);
    expect([history[0]?.date, history.at(-1)?.date]).toEqual([START, LAST_DAY]);
  });

  it('has whole, ordered intervals that are never below zero, at every horizon', async () => {
    for (const args of ['horizon: 56', 'horizon: 26, granularity: WEEK', 'productId: "p99", horizon: 1']) {
      const { points } = await salesForecast(args);
      for (const { lower, units, upper } of points) {
        expect(lower).toBeGreaterThanOrEqual(0);
        expect(units).toBeGreaterThanOrEqual(lower);
        expect(upper).toBeGreaterThanOrEqual(units);
      }
    }
  });

  it('shows eight periods of history for each one forecast, and nothing from before a product began', async () => {
    expect((await salesForecast('productId: "p4", horizon: 3')).history).toEqual(
      Array.from({ length: 24 }, (_, n) => ({
        date: addDays(LAST_DAY, n - 23),
        units: unitsOf(4, DAYS - 24 + n),
      })),
    );
    expect((await salesForecast('productId: "p99"')).history).toHaveLength(20);
  });

  it('takes a day without a row as a day without sales', async () => {
    const { history } = await salesForecast('productId: "p98", horizon: 1');
    expect(history.slice(-4).map(({ units }) => units)).toEqual([unitsOf(98, DAYS - 4), 0, 0, unitsOf(98, DAYS - 1)]);
  });

  it('sums up a category with all below it, and the shop with products of no category', async () => {
    const last = DAYS - 1;
    const total = (products: number[]) => products.reduce((sum, product) => sum + unitsOf(product, last), 0);
    const all = PRODUCTS.map((_, product) => product);
    const newest = async (args: string) => (await salesForecast(args)).history.at(-1)?.units;
    expect(await newest('')).toBe(total(all));
    expect(await newest('categoryId: "katana"')).toBe(total(all.filter((product) => product % 2 === 0)));
    expect(await newest('categoryId: "blades"')).toBe(await newest('categoryId: "katana"'));
    expect((await salesForecast('categoryId: "blades"')).scope).toBe('category:blades');
  });

  it('by week has the weeks after the last whole one, eight of them unless asked otherwise', async () => {
    const { granularity, points, history } = await salesForecast('productId: "p5", granularity: WEEK');
    expect(granularity).toBe('WEEK');
    expect(history.at(-1)?.date).toBe(addDays(START, DAYS - 7));
    expect(points.map(({ date }) => date)).toEqual(Array.from({ length: 8 }, (_, n) => addDays(START, DAYS + 7 * n)));
  });
});

describe('a question that cannot be answered', () => {
  it.each([
    'horizon: 0',
    'horizon: -1',
    'horizon: 57',
    'horizon: 27, granularity: WEEK',
    'productId: "p1", categoryId: "katana"',
    'productId: "\\u0000"',
  ])('is refused for its arguments, with a model or without: %s', async (args) => {
    expect(await codeOf(args)).toBe('BAD_USER_INPUT');
    production = null;
    expect(await codeOf(args)).toBe('BAD_USER_INPUT');
  });

  it.each(['productId: "nothing"', 'categoryId: "nothing"', 'productId: "unsold"', 'categoryId: "empty"'])(
    'names what is unknown, once there is a model: %s',
    async (args) => {
      expect(await codeOf(args)).toBe('NOT_FOUND');
      production = null;
      expect(await codeOf(args)).toBe('MODEL_NOT_READY');
    },
  );

  it('costs a field of a product or category only itself', async () => {
    const known = await entities('Product', ['p1', 'unsold', 'nothing']);
    expect(known.errors).toEqual([]);
    expect(known.data._entities.map((entity: { forecast: Forecast | null }) => entity.forecast?.scope)).toEqual([
      'product:p1',
      undefined,
      undefined,
    ]);
    expect((await entities('Product', ['p1'], '(horizon: 57)')).errors[0]?.code).toBe('BAD_USER_INPUT');
    production = null;
    for (const type of ['Product', 'Category'])
      expect(await entities(type, ['p1'])).toEqual({ data: { _entities: [{ forecast: null }] }, errors: [] });
  });
});

it('forecasts a hundred products with as many statements as one, and one run of the model, equal to each alone', async () => {
  const cost = async (ids: string[]) => {
    const runs = vi.spyOn(forecaster, 'forecast');
    const before = db.statements;
    const { data, errors } = await entities('Product', ids);
    expect(errors).toEqual([]);
    const result = { statements: db.statements - before, runs: runs.mock.calls.length, data };
    runs.mockRestore();
    return result;
  };
  const one = await cost(['p7']);
  const all = await cost(PRODUCTS);
  expect([all.statements, all.runs]).toEqual([one.statements, one.runs]);
  expect([one.statements, one.runs]).toEqual([2, 1]);
  expect(all.data._entities[7]).toEqual(one.data._entities[0]);
});

it('is for analysts and admins', () => {
  const guarded = federated.sdl.match(
    /(salesForecast|forecast)\(.*@requiresScopes\(scopes: \[\["analyst"\], \["admin"\]\]\)/gs,
  );
  expect(guarded).not.toBeNull();
  for (const [line] of federated.sdl.matchAll(/\): SalesForecast.*$/gm))
    expect(line).toContain('@requiresScopes(scopes: [["analyst"], ["admin"]])');
});

describe('loading a dataset', () => {
  it('changes nothing when it is incomplete', async () => {
    const dir = await writeDataset('broken', null, false);
    await expect(loadSales(db, datasets, dir)).rejects.toMatchObject({ code: 'LAKE_UNREADABLE' });
    expect((await salesForecast()).granularity).toBe('DAY');
  });

  it('of weekly sales makes weeks the default and days unavailable', async () => {
    await loadSales(db, datasets, await writeDataset('weekly', 'week'));
    expect((await salesForecast()).granularity).toBe('WEEK');
    expect(await codeOf('granularity: DAY')).toBe('GRANULARITY_UNAVAILABLE');
    expect(await codeOf('horizon: 27')).toBe('BAD_USER_INPUT');
  });

  it('without sales leaves nothing to forecast', async () => {
    await loadSales(db, datasets, await writeDataset('none', null));
    expect(await codeOf('')).toBe('NOT_FOUND');
  });
});
