import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createDatabase } from '../../test/support/database.ts';
import type { Database } from '../kit/database.ts';
import { createLogger } from '../kit/log.ts';
import { type Claim, JobKind, JobStatus } from './jobs.ts';
import * as store from './store.ts';

let db: Database;
beforeAll(async () => {
  db = await createDatabase('pipeline');
});
beforeEach(() => db.query('DELETE FROM pipeline.jobs'));
afterAll(() => db.close());

const insert = (kind = JobKind.GENERATE_DATA) =>
  store.insertJob(db, { id: randomUUID(), kind, input: { users: 10 }, requestedBy: 'u1' });
const claim = async (id: string, worker = 'w1') => {
  const claimed = await store.claimJob(db, id, worker, 2);
  if (claimed.decision !== 'run') throw new Error(`expected to run it, not to ${claimed.decision}`);
  return claimed as Extract<Claim, { decision: 'run' }>;
};
test('pages through jobs without gaps or repeats, also among jobs of the same millisecond', async () => {
  for (let i = 0; i < 7; i++) await insert();
  await db.query(`UPDATE pipeline.jobs SET created_at = '2026-01-01T00:00:00.123Z'
                  WHERE id IN (SELECT id FROM pipeline.jobs LIMIT 4)`);
  const all = (await store.listJobs(db, 100, { after: null, kind: null, status: null })).map(({ id }) => id);
  expect(all).toHaveLength(7);
  const paged: string[] = [];
  let after: store.JobPosition | null = null;
  for (;;) {
    const page = await store.listJobs(db, 2, { after, kind: null, status: null });
    const last = page.at(-1);
    if (!last) break;
    paged.push(...page.map(({ id }) => id));
    after = { createdAt: last.createdAt.toISOString(), id: last.id };
  }
  expect(paged).toEqual(all);
});

test('filters by kind and status', async () => {
  const job = await insert(JobKind.TRAIN_MODELS);
  await insert();
  await claim(job.id);
  const list = (kind: JobKind | null, status: JobStatus | null) =>
    store.listJobs(db, 10, { after: null, kind, status }).then((jobs) => jobs.map(({ id }) => id));
  expect(await list(JobKind.TRAIN_MODELS, null)).toEqual([job.id]);
  expect(await list(null, JobStatus.RUNNING)).toEqual([job.id]);
  expect(await list(JobKind.GENERATE_DATA, JobStatus.RUNNING)).toEqual([]);
});

test('an id that is no uuid is the id of no job', async () => {
  expect(await store.findJob(db, "'; DROP TABLE")).toBeNull();
  expect(await store.requestCancel(db, '\0')).toBeNull();
  const { id } = await insert();
  expect((await store.findJobs(db, ['x', id, randomUUID()])).map((job) => job?.id)).toEqual([undefined, id, undefined]);
});

test('progress only grows within a run, and starts over with the next', async () => {
  const { id } = await insert();
  const { run } = await claim(id);
  await store.reportRun(db, id, run, { progress: 0.5, stage: 'a', lines: [] });
  await store.reportRun(db, id, run, { progress: 0.3, stage: 'b', lines: [] });
  expect(await store.findJob(db, id)).toMatchObject({ progress: 0.5, stage: 'b', attempts: 1, status: 'RUNNING' });
  await store.giveBackJob(db, id, run);
  expect(await store.findJob(db, id)).toMatchObject({ progress: 0, stage: null, attempts: 0, status: 'QUEUED' });
});

test('a second job of the lane has to wait for the first, one of another lane has not', async () => {
  const [first, second, training] = [await insert(), await insert(), await insert(JobKind.TRAIN_MODELS)];
  const { run } = await claim(first.id);
  expect((await store.claimJob(db, second.id, 'w2', 2)).decision).toBe('wait');
  expect((await store.claimJob(db, first.id, 'w2', 2)).decision).toBe('wait');
  await claim(training.id);
  await store.finishJob(db, first.id, run, { status: JobStatus.SUCCEEDED, result: {} });
  expect((await store.claimJob(db, first.id, 'w2', 2)).decision).toBe('done');
  await claim(second.id);
});

test('a job to be cancelled never succeeds', async () => {
  const { id } = await insert();
  const { run } = await claim(id);
  expect(await store.requestCancel(db, id)).toMatchObject({ status: 'RUNNING', stage: 'cancelling' });
  expect(await store.reportRun(db, id, run, { progress: 1, stage: 'x', lines: [] })).toEqual({
    held: true,
    cancelRequested: true,
  });
  await store.finishJob(db, id, run, { status: JobStatus.SUCCEEDED, result: { done: true } });
  expect(await store.findJob(db, id)).toMatchObject({ status: 'CANCELLED', result: null, stage: null });
});

test('a queued job is cancelled at once, and not run when it is delivered', async () => {
  const { id } = await insert();
  expect(await store.requestCancel(db, id)).toMatchObject({ status: 'CANCELLED' });
  expect(await store.requestCancel(db, id)).toBeNull();
  expect((await store.claimJob(db, id, 'w1', 2)).decision).toBe('done');
});

test('keeps the last 5,000 log lines, in their order', async () => {
  const { id } = await insert();
  const other = await insert();
  const { run } = await claim(id);
  const lines = Array.from({ length: 6_000 }, (_, i) => `line ${i}`);
  await store.reportRun(db, id, run, { progress: 0, stage: null, lines });
  await store.trimLogs(db, id);
  const [kept, none] = await store.lastLines(db, [id, other.id], 10_000);
  expect(kept).toEqual(lines.slice(-5_000));
  expect(none).toEqual([]);
  expect(await store.lastLines(db, [id], 2)).toEqual([['line 5998', 'line 5999']]);
});

test('tells listeners of every change that can be seen, and of no heartbeat', async () => {
  const heard: string[] = [];
  const listener = store.listenForChanges(db.url, (id) => heard.push(id), createLogger('test', 'silent'));
  await sleep(500);
  const { id } = await insert();
  const { run } = await claim(id);
  const report = { progress: 0.5, stage: 'x', lines: ['a line'] };
  await store.reportRun(db, id, run, report);
  await store.reportRun(db, id, run, { ...report, lines: [] });
  await store.finishJob(db, id, run, { status: JobStatus.SUCCEEDED, result: {} });
  await sleep(300);
  await listener.close();
  expect(heard).toEqual([id, id, id, id]);
});
