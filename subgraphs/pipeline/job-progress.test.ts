import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ExecutionResult, parse, subscribe } from 'graphql';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { createDatabase } from '../../test/support/database.ts';
import { Database } from '../kit/database.ts';
import type { FederatedSchema } from '../kit/federation.ts';
import { createLogger } from '../kit/log.ts';
import { createRegistry } from '../kit/registry.ts';
import type { RunningSubgraph } from '../kit/subgraph.ts';
import { pipeline } from './index.ts';
import { JobProgress } from './job-progress.ts';
import { type Job, JobKind, JobStatus } from './jobs.ts';
import * as store from './store.ts';
import { testConfig } from './test/shell.ts';

const log = createLogger('test', 'silent');
let database: Database;
/** The progress's own, so that its statements can be counted. */
let reader: Database;
let progress: JobProgress;
let federated: FederatedSchema;
let subgraph: RunningSubgraph;

beforeAll(async () => {
  database = await createDatabase('pipeline');
  reader = new Database(database.url, { max: 2 });
  federated = await pipeline.schema();
  const config = testConfig();
  subgraph = await pipeline.start({ config, database, log, registry: createRegistry(config) });
});
beforeEach(async () => {
  await database.query('DELETE FROM pipeline.jobs');
  progress = new JobProgress(reader, log);
});
afterEach(async () => {
  expect(progress.watchers).toBe(0);
  await vi.waitFor(async () => expect(await listeners()).toBe(0));
  await progress.stop();
});
afterAll(async () => {
  await subgraph.stop?.();
  await reader.close();
  await database.close();
});

const listeners = async () => {
  const [row] = await database.query<{ count: number }>(
    `SELECT count(*)::int FROM pg_stat_activity
     WHERE application_name = 'pipeline_job-listener' AND datname = current_database()`,
  );
  return row?.count;
};
const listening = () => vi.waitFor(async () => expect(await listeners()).toBe(1));
/** A job that runs, and its end by `finish`. */
async function running() {
  const { id } = await store.insertJob(database, {
    id: randomUUID(),
    kind: JobKind.PREPARE_DATASETS,
    input: {},
    requestedBy: null,
  });
  const claim = await store.claimJob(database, id, 'w1', 2);
  if (claim.decision !== 'run') throw new Error(claim.decision);
  const { run } = claim;
  return {
    id,
    report: (at: number, lines: string[] = []) =>
      store.reportRun(database, id, run, { progress: at, stage: 'cleaning', lines }),
    finish: () => store.finishJob(database, id, run, { status: JobStatus.SUCCEEDED, result: {} }),
  };
}
const next = async (jobs: AsyncIterator<Job>) => (await jobs.next()).value as Job;

test('tells of a job as it is, then of every change, and ends behind the last', async () => {
  const job = await running();
  const jobs = await progress.watch(job.id);
  expect(await next(jobs)).toMatchObject({ id: job.id, status: 'RUNNING', progress: 0 });
  await listening();
  await job.report(0.5);
  expect(await next(jobs)).toMatchObject({ progress: 0.5, stage: 'cleaning' });
  await job.report(0.5, ['a line']);
  expect(await next(jobs)).toMatchObject({ progress: 0.5 });
  await job.finish();
  expect(await next(jobs)).toMatchObject({ status: 'SUCCEEDED', progress: 1 });
  expect((await jobs.next()).done).toBe(true);
});

test('tells of a finished job once', async () => {
  const job = await running();
  await job.finish();
  const seen: Job[] = [];
  for await (const state of await progress.watch(job.id)) seen.push(state);
  expect(seen).toMatchObject([{ status: 'SUCCEEDED' }]);
});

test('does not know a job that is none', async () => {
  for (const id of [randomUUID(), 'nonsense']) {
    await expect(progress.watch(id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  }
});

test('loses no change between the first look and the connection that listens', async () => {
  const job = await running();
  const jobs = await progress.watch(job.id);
  expect(await next(jobs)).toMatchObject({ progress: 0 });
  await job.report(0.3); // Long before LISTEN.
  expect(await next(jobs)).toMatchObject({ progress: 0.3 });
  await jobs.return?.();
});

test('one connection and one read per change serve a hundred watchers', async () => {
  const job = await running();
  const all = await Promise.all(Array.from({ length: 100 }, () => progress.watch(job.id)));
  for (const jobs of all) expect(await next(jobs)).toMatchObject({ progress: 0 });
  await listening();
  await sleep(300);
  const before = reader.statements;
  await job.report(0.7);
  for (const jobs of all) expect(await next(jobs)).toMatchObject({ progress: 0.7 });
  expect(reader.statements - before).toBe(1);
  expect(await listeners()).toBe(1);
  for (const jobs of all) await jobs.return?.();
});

test('tells of many changes a few times a second, and of the last for certain', async () => {
  const job = await running();
  const jobs = await progress.watch(job.id);
  await next(jobs);
  await listening();
  const before = reader.statements;
  const seen: number[] = [];
  const watching = (async () => {
    for await (const state of jobs) seen.push(state.progress);
  })();
  for (let i = 1; i <= 100; i++) {
    await job.report(i / 200);
    await sleep(8);
  }
  await job.finish();
  await watching;
  expect(seen.at(-1)).toBe(1);
  expect(seen.length).toBeGreaterThan(2);
  expect(seen.length).toBeLessThan(9);
  expect(reader.statements - before).toBeLessThan(9);
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
});

test('ends at once when it is returned or its signal aborts, also while it waits', async () => {
  const job = await running();
  const leaving = new AbortController();
  const streams = [await progress.watch(job.id), await progress.watch(job.id, leaving.signal)];
  for (const jobs of streams) await next(jobs);
  const waiting = streams.map((jobs) => jobs.next());
  await streams[0]?.return?.();
  leaving.abort();
  for (const end of waiting) expect((await end).done).toBe(true);
  expect(progress.watchers).toBe(0);
});

test('hears of changes that nobody told of, after its connection was cut', async () => {
  const job = await running();
  const jobs = await progress.watch(job.id);
  await next(jobs);
  await listening();
  await database.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE application_name = 'pipeline_job-listener' AND datname = current_database()`,
  );
  await job.report(0.4);
  expect(await next(jobs)).toMatchObject({ progress: 0.4 });
  await jobs.return?.();
});

test('the subscription gives what belongs to each event anew', async () => {
  const job = await running();
  const contextValue = subgraph.context({ identity: null, requestId: 'r', log });
  const document = parse(
    'subscription($id: ID!) { jobProgress(id: $id) { id status progress logs requestedBy { id } } }',
  );
  const open = (id: string) =>
    subscribe({ schema: federated.schema, document, variableValues: { id }, contextValue }) as Promise<
      AsyncGenerator<ExecutionResult>
    >;
  const events = await open(job.id);
  const event = async () => (await events.next()).value?.data?.jobProgress;
  expect(await event()).toEqual({ id: job.id, status: 'RUNNING', progress: 0, logs: [], requestedBy: null });
  await listening();
  await job.report(0.5, ['half']);
  expect(await event()).toMatchObject({ progress: 0.5, logs: ['half'] });
  await job.finish();
  expect(await event()).toMatchObject({ status: 'SUCCEEDED', logs: ['half'] });
  expect((await events.next()).done).toBe(true);
  expect(await open(randomUUID())).toMatchObject({ errors: [{ extensions: { code: 'NOT_FOUND' } }] });
});
