import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signDevelopmentToken } from '../../../gateway/development-key.ts';
import { type Gateway, startGateway } from '../../../gateway/gateway.ts';
import { catalog } from '../../../subgraphs/catalog/index.ts';
import { loadShop, productRow } from '../../../subgraphs/catalog/testing.ts';
import { loadConfig } from '../../../subgraphs/kit/config.ts';
import type { Database } from '../../../subgraphs/kit/database.ts';
import { createLogger } from '../../../subgraphs/kit/log.ts';
import { createRegistry } from '../../../subgraphs/kit/registry.ts';
import { pipeline } from '../../../subgraphs/pipeline/index.ts';
import { recommendation } from '../../../subgraphs/recommendation/index.ts';
import { createDatabase } from '../../support/database.ts';
import { type GraphQLAnswer, post, root } from '../../support/instance.ts';
import { MlflowServer } from '../../support/mlflow.ts';

/**
 * Two replicas of the gateway on one database and one registry, with two versions of the recommender that recommend different
 * products. The tests follow one story and depend on each other's order.
 */
const BUNDLE = path.join(root, 'ml/recommender/golden/bundle');
const PRODUCTS = Array.from({ length: 48 }, (_, n) => `p${String(n).padStart(2, '0')}`);
const USERS = Array.from({ length: 60 }, (_, n) => `u-${n}`);
const TAKES_EFFECT_MS = 5_000;

type Models = { models: { version: number; production: boolean; share: number; traffic: Record<string, number> }[] };
interface Recommended {
  me: { recommendations: { edges: { node: { product: { id: string } } }[]; model: { version: number } | null } };
}

const dirs: string[] = [];
const replicas: Gateway[] = [];
const tokens = new Map<string, string>();
let mlflow: MlflowServer;
let database: Database;

beforeAll(async () => {
  mlflow = await MlflowServer.start();
  const items = JSON.parse(await readFile(path.join(BUNDLE, 'items.json'), 'utf8'));
  await mlflow.register(0.25, {}, BUNDLE);
  // The other version has the products the other way round.
  await mlflow.register(0.3, { 'items.json': JSON.stringify({ ...items, ids: [...items.ids].reverse() }) }, BUNDLE);

  database = await createDatabase('catalog', 'recommendation', 'pipeline');
  await loadShop(
    database,
    PRODUCTS.map((id) => productRow(id)),
  );
  await database.query(
    `INSERT INTO recommendation.histories (user_id, product_id, views, carts, purchases, weight, last_at)
     SELECT 'u-' || n, 'p' || lpad(((n * 7 + k * 5) % 48)::text, 2, '0'), 1, 0, 0, ln(2), now() - make_interval(days => k)
     FROM generate_series(0, 59) n, generate_series(1, 4) k`,
  );
  const parts = [catalog, recommendation, pipeline];
  const { supergraphSdl } = composeServices(
    await Promise.all(
      parts.map(async (part) => ({
        name: part.name,
        url: `local://${part.name}`,
        typeDefs: parse((await part.schema()).sdl),
      })),
    ),
  );
  for (const name of ['one', 'two']) {
    const dir = await mkdtemp(path.join(tmpdir(), `hashira-replica-${name}-`));
    dirs.push(dir);
    const first = dirs[0] as string;
    // One key for all, as an issuer has it.
    if (dir !== first)
      await writeFile(path.join(dir, 'development-key.json'), await readFile(path.join(first, 'development-key.json')));
    else await signDevelopmentToken(dir, 'admin', 'admin');
    const file = path.join(dir, 'supergraph.graphql');
    await writeFile(file, supergraphSdl ?? '');
    const env = { HASHIRA_DATA: dir, PORT: '0', MLFLOW_TRACKING_URI: mlflow.url, RATE_LIMIT_PER_MINUTE: '0' };
    const config = loadConfig(env);
    const services = { config, database, log: createLogger('test', 'silent'), registry: createRegistry(config) };
    replicas.push(await startGateway(parts, services, file));
  }
  for (const user of USERS) tokens.set(user, await signDevelopmentToken(dirs[0] as string, user, 'customer'));
  tokens.set('admin', await signDevelopmentToken(dirs[0] as string, 'admin', 'admin'));
});

afterAll(async () => {
  await Promise.all(replicas.map((replica) => replica.stop()));
  await database?.close();
  await mlflow?.stop();
  await Promise.all(dirs.map((dir) => rm(dir, { recursive: true, force: true })));
});

const ask = <Data>(replica: number, as: string, query: string): Promise<GraphQLAnswer<Data>> =>
  post<Data>(`${replicas[replica]?.url}/graphql`, query, { token: tokens.get(as) });

const admin = async <Data>(query: string): Promise<Data> => {
  const { data, errors } = await ask<Data>(0, 'admin', query);
  expect(errors).toBeUndefined();
  return data as Data;
};

interface Seen {
  user: string;
  askedAt: number;
  version: number | null;
  products: string;
}

async function recommended(replica: number, user: string): Promise<Seen> {
  const query = '{ me { recommendations(first: 5) { edges { node { product { id } } } model { version } } } }';
  const askedAt = Date.now();
  const { data, errors } = await ask<Recommended>(replica, user, query);
  if (errors || !data) throw new Error(JSON.stringify(errors));
  const { edges, model } = data.me.recommendations;
  return {
    user,
    askedAt,
    version: model?.version ?? null,
    products: edges.map(({ node }) => node.product.id).join(' '),
  };
}

/** Every user's version on a replica. */
const versions = async (replica: number) =>
  Promise.all(USERS.map(async (user) => (await recommended(replica, user)).version));

