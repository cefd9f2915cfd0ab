import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../kit/database.ts';
import { HashiraError } from '../kit/errors.ts';
import { parseInput } from './inputs.ts';
import { isFinished, type Job, type JobKind, type JsonObject, laneOf } from './jobs.ts';
import type { JobQueue } from './queue.ts';
import { findJob, insertJob } from './store.ts';

/**
 * Asks for a job.
 * @param requestedBy the user's id; null when a script asks
 * @throws HashiraError BAD_USER_INPUT, DATABASE_UNAVAILABLE
 */
export async function enqueue(
  { database, queue }: { database: Database; queue: JobQueue },
  kind: JobKind,
  input: JsonObject = {},
  requestedBy: string | null = null,
): Promise<Job> {
  const parsed = parseInput(kind, input);
  return database.transaction(async (tx) => {
    const job = await insertJob(tx, { id: randomUUID(), kind, input: parsed, requestedBy });
    await queue.send(tx, laneOf(kind), job.id);
    return job;
  });
}

/**
 * Calls back whenever the job has changed, and returns it when it is finished. An outage of the database is waited out.
 * @throws HashiraError NOT_FOUND; the signal's reason when it is aborted
 */
export async function follow(
  database: Database,
  id: string,
  onUpdate: (job: Job) => void = () => {},
  signal?: AbortSignal,
): Promise<Job> {
  let seen = '';
  for (;;) {
    signal?.throwIfAborted();
    try {
      const job = await findJob(database, id);
      if (!job) throw new HashiraError('NOT_FOUND', 'The job is not there any more.');
      const state = JSON.stringify(job);
      if (state !== seen) onUpdate(job);
      seen = state;
      if (isFinished(job.status)) return job;
    } catch (error) {
      if (!(error instanceof HashiraError && error.code === 'DATABASE_UNAVAILABLE')) throw error;
    }
    await sleep(400, undefined, { signal });
  }
}
