import { afterAll, beforeAll, expect, test } from 'vitest';
import { ChromaServer } from '../../../test/support/chroma.ts';
import { createDatabase } from '../../../test/support/database.ts';
import { loadShop, productRow } from '../../catalog/testing.ts';
import type { Database } from '../../kit/database.ts';
import { createLogger } from '../../kit/log.ts';
import { enqueue } from '../enqueue.ts';
import { isFinished, type Job, JobKind, JobStatus } from '../jobs.ts';
import { JobQueue } from '../queue.ts';
import { requestCancel } from '../store.ts';
import { testConfig, until } from '../test/shell.ts';
import { startWorker, type Worker } from '../work.ts';
import { kinds } from './index.ts';

const log = createLogger('test', 'silent');
let chroma: ChromaServer;
let database: Database;
let queue: JobQueue;
let worker: Worker;

beforeAll(async () => {
  chroma = await ChromaServer.start();
  database = await createDatabase('catalog', 'pipeline');
  queue = await JobQueue.open(database.url, log, { worker: false });
  worker = await startWorker({ config: testConfig({ CHROMA_URL: chroma.url }), database, log, kinds });
});
afterAll(async () => {
  await worker?.stop();
  await queue?.stop();
  await database?.close();
  await chroma?.stop();
});

const index = (full?: boolean) => enqueue({ database, queue }, JobKind.INDEX_CATALOG, { full });
const ended = (job: Job) => until(database, job.id, ({ status }) => isFinished(status), 15_000);

test('indexes the catalogue, then what has changed, then all of it when told to', async () => {
  const products = ['a', 'b', 'c'].map((id) => productRow(id));
  await loadShop(database, products);
  const first = await ended(await index());
  expect(first).toMatchObject({
    status: JobStatus.SUCCEEDED,
    progress: 1,
    result: { indexed: 3, updated: 0, removed: 0, total: 3 },
  });
  await loadShop(database, [products[0] as object, productRow('b', { price: 77 })] as never);
  expect((await ended(await index())).result).toEqual({ indexed: 0, updated: 1, removed: 1, total: 2 });
  expect((await ended(await index(true))).result).toEqual({ indexed: 2, updated: 0, removed: 0, total: 2 });
});

test('outlives an outage of Chroma', async () => {
  await database.query("UPDATE catalog.products SET name = 'Another' WHERE id = 'a'");
  await chroma.kill();
  const job = await index();
  await until(database, job.id, ({ status }) => status === JobStatus.RUNNING);
  await chroma.again();
  expect((await ended(job)).result).toMatchObject({ indexed: 1 });
});

test('is cancelled in the middle, and goes on in the next job', async () => {
  await loadShop(
    database,
    Array.from({ length: 600 }, (_, n) => productRow(`p${n}`, { description: `${n} `.repeat(40) })),
  );
  const job = await index();
  await until(database, job.id, ({ progress }) => progress > 0);
  await requestCancel(database, job.id);
  expect(await ended(job)).toMatchObject({ status: JobStatus.CANCELLED });
  await database.query("DELETE FROM catalog.products WHERE id NOT IN ('p0', 'p599')");
  expect((await ended(await index())).result).toMatchObject({ total: 2 });
});
