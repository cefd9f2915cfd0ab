import { randomUUID } from 'node:crypto';
import { graphql } from 'graphql';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createDatabase } from '../../test/support/database.ts';
import type { Database } from '../kit/database.ts';
import { HashiraError, notFound } from '../kit/errors.ts';
import type { FederatedSchema } from '../kit/federation.ts';
import { createLogger } from '../kit/log.ts';
import type { ModelVersion, Registry, Split } from '../kit/registry.ts';
import type { RunningSubgraph } from '../kit/subgraph.ts';
import { pipeline } from './index.ts';
import { JobKind } from './jobs.ts';
import * as store from './store.ts';
import { testConfig } from './test/shell.ts';

let database: Database;
let federated: FederatedSchema;
let subgraph: RunningSubgraph;
let registryCalls: string[];
let split: Split | null = null;

const version = (name: string, number: number): ModelVersion => ({
  name,
  version: number,
  runId: `run-${number}`,
  dataVersion: 'd1',
  createdAt: new Date('2026-01-01T00:00:00Z'),
  production: number === 1,
  metrics: { ours: { ndcg: 0.3 } },
  tags:
    number === 2 ? { gate: 'failed', 'gate.reason': 'it is worse' } : { gate: 'passed', 'gate.reason': 'it is better' },
});
const VERSIONS = [version('recommender', 2), version('recommender', 1)];
const find = (name: string, number: number) =>
  VERSIONS.find((one) => one.name === name && one.version === number) ?? null;

const registry: Registry = {
  productionVersion: async (name) => find(name, 1),
  version: async (name, number) => find(name, number),
  list: async (name) => VERSIONS.filter((one) => name === undefined || one.name === name),
  getMany: async (keys) => {
    registryCalls.push(`getMany ${keys.length}`);
    return keys.map((key) => find(key.name, key.version));
  },
  setProduction: async (name, number) => {
    const found = find(name, number);
    if (!found) throw notFound('model version', `${name} ${number}`);
    if (number === 2) throw new HashiraError('GATE_NOT_PASSED', 'Version 2 did not pass.');
    return { ...found, production: true };
  },
  download: async () => {},
  split: async (name) => {
    registryCalls.push(`split ${name}`);
    return split;
  },
  setSplit: async (name, number, share) => {
    const challenger = find(name, number);
    if (!challenger) throw notFound('model version', `${name} ${number}`);
    split = share === 0 ? null : { challenger, share, against: 1 };
    return challenger;
  },
  text: async (name, number, file) => (number === 1 ? `${file} of ${name}` : null),
};

beforeAll(async () => {
  database = await createDatabase('pipeline');
  const log = createLogger('test', 'silent');
  subgraph = await pipeline.start({ config: testConfig(), database, log, registry });
  federated = await pipeline.schema();
});
beforeEach(async () => {
  registryCalls = [];
  await database.query('DELETE FROM pipeline.jobs');
});
afterAll(async () => {
  await subgraph.stop?.();
  await database.close();
});

async function ask(source: string, variableValues: Record<string, unknown> = {}) {
  const contextValue = subgraph.context({
    identity: { subject: 'boss', scopes: ['admin'] },
    requestId: 'r1',
    log: createLogger('test', 'silent'),
  });
  const { data, errors } = await graphql({ schema: federated.schema, source, variableValues, contextValue });
  return {
    // As it goes over the wire.
    data: JSON.parse(JSON.stringify(data ?? null)),
    errors: errors?.map(({ message, extensions }) => ({ message, code: extensions.code })),
  };
}

test('generateData queues a job that says who asked for what', async () => {
  const { data, errors } = await ask(`mutation { generateData(input: {users: 100, endDate: "2026-01-31"}) {
    id kind status progress stage logs attempts error result startedAt finishedAt requestedBy { id } } }`);
  expect(errors).toBeUndefined();
  const { id, ...job } = data.generateData;
  expect(job).toEqual({
    kind: 'GENERATE_DATA',
    status: 'QUEUED',
    progress: 0,
    stage: null,
    logs: [],
    attempts: 0,
    error: null,
    result: null,
    startedAt: null,
    finishedAt: null,
    requestedBy: { id: 'boss' },
  });
  expect((await store.findJob(database, id))?.input).toMatchObject({
    users: 100,
    products: 500,
    endDate: '2026-01-31',
  });
  const [delivery] = await database.query<{ name: string }>('SELECT name FROM pipeline_queue.job WHERE id = $1', [id]);
  expect(delivery?.name).toBe('data');
});

