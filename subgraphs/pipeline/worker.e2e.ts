import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { freePort, startPostgres } from '../../scripts/postgres.ts';
import { createDatabase } from '../../test/support/database.ts';
import { Database } from '../kit/database.ts';
import { createLogger } from '../kit/log.ts';
import { migrate } from '../kit/migrate.ts';
import { isFinished, type Job } from './jobs.ts';
import { JobQueue } from './queue.ts';
import * as store from './store.ts';
import { enqueueShell, until } from './test/shell.ts';

const WORKER = fileURLToPath(new URL('./test/worker.ts', import.meta.url));

let database: Database;
let queue: JobQueue;
let dir: string;
const workers: ChildProcess[] = [];

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'hashira-worker-e2e-'));
  database = await createDatabase('pipeline');
  queue = await JobQueue.open(database.url, createLogger('test', 'silent'), { worker: false });
});
afterEach(() => {
  for (const worker of workers.splice(0)) worker.kill('SIGKILL');
});
afterAll(async () => {
  await queue.stop();
  await database.close();
  rmSync(dir, { recursive: true });
});

async function startWorker(url = database.url): Promise<ChildProcess> {
  const env = { ...process.env, DATABASE_URL: url, JOB_ATTEMPTS: '2', LOG_LEVEL: 'error' };
  const worker = spawn(process.execPath, ['--import', 'tsx', WORKER], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  workers.push(worker);
  await new Promise<void>((resolve, reject) => {
    worker.stdout?.once('data', () => resolve());
    worker.once('exit', () => reject(new Error('the worker did not start')));
  });
  return worker;
}

const enqueue = (script: string) => enqueueShell({ database, queue }, script);
const ended = (job: Job, ms: number) => until(database, job.id, ({ status }) => isFinished(status), ms);
const stage = (job: Job, wanted: string, ms: number) => until(database, job.id, (now) => now.stage === wanted, ms);

function processEnded(pidFile: string): boolean {
  const stat = `/proc/${readFileSync(pidFile, 'utf8').trim()}/stat`;
  return !existsSync(stat) || readFileSync(stat, 'utf8').includes(') Z');
}

/** Waits for a grandchild whose pid is in the file to be gone. */
async function untilEnded(pidFile: string, ms: number): Promise<void> {
  for (const end = Date.now() + ms; !processEnded(pidFile); await sleep(50)) {
    if (Date.now() > end) throw new Error(`a process of the job is alive after ${ms} ms`);
  }
}

test('a job whose worker is killed is tried again within 30 s, and failed when that worker is killed too', async () => {
  const pids = path.join(dir, 'killed');
  const job = await enqueue(`
    sh -c 'echo $$ > ${pids}; exec sleep 300' &
    sleep 0.3
    echo '@progress {"progress": 0.5, "stage": "up"}'
    wait`);
  const first = await startWorker();
  await stage(job, 'up', 10_000);
  const second = await startWorker();
  const killed = Date.now();
  first.kill('SIGKILL');
  await untilEnded(pids, 5_000);
  await until(database, job.id, ({ attempts, stage }) => attempts === 2 && stage === 'up', 30_000);
  console.log(`taken over after ${((Date.now() - killed) / 1000).toFixed(1)} s`);

  // Now there is no worker; the next to come finds the job and gives it up.
  second.kill('SIGKILL');
  await untilEnded(pids, 5_000);
  await startWorker();
  expect(await ended(job, 30_000)).toMatchObject({
    status: 'FAILED',
    attempts: 2,
    errorCode: 'WORKER_LOST',
    error: expect.stringMatching(/^The worker stopped/),
  });
});

test('a worker that is told to stop gives its job back and leaves within 15 s, even when the child does not listen', async () => {
  const pids = path.join(dir, 'stopped');
  const job = await enqueue(`
    trap "" TERM
    echo $$ > ${pids}; echo '@progress {"progress": 0.5, "stage": "up"}'
    while :; do sleep 0.1; done`);
  const worker = await startWorker();
  await stage(job, 'up', 10_000);
  const asked = Date.now();
  const exit = new Promise((resolve) => worker.once('exit', (code) => resolve(code)));
  worker.kill('SIGTERM');
  expect(await exit).toBe(0);
  expect(Date.now() - asked).toBeLessThan(15_000);
  expect(processEnded(pids)).toBe(true);
  expect(await store.findJob(database, job.id)).toMatchObject({ status: 'QUEUED', attempts: 0 });
  await store.requestCancel(database, job.id);
});

test('a job goes on through a restart of the database, once, while another worker stands by', async () => {
  const folder = path.join(dir, 'postgres');
  const port = await freePort();
  let server = await startPostgres(folder, { port });
  const migrations = fileURLToPath(new URL('./migrations', import.meta.url));
  const log = createLogger('test', 'silent');
  await migrate(server.url, 'pipeline', migrations, log);
  const own = { database: new Database(server.url), queue: await JobQueue.open(server.url, log, { worker: false }) };

  const marks = path.join(dir, 'restart');
  const job = await enqueueShell(
    own,
    `echo started >> ${marks}
     echo '@progress {"progress": 0.1, "stage": "up"}'
     sleep 9
     echo 'said in the dark'
     echo '@result {"survived": true}'`,
  );
  const first = await startWorker(server.url);
  await until(own.database, job.id, ({ stage }) => stage === 'up');
  const standby = await startWorker(server.url);
  await server.stop();
  // Longer than a worker may be silent.
  await sleep(11_000);
  server = await startPostgres(folder, { port });
  try {
    const done = await until(own.database, job.id, ({ status }) => isFinished(status), 20_000);
    expect(done).toMatchObject({ status: 'SUCCEEDED', attempts: 1, result: { survived: true } });
    expect((await store.lastLines(own.database, [job.id], 10))[0]).toContain('said in the dark');
    expect(readFileSync(marks, 'utf8')).toBe('started\n');
    expect([first.exitCode, standby.exitCode]).toEqual([null, null]);
    // The workers have found their way back.
    const next = await enqueueShell(own, `echo '@result {}'`);
    await until(own.database, next.id, ({ status }) => status === 'SUCCEEDED', 20_000);
  } finally {
    await own.queue.stop(1_000);
    await own.database.close();
    await server.stop();
  }
});

test('cancelling reaches a worker that cannot hear of it', async () => {
  const job = await enqueue(`echo '@progress {"progress": 0.5, "stage": "up"}'; exec sleep 300`);
  await startWorker();
  await stage(job, 'up', 10_000);
  // Without a notification: only the next heartbeat tells.
  await database.query('ALTER TABLE pipeline.jobs DISABLE TRIGGER job_changed');
  await store.requestCancel(database, job.id);
  await ended(job, 5_000);
  await database.query('ALTER TABLE pipeline.jobs ENABLE TRIGGER job_changed');
});
