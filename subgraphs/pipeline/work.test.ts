import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase } from '../../test/support/database.ts';
import type { Database } from '../kit/database.ts';
import { createLogger } from '../kit/log.ts';
import { follow } from './enqueue.ts';
import { isFinished, type Job, JobKind, JobStatus } from './jobs.ts';
import { JobQueue } from './queue.ts';
import * as store from './store.ts';
import { enqueueShell, shellKinds, testConfig, until } from './test/shell.ts';
import { startWorker, type Worker } from './work.ts';

const log = createLogger('test', 'silent');
let database: Database;
let queue: JobQueue;
let worker: Worker;
let dir: string;

const start = (over = {}) => startWorker({ config: testConfig(over), database, log, kinds: shellKinds });

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'hashira-worker-'));
  database = await createDatabase('pipeline');
  queue = await JobQueue.open(database.url, log, { worker: false });
  worker = await start();
});
afterAll(async () => {
  await worker.stop();
  await queue.stop();
  await database.close();
  rmSync(dir, { recursive: true });
});

const enqueue = (script: string, kind?: JobKind) => enqueueShell({ database, queue }, script, kind);
const ended = (job: Job) => until(database, job.id, ({ status }) => isFinished(status));
const logsOf = async (job: Job) => (await store.lastLines(database, [job.id], 1_000))[0];

const processEnded = (pidFile: string): boolean => {
  const pid = readFileSync(pidFile, 'utf8').trim();
  const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'utf8') : ') Z';
  return stat.includes(') Z');
};

test('runs a job and keeps its progress, its log and its result', async () => {
  const job = await enqueue(`
    echo starting; echo "to postgres://joe:pw@db/x" >&2
    echo '@progress {"progress": 0.5, "stage": "halfway"}'
    sleep 1
    echo '@result {"rows": 7}'`);
  const halfway = await until(database, job.id, ({ progress }) => progress > 0);
  expect(halfway).toMatchObject({ status: 'RUNNING', progress: 0.4, stage: 'halfway', attempts: 1 });
  expect(await ended(job)).toMatchObject({
    status: 'SUCCEEDED',
    progress: 1,
    stage: null,
    result: { rows: 7 },
    error: null,
    startedAt: expect.any(Date),
    finishedAt: expect.any(Date),
  });
  expect(new Set(await logsOf(job))).toEqual(new Set(['starting', 'to postgres://***@db/x']));
});

test('a job whose child reports an error fails at once, without another try', async () => {
  const job = await ended(await enqueue(`echo '@error {"code": "LAKE_EMPTY", "message": "It is empty."}'; exit 1`));
  expect(job).toMatchObject({
    status: 'FAILED',
    errorCode: 'LAKE_EMPTY',
    error: 'It is empty.',
    attempts: 1,
    result: null,
  });
});

test('cancelling a running job ends its whole tree', async () => {
  const pids = path.join(dir, 'cancelled');
  const job = await enqueue(`
    trap "echo '@result {}'; exit 0" TERM
    sh -c 'echo $$ > ${pids}; exec sleep 300' &
    echo '@progress {"progress": 0.1, "stage": "up"}'
    wait`);
  await until(database, job.id, ({ stage }) => stage === 'up');
  const asked = Date.now();
  expect(await store.requestCancel(database, job.id)).toMatchObject({ status: 'RUNNING', stage: 'cancelling' });
  expect(await ended(job)).toMatchObject({ status: 'CANCELLED', result: null, error: null });
  expect(Date.now() - asked).toBeLessThan(3_000);
  expect(processEnded(pids)).toBe(true);
});

test('jobs of a lane run one after another, in order; another lane beside them', async () => {
  const marks = path.join(dir, 'marks');
  const script = (name: string) => `echo +${name} >> ${marks}; sleep 0.7; echo -${name} >> ${marks}; echo '@result {}'`;
  const jobs = [
    await enqueue(script('a'), JobKind.GENERATE_DATA),
    await enqueue(script('b'), JobKind.PREPARE_DATASETS),
    await enqueue(script('t'), JobKind.TRAIN_MODELS),
  ];
  await Promise.all(jobs.map(ended));
  const seen = readFileSync(marks, 'utf8').trim().split('\n');
  expect(seen.filter((mark) => !mark.endsWith('t'))).toEqual(['+a', '-a', '+b', '-b']);
  expect(seen.indexOf('+t')).toBeLessThan(seen.indexOf('+b'));
});

test('follow tells of every change and returns the finished job', async () => {
  const job = await enqueue(`
    echo '@progress {"progress": 0.5, "stage": "one"}'; sleep 1
    echo '@result {"ok": true}'`);
  const seen: string[] = [];
  const last = await follow(database, job.id, ({ status, stage }) => seen.push(`${status} ${stage ?? ''}`.trim()));
  expect(last).toMatchObject({ status: JobStatus.SUCCEEDED, result: { ok: true } });
  expect(seen[0]).toBe('QUEUED');
  expect(seen).toContain('RUNNING one');
  expect(seen.at(-1)).toBe('SUCCEEDED');
});

test('a kind that no worker knows fails with a reason', async () => {
  const job = await ended(await enqueue('exit 0', JobKind.INDEX_CATALOG));
  expect(job).toMatchObject({ status: 'FAILED', errorCode: 'UNSUPPORTED_KIND' });
});

test('a flood of output neither stops the job nor fills the database', async () => {
  const job = await enqueue(`seq 1 20000; echo '@result {}'`);
  expect(await ended(job)).toMatchObject({ status: 'SUCCEEDED' });
  const [row] = await database.query<{ lines: number }>(
    'SELECT count(*)::int AS lines FROM pipeline.job_logs WHERE job_id = $1',
    [job.id],
  );
  expect(row?.lines).toBeLessThanOrEqual(5_000);
  expect((await logsOf(job))?.at(-1)).toBe('20000');
});

test('a worker that is stopped gives its job back, and the next one does it', async () => {
  const pids = path.join(dir, 'given-back');
  const job = await enqueue(`
    [ -e ${pids} ] && { echo '@result {"second": true}'; exit 0; }
    echo $$ > ${pids}; echo '@progress {"progress": 0.5, "stage": "up"}'; exec sleep 300`);
  await until(database, job.id, ({ stage }) => stage === 'up');
  const asked = Date.now();
  await worker.stop();
  expect(Date.now() - asked).toBeLessThan(5_000);
  expect(processEnded(pids)).toBe(true);
  expect(await store.findJob(database, job.id)).toMatchObject({ status: 'QUEUED', attempts: 0, progress: 0 });
  worker = await start();
  expect(await ended(job)).toMatchObject({ status: 'SUCCEEDED', attempts: 1, result: { second: true } });
});

test('a job that takes too long is ended', async () => {
  await worker.stop();
  worker = await start({ JOB_TIMEOUT_MINUTES: 0.01 });
  const job = await ended(await enqueue('exec sleep 300'));
  expect(job).toMatchObject({ status: 'FAILED', errorCode: 'TIMEOUT' });
});
