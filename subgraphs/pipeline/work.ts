import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Config } from '../kit/config.ts';
import type { Database } from '../kit/database.ts';
import { HashiraError } from '../kit/errors.ts';
import type { Logger } from '../kit/log.ts';
import { enqueue } from './enqueue.ts';
import { type Job, JobFailure, type JobKind, JobStatus, type JsonObject, type Outcome } from './jobs.ts';
import { outlastingOutages, PATIENCE_MS } from './patience.ts';
import { JobQueue, NotNow } from './queue.ts';
import { createRedactor } from './redact.ts';
import { type EndReason, Reporter, RunEnded } from './reporter.ts';
import { diskFull, JobRun, type Kind } from './run.ts';
import { claimJob, finishJob, giveBackJob, listenForChanges, type Report, reportRun, trimLogs } from './store.ts';

export interface WorkerOptions {
  config: Config;
  database: Database;
  log: Logger;
  /** What this worker can do; a job of another kind fails. */
  kinds: Partial<Record<JobKind, Kind>>;
}

export interface Worker {
  /** Takes no more jobs, ends the children, gives running jobs back, and settles within about 13 seconds. */
  stop(): Promise<void>;
}

/** A worker that is told to stop does not wait longer than this for the database. */
const BRIEFLY_MS = 1_500;

/** Takes jobs until it is stopped: one per lane at a time. The subgraph's migrations must have run. */
export async function startWorker({ config, database, log, kinds }: WorkerOptions): Promise<Worker> {
  const worker = `${hostname()}:${process.pid}:${randomBytes(4).toString('hex')}`;
  const redact = createRedactor([config.DATABASE_URL, config.SUBGRAPH_SECRET, passwordOf(config.DATABASE_URL)]);
  const running = new Map<string, { reporter: Reporter; end: (reason: EndReason) => void }>();
  let stopping = false;

  async function handle(id: string): Promise<void> {
    if (stopping) throw new NotNow();
    const claim = await claimJob(database, id, worker, config.JOB_ATTEMPTS);
    if (claim.decision === 'done') return;
    if (claim.decision === 'wait') throw new NotNow();
    await work(claim.job, claim.run);
  }

  async function work(job: Job, run: number): Promise<void> {
    const jobLog = log.child({ job: job.id, kind: job.kind });
    const ended = new AbortController();
    const end = (reason: EndReason) => ended.abort(new RunEnded(reason));
    const sink = {
      report: (report: Report) => reportRun(database, job.id, run, report),
      trimLogs: () => trimLogs(database, job.id),
    };
    const reporter = new Reporter(sink, end, jobLog);
    const timeout = setTimeout(() => end('timeout'), config.JOB_TIMEOUT_MINUTES * 60_000);
    running.set(job.id, { reporter, end });
    if (stopping) end('shutdown');
    jobLog.info({ attempt: job.attempts }, 'job started');
    let outcome: Outcome | 'lost' | 'shutdown';
    try {
      const kind = kinds[job.kind];
      if (!kind) throw new JobFailure('UNSUPPORTED_KIND', 'This worker does not know how to do this kind of job.');
      const result = await kind(new JobRun(job, config, database, ended.signal, reporter, redact, request));
      outcome = { status: JobStatus.SUCCEEDED, result };
    } catch (error) {
      const reason = ended.signal.reason instanceof RunEnded ? ended.signal.reason.reason : null;
      if (reason === 'lost' || reason === 'shutdown') outcome = reason;
      else if (reason === 'cancelled') outcome = { status: JobStatus.CANCELLED };
      else if (reason === 'timeout') outcome = timedOut(config.JOB_TIMEOUT_MINUTES);
      else outcome = failed(error, jobLog);
    }
    clearTimeout(timeout);
    await reporter.stop(typeof outcome === 'string' ? BRIEFLY_MS : PATIENCE_MS);
    running.delete(job.id);
    jobLog.info({ outcome: typeof outcome === 'string' ? outcome : outcome.status }, 'run ended');
    await settle(job.id, run, outcome);
  }

  /** @throws NotNow when the job is not finished by this */
  async function settle(id: string, run: number, outcome: Outcome | 'lost' | 'shutdown'): Promise<void> {
    if (outcome === 'shutdown') {
      await outlastingOutages(() => giveBackJob(database, id, run), { patienceMs: BRIEFLY_MS });
    }
    if (typeof outcome === 'string') throw new NotNow();
    const settled = await outlastingOutages(() => finishJob(database, id, run, outcome));
    if (!settled) throw new NotNow();
  }

  const request = (kind: JobKind, input: JsonObject) => enqueue({ database, queue }, kind, input);
  const changes = listenForChanges(database.url, (id) => running.get(id)?.reporter.check(), log);
  const queue = await JobQueue.open(database.url, log, { worker: true });
  for (const lane of config.WORKER_LANES) await queue.work(lane, handle);
  log.info({ worker, lanes: config.WORKER_LANES }, 'worker ready');

  return {
    stop: async () => {
      stopping = true;
      for (const { end } of running.values()) end('shutdown');
      await queue.stop(12_000);
      await changes.close();
    },
  };
}

function failed(error: unknown, log: Logger): Outcome {
  const failure = asFailure(error);
  // The message is for whoever asked; what the operator needs is the cause.
  if (failure && error instanceof Error && error.cause) log.warn({ err: error }, 'job failed');
  if (failure) return { status: JobStatus.FAILED, code: failure.code, message: failure.message };
  log.error({ err: error }, 'job failed unexpectedly');
  const message = 'The job failed unexpectedly. The worker has logged the reason.';
  return { status: JobStatus.FAILED, code: 'INTERNAL_ERROR', message };
}

function asFailure(error: unknown): { code: string; message: string } | null {
  if (error instanceof JobFailure || error instanceof HashiraError) return error;
  const code = (error as { code?: unknown } | null)?.code;
  return code === 'ENOSPC' || code === 'EDQUOT' ? diskFull(error) : null;
}

const timedOut = (minutes: number): Outcome => ({
  status: JobStatus.FAILED,
  code: 'TIMEOUT',
  message: `The job took longer than ${minutes} minutes, the longest allowed, and was ended.`,
});

function passwordOf(url: string | undefined): string | undefined {
  return url && URL.canParse(url) ? decodeURIComponent(new URL(url).password) : undefined;
}

/** On SIGTERM or SIGINT: stops in order, and in any case within 15 seconds. */
export function stopOnSignals(worker: Worker, database: Database, log: Logger): void {
  const stop = async () => {
    // The leashes end the children of a process that leaves without waiting for them.
    setTimeout(() => process.exit(1), 14_000).unref();
    try {
      await worker.stop();
      await database.close();
      process.exit(0);
    } catch (error) {
      log.error({ err: error }, 'worker did not stop in order');
      process.exit(1);
    }
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}
