import type { Database, Queryable } from '../kit/database.ts';
import { type Listener, listen } from '../kit/listener.ts';
import type { Logger } from '../kit/log.ts';
import {
  type Claim,
  decideClaim,
  type Job,
  JobKind,
  JobStatus,
  type JsonObject,
  laneOf,
  type Outcome,
} from './jobs.ts';

/** A worker that has not been heard of for so long is taken for dead. */
const SILENCE = "interval '10 seconds'";
/** After a restart of the database all workers were silent, so they get this long to be heard again. */
const RESTART_GRACE = "interval '15 seconds'";
const MAX_LOG_LINES = 5_000;

const COLUMNS = `id, kind, status, progress, stage, input, requested_by AS "requestedBy", attempts, result, error,
  error_code AS "errorCode", created_at AS "createdAt", started_at AS "startedAt", finished_at AS "finishedAt"`;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
export const isJobId = (id: string): boolean => UUID.test(id);

/** Where a page of jobs goes on. */
export interface JobPosition {
  createdAt: string;
  id: string;
}

/** What a run has to tell since its last report. */
export interface Report {
  progress: number;
  stage: string | null;
  lines: readonly string[];
}

export async function insertJob(
  db: Queryable,
  job: { id: string; kind: JobKind; input: JsonObject; requestedBy: string | null },
): Promise<Job> {
  const rows = await db.query<Job>(
    `INSERT INTO pipeline.jobs (id, kind, lane, input, requested_by) VALUES ($1, $2, $3, $4, $5) RETURNING ${COLUMNS}`,
    [job.id, job.kind, laneOf(job.kind), job.input, job.requestedBy],
  );
  return rows[0] as Job;
}

/** Null for an id that no job has, whatever it looks like. */
export async function findJob(db: Queryable, id: string): Promise<Job | null> {
  if (!isJobId(id)) return null;
  return (await db.query<Job>(`SELECT ${COLUMNS} FROM pipeline.jobs WHERE id = $1`, [id]))[0] ?? null;
}

/** The jobs with these ids, in their order; null where there is none. */
export async function findJobs(db: Queryable, ids: readonly string[]): Promise<(Job | null)[]> {
  const jobs = await db.query<Job>(`SELECT ${COLUMNS} FROM pipeline.jobs WHERE id = ANY($1::uuid[])`, [
    ids.filter(isJobId),
  ]);
  const byId = new Map(jobs.map((job) => [job.id, job]));
  return ids.map((id) => byId.get(id.toLowerCase()) ?? null);
}

/** Newest first. */
export async function listJobs(
  db: Queryable,
  limit: number,
  filter: { after: JobPosition | null; kind: JobKind | null; status: JobStatus | null },
): Promise<Job[]> {
  return db.query<Job>(
    `SELECT ${COLUMNS} FROM pipeline.jobs
     WHERE ($2::text IS NULL OR kind = $2) AND ($3::text IS NULL OR status = $3)
       AND ($4::timestamptz IS NULL OR (created_at, id) < ($4::timestamptz, $5::uuid))
     ORDER BY created_at DESC, id DESC LIMIT $1`,
    [limit, filter.kind, filter.status, filter.after?.createdAt ?? null, filter.after?.id ?? null],
  );
}

/** The last lines of each job, oldest first. */
export async function lastLines(db: Queryable, ids: readonly string[], last: number): Promise<string[][]> {
  const rows = await db.query<{ jobId: string; lines: string[] }>(
    `SELECT job.id AS "jobId", array_agg(log.line ORDER BY log.id) AS lines
     FROM unnest($1::uuid[]) AS job(id) CROSS JOIN LATERAL (
       SELECT id, line FROM pipeline.job_logs WHERE job_id = job.id ORDER BY id DESC LIMIT $2
     ) AS log GROUP BY job.id`,
    [ids, last],
  );
  const byId = new Map(rows.map((row) => [row.jobId, row.lines]));
  return ids.map((id) => byId.get(id) ?? []);
}

/**
 * Asks for the end of a job: a queued one is cancelled at once, a running one when its worker has ended it.
 * Null when there is none, or when it is finished.
 */
export async function requestCancel(db: Queryable, id: string): Promise<Job | null> {
  if (!isJobId(id)) return null;
  const rows = await db.query<Job>(
    `UPDATE pipeline.jobs SET
       cancel_requested_at = coalesce(cancel_requested_at, now()),
       stage = CASE status WHEN 'RUNNING' THEN 'cancelling' END,
       finished_at = CASE status WHEN 'QUEUED' THEN now() END,
       status = CASE status WHEN 'QUEUED' THEN 'CANCELLED' ELSE status END
     WHERE id = $1 AND status IN ('QUEUED', 'RUNNING') RETURNING ${COLUMNS}`,
    [id],
  );
  return rows[0] ?? null;
}