/** Asks both replicas without a pause while `change` is made; ends when they answer as wanted. @returns all answers, and when it was made */
async function whileAsked(change: () => Promise<unknown>, isWanted: () => Promise<boolean>) {
  const seen: Seen[] = [];
  const failures: unknown[] = [];
  let asking = true;
  const askers = [0, 1, 0, 1].map(async (replica, n) => {
    for (let turn = n * 15; asking; turn++) {
      await recommended(replica, USERS[turn % USERS.length] as string).then(
        (answer) => seen.push(answer),
        (error: unknown) => failures.push(error),
      );
    }
  });
  await sleep(200);
  await change();
  const changedAt = Date.now();
  while (!(await isWanted()) && Date.now() < changedAt + 30_000) await sleep(20);
  await sleep(300);
  asking = false;
  await Promise.all(askers);
  return { seen, failures, changedAt };
}

const all = (version: number) => async () =>
  (await Promise.all([0, 1].map(versions))).flat().every((one) => one === version);

describe('versions of a model under questions', () => {
  /** What each version recommends to each user. */
  const lists = new Map<string, string>();
  const noteLists = async () => {
    for (const user of USERS) {
      const { version, products } = await recommended(0, user);
      lists.set(`${user} ${version}`, products);
    }
  };
  const expectWhole = (seen: readonly Seen[]) => {
    const mixed = seen.filter(({ user, version, products }) => lists.get(`${user} ${version}`) !== products);
    expect(mixed).toEqual([]);
  };

  it('go back to an older one within 5 s, with no question failing, and each answer of one version', async () => {
    await expect.poll(all(2), { timeout: 20_000 }).toBe(true);
    await noteLists();
    const { seen, failures, changedAt } = await whileAsked(
      () => admin('mutation { promoteModel(name: "recommender", version: 1) { version production } }'),
      all(1),
    );
    await noteLists();
    expect(failures).toEqual([]);
    const late = seen.filter(({ version, askedAt }) => version === 2 && askedAt > changedAt + TAKES_EFFECT_MS);
    expect(late).toEqual([]);
    expect(seen.length).toBeGreaterThan(100);
    expect(new Set(seen.map(({ version }) => version))).toEqual(new Set([1, 2]));
    expect(lists.size).toBe(2 * USERS.length);
    expect(USERS.some((user) => lists.get(`${user} 1`) !== lists.get(`${user} 2`))).toBe(true);
    expectWhole(seen);
  });

  it('share the users while the traffic is split, the same on every replica', async () => {
    const isSplit = async () => (await Promise.all([0, 1].map(versions))).every((of) => new Set(of).size === 2);
    const { seen, failures, changedAt } = await whileAsked(
      () => admin('mutation { splitTraffic(name: "recommender", version: 2, share: 0.4) { version share } }'),
      isSplit,
    );
    expect(failures).toEqual([]);
    expect(Math.min(...seen.filter(({ version }) => version === 2).map(({ askedAt }) => askedAt))).toBeLessThan(
      changedAt + TAKES_EFFECT_MS,
    );
    expectWhole(seen);
    const [one, two] = [await versions(0), await versions(1)];
    expect(one).toEqual(two);
    const challenged = one.filter((version) => version === 2).length / USERS.length;
    expect(challenged).toBeGreaterThan(0.2);
    expect(challenged).toBeLessThan(0.6);
    const { models } = await admin<Models>('{ models { version share production } }');
    expect(models).toEqual([
      { version: 2, share: 0.4, production: false },
      { version: 1, share: 0.6, production: true },
    ]);
  });

  it('count what each recommended, and what was looked at and bought afterwards', async () => {
    const counted = async () =>
      (await admin<Models>('{ models { version traffic { users recommended clicks purchases } } }')).models;
    // From here on, because users were asked for under both versions.
    await sleep(2_500);
    await database.query('DELETE FROM recommendation.shown');
    const of = await versions(0);
    const one = { 1: of.indexOf(1), 2: of.indexOf(2) };
    await expect.poll(async () => (await counted())[0]?.traffic.users, { timeout: 5_000 }).toBeGreaterThan(0);
    for (const version of [1, 2] as const) {
      const user = USERS[one[version]] as string;
      const [product] = (lists.get(`${user} ${version}`) as string).split(' ');
      const events = ['VIEW', version === 2 ? 'PURCHASE' : 'VIEW'].map(
        (type, n) => `{ clientEventId: "${user}-${n}", productId: "${product}", type: ${type} }`,
      );
      const tracked = await ask(1, user, `mutation { trackEvents(events: [${events}]) { accepted } }`);
      expect(tracked.data).toEqual({ trackEvents: { accepted: 2 } });
    }
    const users = (version: number) => of.filter((one) => one === version).length;
    expect(await counted()).toEqual([
      { version: 2, traffic: { users: users(2), recommended: 5 * users(2), clicks: 1, purchases: 1 } },
      { version: 1, traffic: { users: users(1), recommended: 5 * users(1), clicks: 1, purchases: 0 } },
    ]);
    const { errors } = await ask(0, 'u-1', '{ me { recommendations { model { traffic { users } card } } } }');
    expect(errors?.map(({ extensions }) => extensions.code)).toContain('FORBIDDEN');
  });

  it('are one again when the challenger is promoted', async () => {
    await admin('mutation { promoteModel(name: "recommender", version: 2) { version } }');
    await expect.poll(all(2), { timeout: TAKES_EFFECT_MS }).toBe(true);
    const { models } = await admin<Models>('{ models { version share } }');
    expect(models.map(({ share }) => share)).toEqual([1, 0]);
  });
});