test('indexCatalog queues a job in a lane of its own', async () => {
  const { data, errors } = await ask('mutation { indexCatalog(full: true) { id kind } }');
  expect(errors).toBeUndefined();
  expect(data.indexCatalog.kind).toBe('INDEX_CATALOG');
  const { id } = data.indexCatalog;
  expect((await store.findJob(database, id))?.input).toEqual({ full: true });
  const [delivery] = await database.query<{ name: string }>('SELECT name FROM pipeline_queue.job WHERE id = $1', [id]);
  expect(delivery?.name).toBe('index');
});

test.each([
  'mutation { generateData(input: {users: 1}) { id } }',
  'mutation { trainModels(input: {models: ["oracle"]}) { id } }',
  'mutation { promoteModel(name: "recommender", version: 0) { name } }',
  'mutation { splitTraffic(name: "recommender", version: 2, share: 1.5) { name } }',
  'mutation { splitTraffic(name: "recommender", version: 0, share: 0.5) { name } }',
  'mutation { splitTraffic(name: "forecaster", version: 2, share: 0.5) { name } }',
  '{ jobs(first: 0) { edges { cursor } } }',
  '{ jobs(first: 101) { edges { cursor } } }',
  '{ jobs(after: "nonsense") { edges { cursor } } }',
])('%s is refused as bad input, and queues nothing', async (query) => {
  const { data, errors } = await ask(query);
  expect(data).toBeNull();
  expect(errors).toMatchObject([{ code: 'BAD_USER_INPUT' }]);
  expect(await store.listJobs(database, 1, { after: null, kind: null, status: null })).toEqual([]);
});

test('models tell their gate, their card and whom they answer', async () => {
  const query = '{ models { version card gate { passed reason } share } }';
  expect((await ask(query)).data.models).toEqual([
    { version: 2, card: null, gate: { passed: false, reason: 'it is worse' }, share: 0 },
    {
      version: 1,
      card: 'MODEL_CARD.md of recommender',
      gate: { passed: true, reason: 'it is better' },
      share: 1,
    },
  ]);
  const splitting =
    'mutation($share: Float!) { splitTraffic(name: "recommender", version: 2, share: $share) { version share } }';
  expect((await ask(splitting, { share: 0.25 })).data.splitTraffic).toEqual({ version: 2, share: 0.25 });
  registryCalls = [];
  expect((await ask('{ models { version share } }')).data.models).toEqual([
    { version: 2, share: 0.25 },
    { version: 1, share: 0.75 },
  ]);
  expect(registryCalls).toEqual(['split recommender']);
  expect((await ask(splitting, { share: 0 })).data.splitTraffic).toEqual({ version: 2, share: 0 });
});

test('a model tells how far its data have moved, by day, and warns when that is too far', async () => {
  await database.query(
    `INSERT INTO pipeline.drift VALUES ('recommender', 1, '2026-11-01', 'age', 0.5), ('recommender', 1, '2026-11-02', 'age', 0.1),
       ('recommender', 1, '2026-11-02', 'prediction', 0.3)`,
  );
  const query = `query($days: Int) { model(name: "recommender", version: 1) { warning drift(days: $days) { day feature psi } } }`;
  const newest = [
    { day: '2026-11-02', feature: 'age', psi: 0.1 },
    { day: '2026-11-02', feature: 'prediction', psi: 0.3 },
  ];
  const { data } = await ask(query);
  expect(data.model).toEqual({ warning: expect.stringContaining('prediction 0.30'), drift: newest });
  expect((await ask(query, { days: 2 })).data.model.drift).toEqual([
    ...newest,
    { day: '2026-11-01', feature: 'age', psi: 0.5 },
  ]);
  expect((await ask(query, { days: 0 })).errors).toMatchObject([{ code: 'BAD_USER_INPUT' }]);
  const other =
    '{ model(name: "recommender", version: 2) { warning drift { day } } none: model(name: "x", version: 1) { name } }';
  expect((await ask(other)).data).toEqual({ model: { warning: null, drift: [] }, none: null });
});

test('an unknown job is null, and cannot be cancelled', async () => {
  for (const id of [randomUUID(), 'nonsense']) {
    expect(await ask('query($id: ID!) { job(id: $id) { id } }', { id })).toEqual({ data: { job: null } });
    const { errors } = await ask('mutation($id: ID!) { cancelJob(id: $id) { id } }', { id });
    expect(errors).toMatchObject([{ code: 'NOT_FOUND' }]);
  }
});

