/** What a job does. */
export enum JobKind {
  GENERATE_DATA = 'GENERATE_DATA',
  PREPARE_DATASETS = 'PREPARE_DATASETS',
  TRAIN_MODELS = 'TRAIN_MODELS',
  INDEX_CATALOG = 'INDEX_CATALOG',
  SUMMARIZE_BATCH = 'SUMMARIZE_BATCH',
  CHECK_DRIFT = 'CHECK_DRIFT',
}

/** QUEUED → RUNNING → one of the other three, which are final. A run that was lost goes back from RUNNING to RUNNING. */
export enum JobStatus {
  QUEUED = 'QUEUED',
  RUNNING = 'RUNNING',
  SUCCEEDED = 'SUCCEEDED',
  FAILED = 'FAILED',
  CANCELLED = 'CANCELLED',
}

export const isFinished = (status: JobStatus): boolean => status !== JobStatus.QUEUED && status !== JobStatus.RUNNING;

/** Jobs of one lane run one after another, in the order in which they were asked for. */
export const LANES = ['data', 'training', 'index', 'summaries'] as const;
export type Lane = (typeof LANES)[number];

/**
 * Data jobs replace each other's files, so only one runs. Trainings share one workspace, hence one at a time, whatever their
 * models; they read a dataset that never changes, so data jobs may run beside them. The index follows the catalogue whatever
 * changes it meanwhile.
 */
export function laneOf(kind: JobKind): Lane {
  switch (kind) {
    case JobKind.TRAIN_MODELS:
    // Needs the same Python, and says nothing of a version that is about to go.
    case JobKind.CHECK_DRIFT:
      return 'training';
    case JobKind.INDEX_CATALOG:
      return 'index';
    case JobKind.SUMMARIZE_BATCH:
      return 'summaries';
    default:
      return 'data';
  }
}

export type JsonObject = Record<string, unknown>;

export interface Job {
  id: string;
  kind: JobKind;
  status: JobStatus;
  /** 0..1 */
  progress: number;
  stage: string | null;
  input: JsonObject;
  requestedBy: string | null;
  attempts: number;
  result: JsonObject | null;
  /** For a person. */
  error: string | null;
  /** UPPER_SNAKE_CASE, for a program. */
  errorCode: string | null;
  createdAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
}

/** A failure that trying again would not cure. The message is shown to whoever asked for the job. */
export class JobFailure extends Error {
  override readonly name = 'JobFailure';

  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** How a run ended, as the worker reports it. */
export type Outcome =
  | { status: JobStatus.SUCCEEDED; result: JsonObject }
  | { status: JobStatus.FAILED; code: string; message: string }
  | { status: JobStatus.CANCELLED };

/** What a worker is told when a job is delivered to it. */
export type Claim =
  /** Run it; write only under this run number. */
  | { decision: 'run'; run: number; job: Job }
  /** Nothing to do: it is finished, or there is no such job. */
  | { decision: 'done' }
  /** Another run of it, or another job of its lane, is alive: come back later. */
  | { decision: 'wait' };

/**
 * What to do with a delivered job. Delivery is at least once, and a job is delivered again when its worker went silent.
 * @param silent whether the worker that runs it has not been heard of for too long
 * @param maxAttempts tries of a job whose workers die
 */
export function decideClaim(
  job: { status: JobStatus; attempts: number; cancelRequested: boolean; silent: boolean },
  maxAttempts: number,
): 'run' | 'done' | 'wait' | Outcome {
  if (isFinished(job.status)) return 'done';
  if (job.status === JobStatus.RUNNING && !job.silent) return 'wait';
  if (job.cancelRequested) return { status: JobStatus.CANCELLED };
  if (job.status === JobStatus.RUNNING && job.attempts >= maxAttempts) {
    const tries = job.attempts === 1 ? 'The only attempt' : `All ${job.attempts} attempts`;
    return {
      status: JobStatus.FAILED,
      code: 'WORKER_LOST',
      message: `The worker stopped while it ran the job. ${tries} ended like this; the job's logs show how far it came.`,
    };
  }
  return 'run';
}
