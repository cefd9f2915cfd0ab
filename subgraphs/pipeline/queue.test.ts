import { expect, test } from 'vitest';
import { createDatabase } from '../../test/support/database.ts';
import { createLogger } from '../kit/log.ts';
import { enqueue } from './enqueue.ts';
import { JobKind } from './jobs.ts';
import { JobQueue } from './queue.ts';
import { insertJob, listJobs } from './store.ts';

const log = createLogger('test', 'silent');

test('several processes may open the queue of an empty database at once', async () => {
  const database = await createDatabase('pipeline');
  const queues = await Promise.all([1, 2, 3].map(() => JobQueue.open(database.url, log, { worker: false })));
  const [queue] = queues as [JobQueue];
  await enqueue({ database, queue }, JobKind.PREPARE_DATASETS);
  await Promise.all(queues.map((each) => each.stop(1_000)));
  await database.close();
});

test('a job and its delivery are there together, or neither', async () => {
  const database = await createDatabase('pipeline');
  const queue = await JobQueue.open(database.url, log, { worker: false });
  const work = database.transaction(async (tx) => {
    const id = '00000000-0000-4000-8000-000000000001';
    await insertJob(tx, { id, kind: JobKind.PREPARE_DATASETS, input: {}, requestedBy: null });
    await queue.send(tx, 'data', id);
    throw new Error('changed our mind');
  });
  await expect(work).rejects.toThrow('changed our mind');
  expect(await listJobs(database, 1, { after: null, kind: null, status: null })).toEqual([]);
  expect(await database.query('SELECT id FROM pipeline_queue.job')).toEqual([]);
  await queue.stop(1_000);
  await database.close();
});
