import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway } from '../../../gateway/gateway.ts';
import { freePort } from '../../../scripts/postgres.ts';
import { subgraphs } from '../../../subgraphs/index.ts';
import { loadConfig } from '../../../subgraphs/kit/config.ts';
import { Database } from '../../../subgraphs/kit/database.ts';
import { createLogger } from '../../../subgraphs/kit/log.ts';
import { createRegistry } from '../../../subgraphs/kit/registry.ts';
import { Instance, post, processesWith, root } from '../../support/instance.ts';

/**
 * The main job as a newcomer meets it, at small scale, with everything real: PostgreSQL, Spark, DVC, MLflow, ONNX. The tests
 * follow one story and depend on each other's order.
 */
const SHOP = 'users=600,products=120,days=200,interactions=40000,seed=7';

let dataDir: string;
let port: number;
let shop: Instance;

beforeAll(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'hashira-e2e-'));
  port = await freePort();
  shop = new Instance(dataDir, port, { DEMO_SHOP: SHOP });
  await shop.says(`ready: http://127.0.0.1:${port}/graphql`, 120_000);
});

afterAll(async () => {
  await shop?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

/** The nodes of a connection. */
const nodes = <T>(connection: { edges: { node: T }[] }): T[] => connection.edges.map(({ node }) => node);

describe('before there is a model', () => {
  it('answers at once, and keeps the tokens to their owner', async () => {
    expect((await shop.ask('{ categories { id } }')).errors).toBeUndefined();
    expect(Object.keys(shop.tokens)).toEqual(['customer', 'support', 'analyst', 'admin']);
    expect((await stat(path.join(dataDir, 'tokens.json'))).mode & 0o777).toBe(0o600);
  });

  it('says that a forecast has to wait', async () => {
    const { data, errors } = await shop.ask('{ salesForecast { scope } }', 'analyst');
    expect(data).toBeNull();
    expect(errors?.[0]?.extensions.code).toBe('MODEL_NOT_READY');
  });

  it('refuses a second instance on the same folder and one on the same port, each with a clear word', async () => {
    const twin = new Instance(dataDir, await freePort());
    expect(await twin.ended).toBe(1);
    expect(twin.output).toContain('in use by a running instance');
    const neighbour = new Instance(`${dataDir}-other`, port);
    expect(await neighbour.ended).toBe(1);
    expect(neighbour.output).toContain(`Port ${port} on 127.0.0.1 is taken`);
  });
});

describe('after the main job', () => {
  beforeAll(async () => {
    await shop.says('Time of each stage:', 500_000);
  });

  it('has both models in production, in the registry and in the graph', async () => {
    const query = '{ models { name version production dataVersion metrics } }';
    const { data } = await shop.ask<{ models: { name: string; production: boolean; dataVersion: string }[] }>(
      query,
      'analyst',
    );
    const inProduction = data?.models.filter((model) => model.production).map((model) => model.name);
    expect(inProduction?.sort()).toEqual(['forecaster', 'recommender']);
    expect(data?.models[0]?.dataVersion).toMatch(/^[0-9a-f]{16}$/);
  });

  it('tells why each may be in production, and its model card', async () => {
    type Answer = { models: { card: string; share: number; gate: { passed: boolean; reason: string } }[] };
    const { data, errors } = await shop.ask<Answer>('{ models { card share gate { passed reason } } }', 'analyst');
    expect(errors).toBeUndefined();
    for (const { card, share, gate } of data?.models ?? []) {
      expect(share).toBe(1);
      expect(gate).toMatchObject({
        passed: true,
        reason: expect.stringMatching(/within .* of the trained model; 200 rows in/),
      });
      expect(card).toContain(gate.reason);
    }
  });

  it('recommends to the customer by the model in production', async () => {
    const query = `{ me { recommendations(first: 10) {
      edges { node { score reason product { name price { amount } } } } model { name version production } } } }`;
    const model = { name: 'recommender', version: 1, production: true };
    await expect
      .poll(async () => (await shop.ask<never>(query, 'customer')).data, { timeout: 20_000 })
      .toMatchObject({ me: { recommendations: { model } } });
    const { data } = await shop.ask<{
      me: { recommendations: { edges: { node: { score: number; reason: string } }[] } };
    }>(query, 'customer');
    const shown = nodes(data?.me.recommendations ?? { edges: [] });
    expect(shown).toHaveLength(10);
    const scores = shown.map(({ score }) => score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    expect(shown.some(({ reason }) => reason !== 'POPULAR')).toBe(true);
  });

  it('forecasts for the analyst with history, points and an interval around them', async () => {
    const query = `{ salesForecast(horizon: 14) { scope granularity history { date units }
      points { date units lower upper } model { name } } }`;
    await expect.poll(async () => (await shop.ask(query, 'analyst')).errors, { timeout: 20_000 }).toBeUndefined();
    type Point = { date: string; units: number; lower: number; upper: number };
    const { data } = await shop.ask<{ salesForecast: { history: { date: string }[]; points: Point[] } }>(
      query,
      'analyst',
    );
    const { history = [], points = [] } = data?.salesForecast ?? {};
    expect(points).toHaveLength(14);
    expect(Date.parse(points[0]?.date ?? '') - Date.parse(history.at(-1)?.date ?? '')).toBe(86_400_000);
    for (const { lower, units, upper } of points) {
      expect(lower).toBeGreaterThanOrEqual(0);
      expect(lower).toBeLessThanOrEqual(units);
      expect(units).toBeLessThanOrEqual(upper);
    }
  });

  it('lists 100 products with recommendations and forecasts for as many SQL statements as one', async () => {
    // The gateway again, in this process, where statements can be counted.
    const { env } = JSON.parse(await readFile(path.join(dataDir, 'run/instance.json'), 'utf8'));
    const config = loadConfig({ ...env, HASHIRA_DATA: dataDir, PORT: '0' });
    const database = new Database(env.DATABASE_URL);
    const log = createLogger('test', 'silent');
    const gateway = await startGateway(subgraphs, { config, database, log, registry: createRegistry(config) });
    try {
      const cost = async (first: number) => {
        const before = database.statements;
        const query = `{ products(first: ${first}) { edges { node { id category { name }
          similar(first: 5) { product { name } } forecast(horizon: 7) { points { units } } } } } }`;
        type Answer = { products: { edges: { node: { similar: unknown[]; forecast: unknown } }[] } };
        const { data, errors } = await post<Answer>(`${gateway.url}/graphql`, query, { token: shop.tokens.analyst });
        expect(errors).toBeUndefined();
        const products = nodes(data?.products ?? { edges: [] });
        expect(products).toHaveLength(first);
        for (const product of products) expect(product).toMatchObject({ forecast: { points: expect.any(Array) } });
        return database.statements - before;
      };
      // What runs in the background (the index, the models' watch) may add a statement to a measurement, and never takes one away.
      const least = async (first: number) => Math.min(await cost(first), await cost(first), await cost(first));
      const one = await least(1);
      expect(await least(100)).toBe(one);
      expect(one).toBeLessThanOrEqual(8);
    } finally {
      await gateway.stop();
      await database.close();
    }
  });

  it('refuses every pipeline mutation and the forecast to whoever lacks the scope', async () => {
    const mutations = [
      'generateData { id }',
      'prepareDatasets { id }',
      'trainModels { id }',
      'promoteModel(name: "recommender", version: 1) { name }',
      'splitTraffic(name: "recommender", version: 1, share: 0.5) { name }',
      'checkDrift { id }',
      'cancelJob(id: "x") { id }',
    ];
    for (const mutation of mutations) {
      expect((await shop.ask(`mutation { ${mutation} }`)).errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
      for (const role of ['customer', 'support', 'analyst'] as const) {
        expect((await shop.ask(`mutation { ${mutation} }`, role)).errors?.[0]?.extensions.code).toBe('FORBIDDEN');
      }
    }
    expect((await shop.ask('{ salesForecast { scope } }', 'customer')).errors?.[0]?.extensions.code).toBe('FORBIDDEN');
    const { data } = await shop.ask<{ jobs: { edges: unknown[] } }>(
      '{ jobs { edges { node { kind status } } } }',
      'admin',
    );
    expect(data?.jobs.edges).toHaveLength(4);
  });

  it('answers bad input with a coded error or null, and nothing worse', async () => {
    const bad: [string, string | null][] = [
      ['{ product(id: "no such") { id } }', null],
      ['{ job(id: "no such") { id } }', null],
      ['{ products(first: 0) { totalCount } }', 'BAD_USER_INPUT'],
      ['{ products(first: 101) { totalCount } }', 'BAD_USER_INPUT'],
      ['{ products(after: "###") { totalCount } }', 'BAD_USER_INPUT'],
      ['{ search(query: "x", after: "bm8") { totalCount } }', 'BAD_USER_INPUT'],
      ['{ salesForecast(horizon: -1) { scope } }', 'BAD_USER_INPUT'],
      ['{ salesForecast(productId: "no such") { scope } }', 'NOT_FOUND'],
      ['{ me { recommendations(first: 0) { edges { cursor } } } }', 'BAD_USER_INPUT'],
      [
        'mutation { trackEvents(events: [{clientEventId: "e", productId: "no such", type: VIEW}]) { accepted } }',
        'BAD_USER_INPUT',
      ],
      ['mutation { generateData(input: {users: -5}) { id } }', 'BAD_USER_INPUT'],
      ['mutation { trainModels(input: {models: ["oracle"]}) { id } }', 'BAD_USER_INPUT'],
      ['mutation { promoteModel(name: "recommender", version: 99) { name } }', 'NOT_FOUND'],
      ['mutation { cancelJob(id: "no such") { id } }', 'NOT_FOUND'],
      ['{ nonsense }', 'GRAPHQL_VALIDATION_FAILED'],
    ];
    for (const [query, code] of bad) {
      const role = query.includes('salesForecast') ? 'analyst' : 'admin';
      const { errors } = await shop.ask(query, role);
      expect([query, errors?.[0]?.extensions.code ?? null]).toEqual([query, code]);
    }
  });

  it('summarizes conversations for support, by the shipped model, and for nobody else', async () => {
    const transcript = `[
      { speaker: "Customer", text: "My Moonlit Lamp from order HM-10293 arrived broken." }
      { speaker: "Agent", text: "I am so sorry. A replacement is on its way and will arrive by 12 March." }
    ]`;
    const fields = `id summary keyIssue resolved status agent
      model { name version production createdAt runId } reviewedBy { id } conversation { id }`;
    const mutation = `mutation { summarizeConversation(input: { agent: "Mia", transcript: ${transcript} }) { ${fields} } }`;
    expect((await shop.ask(mutation)).errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
    for (const role of ['customer', 'analyst'] as const) {
      expect((await shop.ask(mutation, role)).errors?.[0]?.extensions.code).toBe('FORBIDDEN');
    }
    const { data, errors } = await shop.ask<{ summarizeConversation: Record<string, unknown> }>(mutation, 'support');
    expect(errors).toBeUndefined();
    expect(data?.summarizeConversation).toMatchObject({
      summary: expect.stringContaining('HM-10293'),
      keyIssue: 'Item arrived damaged',
      resolved: true,
      status: 'PENDING',
      agent: 'Mia',
      // What is shipped is in no registry.
      model: { name: 'summarizer', version: 0, production: false, createdAt: null, runId: '' },
      reviewedBy: null,
      conversation: null,
    });
    const id = data?.summarizeConversation.id;
    const review = `mutation { reviewSummary(id: "${id}", status: FLAGGED, note: "see me") { status reviewedBy { id name } } }`;
    expect((await shop.ask<Record<string, unknown>>(review, 'support')).data?.reviewSummary).toMatchObject({
      status: 'FLAGGED',
      reviewedBy: { id: expect.any(String) },
    });
    const found = '{ summaries(filter: { search: "lamp", status: FLAGGED }) { totalCount edges { node { id } } } }';
    expect((await shop.ask(found, 'admin')).data).toEqual({ summaries: { totalCount: 1, edges: [{ node: { id } }] } });
    expect((await shop.ask(found, 'customer')).errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  });

  it('takes tracked events once and brings them into the next dataset', async () => {
    const { data: page } = await shop.ask<{ products: { edges: { node: { id: string } }[] } }>(
      '{ products { edges { node { id } } } }',
    );
    const [product] = nodes(page?.products ?? { edges: [] });
    const variables = {
      events: [1, 2, 3].map((n) => ({ clientEventId: `event-${n}`, productId: product?.id, type: 'VIEW' })),
    };
    const track = 'mutation($events: [EventInput!]!) { trackEvents(events: $events) { accepted duplicates } }';
    expect((await shop.ask(track, 'customer', variables)).data).toEqual({
      trackEvents: { accepted: 3, duplicates: 0 },
    });
    expect((await shop.ask(track, 'customer', variables)).data).toEqual({
      trackEvents: { accepted: 0, duplicates: 3 },
    });
    expect((await shop.ask('{ me { recentlyViewed { id } } }', 'customer')).data).toEqual({
      me: { recentlyViewed: [product] },
    });

    const before = await readFile(path.join(dataDir, 'store/datasets/LATEST'), 'utf8');
    const { data } = await shop.ask<{ prepareDatasets: { id: string } }>(
      'mutation { prepareDatasets { id status } }',
      'admin',
    );
    const read = `{ job(id: "${data?.prepareDatasets.id}") { status progress error result logs(last: 5) attempts } }`;
    await expect
      .poll(async () => (await shop.ask<{ job: { status: string } }>(read, 'admin')).data?.job.status, {
        timeout: 120_000,
        interval: 500,
      })
      .toBe('SUCCEEDED');
    const after = await readFile(path.join(dataDir, 'store/datasets/LATEST'), 'utf8');
    expect(after).not.toBe(before);
    const manifest = async (version: string) =>
      JSON.parse(await readFile(path.join(dataDir, 'store/datasets', version.trim(), 'manifest.json'), 'utf8'));
    expect((await manifest(after)).counts.events - (await manifest(before)).counts.events).toBe(3);
  });

  it('compares the new dataset with what the models were trained on', async () => {
    type Answer = { jobs: { edges: { node: { status: string } }[] } };
    const check = async () =>
      nodes(
        (await shop.ask<Answer>('{ jobs(kind: CHECK_DRIFT) { edges { node { status } } } }', 'admin')).data?.jobs ?? {
          edges: [],
        },
      );
    await expect.poll(async () => (await check())[0]?.status, { timeout: 60_000, interval: 500 }).toBe('SUCCEEDED');
    const { data } = await shop.ask<{ models: { warning: string | null; drift: { psi: number }[] }[] }>(
      '{ models { warning drift { feature psi } } }',
      'analyst',
    );
    for (const { warning, drift } of data?.models ?? []) {
      expect(drift.length).toBeGreaterThan(15);
      // Three views among forty thousand events.
      expect(Math.max(...drift.map(({ psi }) => psi))).toBeLessThan(0.2);
      expect(warning).toBeNull();
    }
  });

  it('fails a job on a Parquet file that cannot be read, naming it, and goes on serving the dataset before', async () => {
    const latest = path.join(dataDir, 'store/datasets/LATEST');
    const before = [await readFile(latest, 'utf8'), (await readdir(path.join(dataDir, 'store/datasets'))).sort()];
    const raw = path.join(dataDir, 'lake/raw');
    const batch = (await readdir(raw)).find((name) => name.startsWith('generated-')) ?? '';
    const [day = ''] = await readdir(path.join(raw, batch, 'events'));
    const broken = path.join(raw, batch, 'events', day, 'part-broken.parquet');
    await writeFile(broken, 'this is no Parquet');
    try {
      const { data } = await shop.ask<{ prepareDatasets: { id: string } }>(
        'mutation { prepareDatasets { id } }',
        'admin',
      );
      const read = `{ job(id: "${data?.prepareDatasets.id}") { status error attempts } }`;
      const job = async () => (await shop.ask<{ job: { status: string } }>(read, 'admin')).data?.job;
      await expect.poll(async () => (await job())?.status, { timeout: 120_000, interval: 500 }).toBe('FAILED');
      expect(await job()).toMatchObject({ error: expect.stringContaining('part-broken.parquet'), attempts: 1 });
      expect(JSON.stringify(await job())).not.toContain(dataDir);
      expect([await readFile(latest, 'utf8'), (await readdir(path.join(dataDir, 'store/datasets'))).sort()]).toEqual(
        before,
      );
    } finally {
      await rm(broken);
    }
  });

  it('starts jobs for the admin and ends their whole process tree when they are cancelled', async () => {
    const batches = await readdir(path.join(dataDir, 'lake/raw'));
    for (const start of ['generateData(input: {users: 600, products: 120, seed: 8})', 'trainModels']) {
      const { data } = await shop.ask<Record<'started', { id: string }>>(
        `mutation { started: ${start} { id } }`,
        'admin',
      );
      const id = data?.started.id;
      const job = async () =>
        (await shop.ask<{ job: { status: string } }>(`{ job(id: "${id}") { status } }`, 'admin')).data?.job.status;
      await expect.poll(job, { timeout: 20_000 }).toBe('RUNNING');
      expect((await shop.ask(`mutation { cancelJob(id: "${id}") { id } }`, 'admin')).errors).toBeUndefined();
      await expect.poll(job, { timeout: 20_000 }).toBe('CANCELLED');
      expect((await shop.ask(`mutation { cancelJob(id: "${id}") { id } }`, 'admin')).errors?.[0]?.extensions.code).toBe(
        'CONFLICT',
      );
    }
    const left = (await processesWith(dataDir)).filter((line) => /generate\.py|train\.py|dvc/.test(line));
    expect(left).toEqual([]);
    expect(await readdir(path.join(dataDir, 'lake/raw'))).toEqual(batches);
  });

  it('prints how good the models are, with one JSON object as the last line', async () => {
    const env = { ...process.env, HASHIRA_DATA: dataDir };
    const { stdout } = await promisify(execFile)(process.execPath, ['scripts/bootstrap.mjs', 'evaluate'], {
      cwd: root,
      env,
    });
    const { recommender, forecaster } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
    expect(recommender.ours).toBeGreaterThan(recommender.popularity);
    expect(recommender.ceiling).toBeGreaterThan(recommender.ours);
    expect(forecaster.ours).toBeLessThan(forecaster.seasonalNaive);
  });

  it('serves the explorers and says that it is healthy', async () => {
    const origin = shop.url.replace('/graphql', '');
    const get = (where: string, accept = 'text/html') => fetch(origin + where, { headers: { accept } });
    expect(await (await get('/graphiql')).text()).toContain('GraphiQL');
    expect(await (await get('/graphql')).text()).toContain('<html');
    for (const check of ['live', 'ready']) expect((await get(`/health/${check}`)).status).toBe(200);
    expect((await get('/health/../../etc/passwd')).status).toBe(404);
  });
});

describe('stopping and starting again', () => {
  it('ends every child on SIGTERM, and starts again within 10 s without computing anything anew', async () => {
    let fastest = Number.POSITIVE_INFINITY;
    // Of three, since others may use the machine at that moment.
    for (let starts = 0; starts < 3 && fastest >= 10_000; starts++) {
      expect(await shop.stop()).toBe(0);
      await expect.poll(() => processesWith(dataDir), { timeout: 5_000 }).toEqual([]);
      const since = Date.now();
      shop = new Instance(dataDir, port, { DEMO_SHOP: SHOP });
      await shop.says('ready: ', 30_000);
      fastest = Math.min(fastest, Date.now() - since);
    }
    expect(fastest).toBeLessThan(10_000);
    const query = '{ me { recommendations(first: 1) { model { name version } edges { node { rank } } } } }';
    const model = { name: 'recommender', version: 1 };
    await expect
      .poll(async () => (await shop.ask<never>(query, 'customer')).data, { timeout: 30_000 })
      .toMatchObject({ me: { recommendations: { model } } });
    await shop.says('Time of each stage:', 10_000);
    expect(shop.output).not.toContain('Generate a shop');
  });

  it('is not kept from starting by what a killed start left behind', async () => {
    const instance = JSON.parse(await readFile(path.join(dataDir, 'run/instance.json'), 'utf8'));
    process.kill(instance.pid, 'SIGKILL');
    await shop.ended;
    shop = new Instance(dataDir, port, { DEMO_SHOP: SHOP });
    await shop.says('ready: ', 30_000);
    expect((await shop.ask('{ categories { id } }')).errors).toBeUndefined();
  });

  it('says with a code that the database is away, and goes on when it is back', async () => {
    const postgres = (await processesWith('postgres')).filter(
      (line) => line.includes(' -D ') && line.includes('hashira'),
    );
    const { env } = JSON.parse(await readFile(path.join(dataDir, 'run/instance.json'), 'utf8'));
    const own = postgres.find((line) => line.includes(` -p ${new URL(env.DATABASE_URL).port} `));
    const pid = Number(own?.trim().split(' ')[0]);
    const codes = new Set<string>();
    process.kill(pid, 'SIGKILL');
    // The server is started again after half a second, so some of these meet the outage.
    for (let good = 0, tries = 0; good < 3 && tries < 5_000; tries++) {
      const { errors } = await shop.ask('{ categories { id } }');
      if (errors) codes.add(errors[0]?.extensions.code ?? '');
      good = errors ? 0 : good + Number(codes.size > 0);
    }
    expect([...codes]).toEqual(['DATABASE_UNAVAILABLE']);
  });
});