test('a finished job cannot be cancelled', async () => {
  const { data } = await ask('mutation { prepareDatasets { id } }');
  const cancel = 'mutation($id: ID!) { cancelJob(id: $id) { status finishedAt } }';
  const first = await ask(cancel, data.prepareDatasets);
  expect(first.data.cancelJob).toEqual({ status: 'CANCELLED', finishedAt: expect.any(String) });
  expect((await ask(cancel, data.prepareDatasets)).errors).toMatchObject([{ code: 'CONFLICT' }]);
});

test('pages through the jobs by cursor', async () => {
  for (let i = 0; i < 5; i++) await ask('mutation { prepareDatasets { id } }');
  const page =
    'query($after: String) { jobs(first: 2, after: $after) { edges { node { id } } pageInfo { hasNextPage endCursor } } }';
  const seen: string[] = [];
  let after: string | null = null;
  do {
    const { data } = await ask(page, { after });
    seen.push(...data.jobs.edges.map((edge: { node: { id: string } }) => edge.node.id));
    after = data.jobs.pageInfo.hasNextPage ? data.jobs.pageInfo.endCursor : null;
  } while (after);
  expect(new Set(seen).size).toBe(5);
});

test('the logs of many jobs cost one statement', async () => {
  for (let i = 0; i < 5; i++) {
    const { id } = await store.insertJob(database, {
      id: randomUUID(),
      kind: i === 0 ? JobKind.TRAIN_MODELS : JobKind.PREPARE_DATASETS,
      input: {},
      requestedBy: null,
    });
    await database.query(
      `INSERT INTO pipeline.job_logs (job_id, line) SELECT $1, 'line ' || n FROM generate_series(1, 9) n`,
      [id],
    );
  }
  const before = database.statements;
  const { data } = await ask('{ jobs { edges { node { logs(last: 2) requestedBy { id } } } } }');
  expect(database.statements - before).toBe(2);
  expect(data.jobs.edges).toHaveLength(5);
  for (const { node } of data.jobs.edges) expect(node).toEqual({ logs: ['line 8', 'line 9'], requestedBy: null });
  const { errors } = await ask('{ jobs { edges { node { logs(last: 1001) } } } }');
  expect(errors?.[0]).toMatchObject({ code: 'BAD_USER_INPUT' });
});

test('lists and promotes model versions', async () => {
  const { data } = await ask(
    '{ models(name: "recommender") { name version production metrics createdAt runId dataVersion } }',
  );
  expect(data.models).toHaveLength(2);
  expect(data.models[1]).toEqual({
    name: 'recommender',
    version: 1,
    production: true,
    metrics: { ours: { ndcg: 0.3 } },
    createdAt: '2026-01-01T00:00:00.000Z',
    runId: 'run-1',
    dataVersion: 'd1',
  });
  const promote = 'mutation($v: Int!) { promoteModel(name: "recommender", version: $v) { production } }';
  expect((await ask(promote, { v: 1 })).data.promoteModel).toEqual({ production: true });
  expect((await ask(promote, { v: 2 })).errors).toMatchObject([{ code: 'GATE_NOT_PASSED' }]);
  expect((await ask(promote, { v: 3 })).errors).toMatchObject([{ code: 'NOT_FOUND' }]);
});

test('resolves references to jobs and model versions, all of a kind at once', async () => {
  const { data: queued } = await ask('mutation { prepareDatasets { id } }');
  const representations = [
    { __typename: 'ModelVersion', name: 'recommender', version: 2 },
    { __typename: 'ModelVersion', name: 'recommender', version: 1 },
    { __typename: 'ModelVersion', name: 'recommender', version: 9 },
    { __typename: 'Job', id: queued.prepareDatasets.id },
    { __typename: 'Job', id: 'nonsense' },
  ];
  const { data, errors } = await ask(
    `query($representations: [_Any!]!) { _entities(representations: $representations) {
      ... on ModelVersion { runId } ... on Job { status } } }`,
    { representations },
  );
  expect(errors).toBeUndefined();
  expect(data._entities).toEqual([{ runId: 'run-2' }, { runId: 'run-1' }, null, { status: 'QUEUED' }, null]);
  expect(registryCalls).toEqual(['getMany 3']);
});

test('declares who may do what', () => {
  const field = (name: string) =>
    new RegExp(`^  ${name}\\b.*$`, 'm').exec(federated.sdl.replaceAll(/\(\n[^)]*\)/g, '()'))?.[0];
  for (const name of [
    'job',
    'jobs',
    'generateData',
    'prepareDatasets',
    'trainModels',
    'cancelJob',
    'promoteModel',
    'jobProgress',
  ]) {
    expect(field(name), name).toContain('@requiresScopes(scopes: [["admin"]])');
  }
  expect(field('models')).toContain('@requiresScopes(scopes: [["admin"], ["analyst"]])');
});
