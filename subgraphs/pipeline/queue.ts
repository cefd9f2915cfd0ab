import { PgBoss } from 'pg-boss';
import type { Transaction } from '../kit/database.ts';
import type { Logger } from '../kit/log.ts';
import { LANES, type Lane } from './jobs.ts';

const SCHEMA = 'pipeline_queue';
const DAY = 86_400;

/** The work cannot be done now; deliver it again soon. */
export class NotNow extends Error {
  override readonly name = 'NotNow';
}

/**
 * Delivery of jobs to workers, by pg-boss: at least once, one at a time per lane, again when a worker falls silent.
 * It knows only ids; what is true of a job is in pipeline.jobs.
 */
export class JobQueue {
  private constructor(private readonly boss: PgBoss) {}

  /** @param worker whether this process also takes jobs; then it looks for silent workers too */
  static async open(databaseUrl: string, log: Logger, options: { worker: boolean }): Promise<JobQueue> {
    const boss = new PgBoss({
      connectionString: databaseUrl,
      application_name: options.worker ? 'pipeline-worker-queue' : 'pipeline-queue',
      schema: SCHEMA,
      max: options.worker ? 4 : 2,
      schedule: false,
      supervise: options.worker,
      superviseIntervalSeconds: 5,
      monitorIntervalSeconds: 5,
      registerInstance: false,
    });
    // Every poll of an outage shows here; one in ten seconds is enough. A send reports it to whoever asked.
    let warned = 0;
    boss.on('error', (error) => {
      const loud = Date.now() - warned > 10_000;
      if (loud) warned = Date.now();
      log[loud ? 'warn' : 'debug']({ err: error }, 'queue');
    });
    await boss.start();
    for (const lane of LANES) {
      await boss.createQueue(lane, {
        policy: 'singleton',
        heartbeatSeconds: 10,
        // How often a job may be tried is decided by the jobs table; delivery itself never gives up.
        retryLimit: 1_000_000,
        retryDelay: 2,
        expireInSeconds: DAY,
        retentionSeconds: 3_650 * DAY,
        deleteAfterSeconds: DAY,
      });
    }
    return new JobQueue(boss);
  }

  /** Sends a job within the transaction that inserts it: both happen, or neither. */
  async send(tx: Transaction, lane: Lane, id: string): Promise<void> {
    const executeSql = async (text: string, values?: unknown[]) => ({ rows: await tx.query(text, values) });
    await this.boss.send(lane, {}, { id, db: { executeSql } });
  }

  /** Takes the jobs of a lane, one at a time. A handler that throws gets the same job again. */
  async work(lane: Lane, handler: (id: string) => Promise<void>): Promise<void> {
    await this.boss.work(lane, { pollingIntervalSeconds: 0.5, heartbeatRefreshSeconds: 3 }, async (jobs) => {
      for (const job of jobs) await handler(job.id);
    });
  }

  /** Takes no more jobs and waits for the handlers that run. */
  async stop(timeoutMs = 10_000): Promise<void> {
    await this.boss.stop({ graceful: true, timeout: timeoutMs });
  }
}
