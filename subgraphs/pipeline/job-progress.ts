import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../kit/database.ts';
import { notFound } from '../kit/errors.ts';
import type { Logger } from '../kit/log.ts';
import { isFinished, type Job } from './jobs.ts';
import { Latest } from './latest.ts';
import { findJob, findJobs, listenForChanges } from './store.ts';

/** A job is read at most this often, ms: a worker may report a hundred times a second. */
const PACE = 250;
/** Notices of changes can get lost (a broken connection, a transaction pooler), so all watched jobs are looked at now and then. */
const LOOK_EVERY = 5_000;

/** What the watchers of one job share. */
interface Watched {
  id: string;
  watchers: Set<Latest<Job>>;
  /** As it was last told; null when a change of it could not be read. */
  job: Job | null;
  /** Heard of a change that no read has begun for. */
  changed: boolean;
  /** A read that has not begun, so that it will see all changes so far. */
  due: Promise<Job | null> | null;
  running: Promise<Job | null> | null;
  readAt: number;
}

/**
 * Jobs as they change, for as many as want to watch them: one connection that listens, and one read per change of a job,
 * however many watch it. With nobody watching there is neither.
 */
export class JobProgress {
  readonly #database: Database;
  readonly #log: Logger;
  readonly #watched = new Map<string, Watched>();
  #listening: { close(): Promise<void> } | null = null;

  constructor(database: Database, log: Logger) {
    this.#database = database;
    this.#log = log;
  }

  /** How many watch now. */
  get watchers(): number {
    return [...this.#watched.values()].reduce((sum, { watchers }) => sum + watchers.size, 0);
  }

  /**
   * The job as it is, then every time it has changed, up to its final state. Ends at once when it is returned or the signal aborts.
   * @throws HashiraError NOT_FOUND
   */
  async watch(id: string, signal?: AbortSignal): Promise<AsyncIterableIterator<Job>> {
    signal?.throwIfAborted();
    const watched = this.#enter(id.toLowerCase());
    const leave = () => void watcher.return();
    const watcher = new Latest<Job>(() => {
      signal?.removeEventListener('abort', leave);
      this.#leave(watched, watcher);
    });
    watched.watchers.add(watcher);
    signal?.addEventListener('abort', leave, { once: true });
    this.#listen();
    try {
      if (!(await this.#read(watched))) throw notFound('job', id);
    } catch (error) {
      leave();
      throw error;
    }
    return watcher;
  }

  async stop(): Promise<void> {
    for (const { watchers } of this.#watched.values()) for (const watcher of [...watchers]) void watcher.return();
    await this.#unlisten();
  }

  #enter(id: string): Watched {
    const known = this.#watched.get(id);
    if (known) return known;
    const watched: Watched = {
      id,
      watchers: new Set(),
      job: null,
      changed: false,
      due: null,
      running: null,
      readAt: 0,
    };
    this.#watched.set(id, watched);
    return watched;
  }

  #leave(watched: Watched, watcher: Latest<Job>): void {
    watched.watchers.delete(watcher);
    if (watched.watchers.size > 0 || this.#watched.get(watched.id) !== watched) return;
    this.#watched.delete(watched.id);
    if (this.#watched.size === 0) void this.#unlisten();
  }

  #listen(): void {
    if (this.#listening) return;
    const look = () => void this.#look();
    const heard = (id: string) => {
      const watched = this.#watched.get(id);
      if (watched) this.#change(watched);
    };
    const changes = listenForChanges(this.#database.url, heard, this.#log, look);
    const looking = setInterval(look, LOOK_EVERY);
    looking.unref();
    this.#listening = {
      close: () => {
        clearInterval(looking);
        return changes.close();
      },
    };
  }

  async #unlisten(): Promise<void> {
    const listening = this.#listening;
    this.#listening = null;
    await listening?.close();
  }

  #change(watched: Watched): void {
    watched.changed = true;
    this.#read(watched).catch((err: unknown) => {
      watched.job = null; // The next look finds it different.
      this.#log.debug({ err }, 'a changed job could not be read');
    });
  }

  /** The job as a read finds it that begins after this call. All watchers are told of what is new to them. */
  #read(watched: Watched): Promise<Job | null> {
    watched.due ??= (async () => {
      await watched.running?.catch(() => {});
      const wait = watched.readAt + PACE - Date.now();
      if (wait > 0) await sleep(wait, undefined, { ref: false });
      watched.due = null;
      watched.readAt = Date.now();
      watched.running = this.#tell(watched);
      return watched.running;
    })();
    return watched.due;
  }

  async #tell(watched: Watched): Promise<Job | null> {
    const { changed } = watched;
    watched.changed = false;
    const job = watched.watchers.size > 0 ? await findJob(this.#database, watched.id) : null;
    if (!job) return null;
    // A change need not show in the job itself: it may have new log lines.
    const news = changed || differ(job, watched.job);
    watched.job = job;
    for (const watcher of [...watched.watchers]) {
      if (news || !watcher.begun) watcher.put(job, isFinished(job.status));
    }
    return job;
  }

  /** Finds changes that nobody has told of. */
  async #look(): Promise<void> {
    try {
      for (const job of await findJobs(this.#database, [...this.#watched.keys()])) {
        const watched = job && this.#watched.get(job.id);
        if (watched && !watched.due && differ(job, watched.job)) this.#change(watched);
      }
    } catch (err) {
      this.#log.debug({ err }, 'watched jobs could not be looked at');
    }
  }
}

const differ = (one: Job, other: Job | null): boolean => JSON.stringify(one) !== JSON.stringify(other);
