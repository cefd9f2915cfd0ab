import type { Config } from '../kit/config.ts';
import type { Database } from '../kit/database.ts';
import { type LeashOptions, spawnLeashed } from '../kit/leash.ts';
import { type Job, JobFailure, type JobKind, JobStatus, type JsonObject } from './jobs.ts';
import { outlastingOutages } from './patience.ts';
import { type Line, parseLine } from './protocol.ts';
import type { Reporter } from './reporter.ts';
import { listJobs } from './store.ts';

/** A process that does a part of a job and speaks the protocol of `protocol.ts`. */
export interface Command {
  /** As a person calls it, "The Spark job". */
  name: string;
  command: string;
  args: readonly string[];
  env?: LeashOptions['env'];
  cwd?: string;
}

/** What a job of one kind does: the work of one run. Returns the job's result. */
export type Kind = (run: JobRun) => Promise<JsonObject>;

/** Children get this long after SIGTERM; a worker that is told to stop has 15 s in all. */
const CHILD_GRACE_MS = 8_000;
export const DISK_FULL = /no space left on device|\bENOSPC\b|disk quota exceeded|\bEDQUOT\b/i;

export const diskFull = (cause?: unknown): JobFailure =>
  new JobFailure('DISK_FULL', 'There is no space left on the disk. Free some and start the job again.', { cause });

/** One run of a job, as its kind sees it. */
export class JobRun {
  constructor(
    readonly job: Job,
    readonly config: Config,
    readonly database: Database,
    /** Aborted when the run must end: it was cancelled, took too long, or the worker stops. */
    readonly signal: AbortSignal,
    private readonly reporter: Reporter,
    private readonly redact: (line: string) => string,
    private readonly enqueue: (kind: JobKind, input: JsonObject) => Promise<Job>,
  ) {}

  /** Asks for another job, in nobody's name, unless one of its kind waits already. */
  async request(kind: JobKind, input: JsonObject = {}): Promise<Job> {
    const [waiting] = await listJobs(this.database, 1, { after: null, kind, status: JobStatus.QUEUED });
    return waiting ?? (await this.enqueue(kind, input));
  }

  /** @param fraction 0..1 of the whole job */
  progress(fraction: number, stage: string | null): void {
    this.reporter.progress(fraction, stage);
  }

  log(line: string): void {
    const text = this.redact(line.trimEnd());
    if (text) this.reporter.line(text);
  }

  /**
   * One step in this process, a load for example. It is done again when the database or a storage was away, so it must be
   * a transaction.
   */
  async step<T>(fraction: number, stage: string, work: () => Promise<T>): Promise<T> {
    this.signal.throwIfAborted();
    this.progress(fraction, stage);
    const result = await outlastingOutages(work, { signal: this.signal });
    this.signal.throwIfAborted();
    return result;
  }

  /**
   * Runs a child to its end and returns its result. Its progress 0..1 becomes `from`..`to` of the job.
   * @throws JobFailure with what the child reported, or what is known of its end
   */
  async child(command: Command, from: number, to: number): Promise<JsonObject> {
    this.signal.throwIfAborted();
    let result: JsonObject | null = null;
    let error: Extract<Line, { type: 'error' }> | null = null;
    let outOfSpace = false;
    const onLine = (text: string) => {
      const line = parseLine(text);
      if (line.type === 'progress') this.reporter.progress(from + (to - from) * line.progress, line.stage);
      else if (line.type === 'result') result = line.result;
      else if (line.type === 'error') error = line;
      else {
        outOfSpace ||= DISK_FULL.test(text);
        this.log(text);
      }
    };
    const child = spawnLeashed(command.command, command.args, { env: command.env, cwd: command.cwd, onLine });
    const stop = () => void child.stop(CHILD_GRACE_MS).catch(() => {});
    this.signal.addEventListener('abort', stop, { once: true });
    try {
      const { code, signal } = await child.exited;
      this.signal.throwIfAborted();
      if (code === 0 && result && !error) {
        this.reporter.progress(to, null);
        return result;
      }
      throw childFailure(command.name, { code, signal, error, outOfSpace });
    } finally {
      this.signal.removeEventListener('abort', stop);
    }
  }
}

function childFailure(
  name: string,
  end: {
    code: number | null;
    signal: NodeJS.Signals | null;
    error: { code: string; message: string } | null;
    outOfSpace: boolean;
  },
): JobFailure {
  if (end.outOfSpace && (!end.error || end.error.code === 'INTERNAL_ERROR')) return diskFull();
  if (end.error) return new JobFailure(end.error.code, end.error.message);
  const see = "Its last lines are in the job's logs.";
  if (end.signal === 'SIGKILL') {
    return new JobFailure('CHILD_KILLED', `${name} was killed, perhaps because memory ran out. ${see}`);
  }
  if (end.signal) return new JobFailure('CHILD_CRASHED', `${name} was ended by ${end.signal}. ${see}`);
  if (end.code === 126 || end.code === 127) {
    return new JobFailure('CHILD_NOT_STARTED', `${name} could not be started: its program is missing. ${see}`);
  }
  if (end.code === 0) return new JobFailure('NO_RESULT', `${name} ended without a result. ${see}`);
  return new JobFailure('CHILD_FAILED', `${name} ended with exit code ${end.code}. ${see}`);
}
