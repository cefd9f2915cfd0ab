import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createDatabase } from '../../test/support/database.ts';
import { JobKind, JobStatus } from './jobs.ts';
import * as store from './store.ts';

test('a worker that was taken for dead can write nothing any more', async () => {
  const db = await createDatabase('pipeline');
  const { id } = await store.insertJob(db, {
    id: randomUUID(),
    kind: JobKind.GENERATE_DATA,
    input: {},
    requestedBy: null,
  });
  const claim = (worker: string) => store.claimJob(db, id, worker, 2);
  const silence = () =>
    db.query(`UPDATE pipeline.jobs SET heartbeat_at = now() - interval '1 minute' WHERE id = $1`, [id]);
  // The server may have just been started: then no worker is taken for dead yet.
  const [server] = await db.query<{ ms: number }>(
    'SELECT greatest(0, 15100 - extract(epoch FROM now() - pg_postmaster_start_time()) * 1000)::int AS ms',
  );
  await sleep(server?.ms ?? 0);

  const first = await claim('w1');
  expect(first).toMatchObject({ decision: 'run', run: 1 });
  await silence();
  expect(await claim('w2')).toMatchObject({ decision: 'run', run: 2, job: { attempts: 2 } });
  expect(await store.reportRun(db, id, 1, { progress: 0.9, stage: 'late', lines: ['late'] })).toMatchObject({
    held: false,
  });
  expect(await store.finishJob(db, id, 1, { status: JobStatus.SUCCEEDED, result: { late: true } })).toBe(false);
  await store.giveBackJob(db, id, 1);
  expect(await store.findJob(db, id)).toMatchObject({ status: 'RUNNING', progress: 0, stage: null, result: null });
  expect(await store.lastLines(db, [id], 10)).toEqual([[]]);

  await silence();
  expect(await claim('w3')).toEqual({ decision: 'done' });
  expect(await store.findJob(db, id)).toMatchObject({
    status: 'FAILED',
    errorCode: 'WORKER_LOST',
    error: expect.stringContaining('The worker stopped'),
  });
  await db.close();
});