/** Decides, under a lock, whether this worker runs a job that was delivered to it, and notes what was decided. */
export async function claimJob(db: Database, id: string, worker: string, maxAttempts: number): Promise<Claim> {
  try {
    return await db.transaction(async (tx) => {
      const [found] = await tx.query<{
        status: JobStatus;
        attempts: number;
        run: number;
        cancelRequested: boolean;
        silent: boolean;
      }>(
        `SELECT status, attempts, run, cancel_requested_at IS NOT NULL AS "cancelRequested",
           heartbeat_at < now() - ${SILENCE} AND pg_postmaster_start_time() < now() - ${RESTART_GRACE} AS silent
         FROM pipeline.jobs WHERE id = $1 FOR UPDATE`,
        [id],
      );
      if (!found) return { decision: 'done' };
      const decision = decideClaim(found, maxAttempts);
      if (decision === 'done' || decision === 'wait') return { decision };
      if (decision !== 'run') {
        await finishJob(tx, id, found.run, decision);
        return { decision: 'done' };
      }
      const [job] = await tx.query<Job & { run: number }>(
        `UPDATE pipeline.jobs SET status = 'RUNNING', attempts = attempts + 1, run = run + 1, worker = $2, progress = 0,
           stage = NULL, started_at = now(), heartbeat_at = now()
         WHERE id = $1 RETURNING ${COLUMNS}, run`,
        [id, worker],
      );
      const { run, ...rest } = job as Job & { run: number };
      return { decision: 'run', run, job: rest };
    });
  } catch (error) {
    // jobs_one_running_per_lane
    if ((error as { code?: string }).code === '23505') return { decision: 'wait' };
    throw error;
  }
}

/** Says that the run is alive and how far it is. `held` is false when the job is no longer this run's. */
export async function reportRun(
  db: Queryable,
  id: string,
  run: number,
  report: Report,
): Promise<{ held: boolean; cancelRequested: boolean }> {
  const [row] = await db.query<{ cancelRequested: boolean }>(
    `WITH job AS (
       UPDATE pipeline.jobs SET heartbeat_at = now(), progress = greatest(progress, $3), log_lines = log_lines + $5,
         stage = CASE WHEN cancel_requested_at IS NULL THEN $4 ELSE stage END
       WHERE id = $1 AND run = $2 AND status = 'RUNNING'
       RETURNING id, cancel_requested_at IS NOT NULL AS "cancelRequested"
     ), lines AS (
       INSERT INTO pipeline.job_logs (job_id, line)
       SELECT job.id, new.line FROM job, unnest($6::text[]) WITH ORDINALITY AS new(line, n) ORDER BY new.n
     )
     SELECT "cancelRequested" FROM job`,
    [id, run, report.progress, report.stage, report.lines.length, report.lines],
  );
  return { held: row !== undefined, cancelRequested: row?.cancelRequested ?? false };
}

/** Forgets all but the last lines of a job. */
export async function trimLogs(db: Queryable, id: string): Promise<void> {
  await db.query(
    `DELETE FROM pipeline.job_logs WHERE job_id = $1 AND id <= (
       SELECT id FROM pipeline.job_logs WHERE job_id = $1 ORDER BY id DESC OFFSET $2 LIMIT 1)`,
    [id, MAX_LOG_LINES],
  );
}

/**
 * Ends a run. A job whose end was asked for ends as CANCELLED, whatever became of it.
 * Returns false when the job is no longer this run's: then nothing changes.
 */
export async function finishJob(db: Queryable, id: string, run: number, outcome: Outcome): Promise<boolean> {
  const failure = outcome.status === JobStatus.FAILED ? outcome : null;
  const result = outcome.status === JobStatus.SUCCEEDED ? outcome.result : null;
  const rows = await db.query(
    `UPDATE pipeline.jobs SET stage = NULL, finished_at = now(),
       status = CASE WHEN cancel_requested_at IS NULL THEN $3 ELSE 'CANCELLED' END,
       progress = CASE WHEN cancel_requested_at IS NULL AND $3 = 'SUCCEEDED' THEN 1 ELSE progress END,
       result = CASE WHEN cancel_requested_at IS NULL THEN $4::json END,
       error = CASE WHEN cancel_requested_at IS NULL THEN $5 END,
       error_code = CASE WHEN cancel_requested_at IS NULL THEN $6 END
     WHERE id = $1 AND run = $2 AND status = 'RUNNING' RETURNING id`,
    [id, run, outcome.status, result, failure?.message ?? null, failure?.code ?? null],
  );
  return rows.length > 0;
}

/** Puts a job back that its worker cannot go on with because it was told to stop. The run does not count. */
export async function giveBackJob(db: Queryable, id: string, run: number): Promise<void> {
  await db.query(
    `UPDATE pipeline.jobs SET progress = 0, stage = NULL, worker = NULL, heartbeat_at = NULL, attempts = attempts - 1,
       started_at = NULL,
       status = CASE WHEN cancel_requested_at IS NULL THEN 'QUEUED' ELSE 'CANCELLED' END,
       finished_at = CASE WHEN cancel_requested_at IS NOT NULL THEN now() END
     WHERE id = $1 AND run = $2 AND status = 'RUNNING'`,
    [id, run],
  );
}

/**
 * Calls back with the id of every job that changes; changes can be missed, see {@link listen}.
 * @param onListening called whenever it listens anew
 */
export const listenForChanges = (
  url: string,
  onChange: (id: string) => void,
  log: Logger,
  onListening?: () => void,
): Listener => listen(url, 'pipeline_job', (id) => id && onChange(id), log, onListening);
