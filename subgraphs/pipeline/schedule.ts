import type { Config } from '../kit/config.ts';
import type { Database } from '../kit/database.ts';
import type { Logger } from '../kit/log.ts';
import { countUnsummarized } from '../summary/store.ts';
import { enqueue } from './enqueue.ts';
import { JobKind, JobStatus } from './jobs.ts';
import { JobQueue } from './queue.ts';
import { listJobs } from './store.ts';

/** What is done without being asked for. */
export interface Schedule {
  stop(): Promise<void>;
}

/** Has finished chats summarized every SUMMARY_BATCH_MINUTES, when there are any. */
export async function startSchedule({
  config,
  database,
  log,
}: {
  config: Pick<Config, 'SUMMARY_BATCH_MINUTES' | 'SUMMARY_IDLE_MINUTES'>;
  database: Database;
  log: Logger;
}): Promise<Schedule> {
  if (config.SUMMARY_BATCH_MINUTES === 0) return { stop: async () => {} };
  const queue = await JobQueue.open(database.url, log, { worker: false });
  let looking: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    looking = looking
      .then(() => summarizeChats(database, queue, config.SUMMARY_IDLE_MINUTES))
      .catch((error: unknown) => log.warn({ err: error }, 'cannot look for chats to summarize'));
  }, config.SUMMARY_BATCH_MINUTES * 60_000);
  timer.unref();
  return {
    stop: async () => {
      clearInterval(timer);
      await looking;
      await queue.stop(1_000);
    },
  };
}

/** Asks for a batch unless there is nothing to do, or one that waits or runs already. */
export async function summarizeChats(database: Database, queue: JobQueue, idleMinutes: number): Promise<void> {
  if ((await countUnsummarized(database, idleMinutes)) === 0) return;
  for (const status of [JobStatus.QUEUED, JobStatus.RUNNING]) {
    const [job] = await listJobs(database, 1, { after: null, kind: JobKind.SUMMARIZE_BATCH, status });
    if (job) return;
  }
  await enqueue({ database, queue }, JobKind.SUMMARIZE_BATCH);
}
