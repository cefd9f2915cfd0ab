import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { python, root } from '../../../scripts/stack.ts';
import { createDatabase } from '../../../test/support/database.ts';
import { MlflowServer } from '../../../test/support/mlflow.ts';
import type { Database } from '../../kit/database.ts';
import { createLogger } from '../../kit/log.ts';
import { driftOf } from '../drift-store.ts';
import { enqueue } from '../enqueue.ts';
import { isFinished, type Job, JobKind, JobStatus } from '../jobs.ts';
import { JobQueue } from '../queue.ts';
import { listJobs } from '../store.ts';
import { testConfig, until } from '../test/shell.ts';
import { startWorker, type Worker } from '../work.ts';
import { checkDrift } from './check-drift.ts';

// A real model of a small shop, in a real registry, and two datasets in a store: the one that it was trained on, and a newer one.

const SCRIPT = `
import json, sys
from pathlib import Path
import pyarrow.parquet as pq
from common import drift
from recommender import train
from recommender.test_train import write_dataset
data = write_dataset(Path("data"), 240)
train.main()
reference = drift.reference(drift.sample("recommender", Path("out/recommender/bundle"), data))
Path("reference.json").write_text(json.dumps(reference))
newer = write_dataset(Path("newer"), 240)
file = newer / "interactions/part-0.parquet"
table = pq.read_table(file)
rows = [row | {"weight": 4.0} for number, row in enumerate(table.to_pylist()) if number % 3 == 0]
pq.write_table(table.schema.empty_table().from_pylist(rows, schema=table.schema), file)
`;

const log = createLogger('test', 'silent');
let dir: string;
let mlflow: MlflowServer;
let database: Database;
let queue: JobQueue;
let worker: Worker;

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'hashira-drift-e2e-'));
  await promisify(execFile)(python(), ['-c', SCRIPT], {
    cwd: dir,
    env: { ...process.env, PYTHONPATH: path.join(root, 'ml') },
  });
  mlflow = await MlflowServer.start();
  const reference = JSON.parse(await readFile(path.join(dir, 'reference.json'), 'utf8'));
  await mlflow.register(0.25, {}, path.join(dir, 'out/recommender/bundle'), reference);
  for (const [name, version] of Object.entries({ data: 'aaaa', newer: 'bbbb' })) {
    const target = path.join(dir, 'store/datasets', version);
    await mkdir(path.dirname(target), { recursive: true });
    await cp(path.join(dir, name), target, { recursive: true });
    await writeFile(path.join(target, '_SUCCESS'), '');
  }
  database = await createDatabase('pipeline');
  queue = await JobQueue.open(database.url, log, { worker: false });
  const config = testConfig({
    ...{ STORE_URI: path.join(dir, 'store'), MLFLOW_TRACKING_URI: mlflow.url, DRIFT_RETRAIN: 'true' },
  });
  worker = await startWorker({ config, database, log, kinds: { [JobKind.CHECK_DRIFT]: checkDrift } });
});
afterAll(async () => {
  await worker?.stop();
  await queue?.stop();
  await database?.close();
  await mlflow?.stop();
  await rm(dir, { recursive: true, force: true });
});

async function checked(dataVersion: string): Promise<Job> {
  await writeFile(path.join(dir, 'store/datasets/LATEST'), dataVersion);
  const job = await enqueue({ database, queue }, JobKind.CHECK_DRIFT);
  return until(database, job.id, ({ status }) => isFinished(status), 120_000);
}

const trainings = () => listJobs(database, 10, { after: null, kind: JobKind.TRAIN_MODELS, status: null });
const psi = async () => {
  const [drift = []] = await driftOf(database, [{ name: 'recommender', version: 1 }]);
  expect(drift.map(({ feature }) => feature)).toContain('prediction');
  return Math.max(...drift.map((one) => one.psi));
};

test('the data that a model was trained on have not moved', async () => {
  expect(await checked('aaaa')).toMatchObject({
    status: JobStatus.SUCCEEDED,
    result: { dataVersion: 'aaaa', training: null },
  });
  expect(await psi()).toBeLessThan(1e-6);
  expect(await trainings()).toEqual([]);
});

test('data in which users do otherwise have, and the model is trained anew where that is wanted', async () => {
  const job = await checked('bbbb');
  expect(job).toMatchObject({ status: JobStatus.SUCCEEDED, result: { dataVersion: 'bbbb' } });
  expect(await psi()).toBeGreaterThan(0.2);
  const [training] = await trainings();
  expect(training).toMatchObject({ id: job.result?.training, input: { models: ['recommender'] }, requestedBy: null });
});
