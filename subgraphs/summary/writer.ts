import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { HashiraError } from '../kit/errors.ts';
import type { Logger } from '../kit/log.ts';
import type { TranscriptTurn } from './model.ts';
import type { Written } from './summarizer.ts';
import type { Order, Report } from './worker.ts';

const WORKER = fileURLToPath(new URL('./worker.ts', import.meta.url));
/** A process that does not load its model in this time is given up. */
const LOAD_MS = 60_000;
/** Longest work on one transcript; the longest that is allowed takes a minute or two. */
const WRITE_MS = 600_000;
/** Times that a transcript is given to a new process when its process died. */
const TRIES = 2;

interface Waiting {
  id: number;
  turns: readonly TranscriptTurn[];
  tries: number;
  resolve(written: Written): void;
  reject(error: unknown): void;
  timer?: NodeJS.Timeout;
}

/**
 * Writes summaries in a process of its own, so that neither its computing nor its memory is ours. The process begins with the first
 * transcript. Transcripts are written one after another; those that wait are bounded.
 */
export class Writer {
  private readonly queue: Waiting[] = [];
  private active: Waiting | null = null;
  private child: Promise<ChildProcess> | null = null;
  private lastId = 0;
  private stopped = false;

  /**
   * @param dir of the model
   * @param most transcripts that may wait, with the one being written
   */
  constructor(
    private readonly dir: string,
    private readonly most: number,
    private readonly log: Logger,
  ) {}

  /**
   * @throws HashiraError TOO_BUSY when too many wait, SUMMARY_MODEL_UNAVAILABLE when the model cannot be loaded or its process dies;
   *   the signal's reason
   */
  async write(turns: readonly TranscriptTurn[], signal?: AbortSignal): Promise<Written> {
    signal?.throwIfAborted();
    if (this.stopped) throw unavailable('the writer was stopped');
    if (this.queue.length + (this.active ? 1 : 0) >= this.most) {
      throw new HashiraError('TOO_BUSY', 'Too many conversations wait to be summarized. Try again in a minute.');
    }
    const { promise, resolve, reject } = Promise.withResolvers<Written>();
    const waiting: Waiting = { id: ++this.lastId, turns, tries: 0, resolve, reject };
    const leave = () => {
      reject(signal?.reason);
      // What is being written goes on until its process has heard of it.
      if (this.active === waiting) void this.send({ id: waiting.id, cancel: true });
      else this.queue.splice(this.queue.indexOf(waiting), 1);
    };
    signal?.addEventListener('abort', leave, { once: true });
    this.queue.push(waiting);
    this.next();
    try {
      return await promise;
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  /** Loads the model now instead of with the first transcript. @throws HashiraError SUMMARY_MODEL_UNAVAILABLE */
  async load(): Promise<void> {
    this.child ??= this.start();
    await this.child;
  }

  /** Ends the process; what waits fails. Called once nobody needs it any more. */
  async dispose(): Promise<void> {
    this.stopped = true;
    for (const { reject } of this.queue.splice(0)) reject(unavailable('the writer was stopped'));
    this.active?.reject(unavailable('the writer was stopped'));
    const child = await this.child?.catch(() => null);
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  private next(): void {
    if (this.active || this.stopped) return;
    const waiting = this.queue.shift();
    if (!waiting) return;
    this.active = waiting;
    waiting.tries++;
    this.child ??= this.start();
    this.child.then(
      (child) => {
        waiting.timer = setTimeout(() => child.kill('SIGKILL'), WRITE_MS);
        waiting.timer.unref();
        void this.send({ id: waiting.id, turns: waiting.turns });
      },
      (error) => this.end(waiting, (done) => done.reject(error)),
    );
  }

  private async send(order: Order): Promise<void> {
    const child = await this.child?.catch(() => null);
    if (child?.connected) child.send(order, () => {});
  }

  private end(waiting: Waiting, how: (waiting: Waiting) => void): void {
    clearTimeout(waiting.timer);
    if (this.active === waiting) this.active = null;
    how(waiting);
    this.next();
  }

  private start(): Promise<ChildProcess> {
    const { promise, resolve, reject } = Promise.withResolvers<ChildProcess>();
    // No inspector's port, and no secret that it has no use for.
    const { PATH, LANG, TMPDIR } = process.env;
    const child = fork(WORKER, [this.dir], {
      execArgv: ['--import', 'tsx'],
      env: { PATH, LANG, TMPDIR, NODE_ENV: 'production' },
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let said = '';
    let ready = false;
    child.stderr?.on('data', (chunk) => {
      said = (said + chunk).slice(-2_000);
    });
    const patience = setTimeout(() => child.kill('SIGKILL'), LOAD_MS);
    child.on('message', (report: Report) => {
      if ('ready' in report) {
        clearTimeout(patience);
        ready = true;
        resolve(child);
      } else if ('failed' in report) {
        said = report.failed;
        child.kill();
      } else this.told(report);
    });
    child.once('error', (error) => {
      said ||= error.message;
    });
    child.once('close', (code, signal) => {
      clearTimeout(patience);
      this.child = null;
      const cause = `the summary process ended (${signal ?? code}): ${said.trim() || 'without a word'}`;
      if (!this.stopped) this.log.error({ cause }, 'the summary process ended');
      reject(unavailable(cause));
      if (ready) this.lost(cause);
    });
    // Whoever waits for it is told.
    promise.catch(() => {});
    return promise;
  }

  private told(report: Exclude<Report, { ready: true } | { failed: string }>): void {
    const waiting = this.active;
    if (waiting?.id !== report.id) return;
    this.end(waiting, ({ resolve, reject }) =>
      'written' in report ? resolve(report.written) : reject(new Error(`the summary process failed: ${report.error}`)),
    );
  }

  /** The transcript of a process that died goes to the next one, but not for ever: it may be what killed it. */
  private lost(cause: string): void {
    const waiting = this.active;
    if (!waiting) return;
    if (waiting.tries >= TRIES || this.stopped) this.end(waiting, ({ reject }) => reject(unavailable(cause)));
    else {
      clearTimeout(waiting.timer);
      this.active = null;
      this.queue.unshift(waiting);
      this.next();
    }
  }
}

const unavailable = (cause: string): HashiraError =>
  new HashiraError('SUMMARY_MODEL_UNAVAILABLE', 'The summary model cannot be used at the moment.', {
    cause: new Error(cause),
  });
