import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Config, loadConfig } from '../../kit/config.ts';
import type { Database } from '../../kit/database.ts';
import { type Job, JobKind, laneOf } from '../jobs.ts';
import type { JobQueue } from '../queue.ts';
import type { Kind } from '../run.ts';
import { findJob, insertJob } from '../store.ts';

/** A kind for tests: the job's input is a shell script, run as a real child that speaks the protocol. */
const shell: Kind = (run) =>
  run.child(
    { name: 'The test job', command: 'sh', args: ['-c', String(run.job.input.script)], env: process.env },
    0,
    0.8,
  );

export const shellKinds = {
  [JobKind.GENERATE_DATA]: shell,
  [JobKind.PREPARE_DATASETS]: shell,
  [JobKind.TRAIN_MODELS]: shell,
};

export const testConfig = (over: Partial<Config> = {}): Config => ({ ...loadConfig({}), LOG_LEVEL: 'silent', ...over });

/** As `enqueue` does it, without the checks of the input. */
export function enqueueShell(
  { database, queue }: { database: Database; queue: JobQueue },
  script: string,
  kind = JobKind.PREPARE_DATASETS,
): Promise<Job> {
  return database.transaction(async (tx) => {
    const job = await insertJob(tx, { id: randomUUID(), kind, input: { script }, requestedBy: null });
    await queue.send(tx, laneOf(kind), job.id);
    return job;
  });
}

/** Waits until the job is as wanted. @throws Error that shows the job as it is, when it takes too long */
export async function until(database: Database, id: string, wanted: (job: Job) => boolean, ms = 10_000): Promise<Job> {
  const end = Date.now() + ms;
  for (;;) {
    const job = await findJob(database, id);
    if (job && wanted(job)) return job;
    if (Date.now() > end) throw new Error(`not reached in ${ms} ms: ${JSON.stringify(job)}`);
    await sleep(50);
  }
}
