import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../kit/log.ts';
import { outlastingOutages, PATIENCE_MS } from './patience.ts';
import type { Report } from './store.ts';

/** Least time between two writes: four a second. */
const INTERVAL_MS = 250;
/** Longest time between two writes. It also bounds how late a run learns that it is to end. */
const HEARTBEAT_MS = 2_000;
/** Lines kept while the database cannot be reached; it does not keep more either. */
const MAX_PENDING_LINES = 5_000;
const TRIM_EVERY_LINES = 1_000;

/** Why a run must end before its work is done. */
export type EndReason = 'cancelled' | 'lost' | 'shutdown' | 'timeout';

/** The reason of a run's signal. */
export class RunEnded extends Error {
  constructor(readonly reason: EndReason) {
    super(`the run was ended: ${reason}`);
  }
}

/** What a reporter writes to; `store.ts` bound to one run. */
export interface ReportSink {
  report(report: Report): Promise<{ held: boolean; cancelRequested: boolean }>;
  trimLogs(): Promise<void>;
}

/**
 * Writes the progress and the log lines of one run, throttled, with heartbeats, and learns in the same statement whether the
 * run shall go on. A database that cannot be reached costs nothing but delay, until patience ends.
 */
export class Reporter {
  private current = 0;
  private stage: string | null = null;
  private lines: string[] = [];
  private dirty = false;
  private untrimmed = 0;
  private lastWrite = Date.now();
  private failing = false;
  private stopped = false;
  private wakeUp = new AbortController();
  private readonly loop: Promise<void>;

  constructor(
    private readonly sink: ReportSink,
    private readonly onEnd: (reason: EndReason) => void,
    private readonly log: Logger,
    private readonly patienceMs = PATIENCE_MS,
  ) {
    this.loop = this.run();
  }

  /** @param fraction 0..1 of the whole job; less than before changes only the stage */
  progress(fraction: number, stage: string | null): void {
    this.current = Math.min(1, Math.max(this.current, fraction));
    this.stage = stage;
    this.dirty = true;
  }

  line(text: string): void {
    this.lines.push(text);
    if (this.lines.length > MAX_PENDING_LINES) this.lines.shift();
    this.dirty = true;
  }

  /** Asks the database at once whether the run shall go on. */
  check(): void {
    this.dirty = true;
    this.wakeUp.abort();
  }

  /** Writes what is left, if the database lets it within this time. Nothing is written after this. */
  async stop(patienceMs = 0): Promise<void> {
    this.stopped = true;
    this.wakeUp.abort();
    await this.loop;
    try {
      if (this.dirty) await outlastingOutages(() => this.write(), { patienceMs });
      if (this.untrimmed > 0) await this.sink.trimLogs();
    } catch (error) {
      this.log.warn({ err: error }, 'last report not written');
    }
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      await sleep(INTERVAL_MS, undefined, { signal: this.wakeUp.signal }).catch(() => {});
      if (this.wakeUp.signal.aborted) this.wakeUp = new AbortController();
      if (this.stopped || !(this.dirty || Date.now() - this.lastWrite >= HEARTBEAT_MS)) continue;
      try {
        await this.write();
      } catch (error) {
        if (!this.failing) this.log.warn({ err: error }, 'report not written; trying again');
        this.failing = true;
        if (Date.now() - this.lastWrite > this.patienceMs) return this.onEnd('lost');
        await sleep(INTERVAL_MS);
      }
    }
  }

  private async write(): Promise<void> {
    const lines = this.lines;
    this.lines = [];
    this.dirty = false;
    try {
      const { held, cancelRequested } = await this.sink.report({ progress: this.current, stage: this.stage, lines });
      this.lastWrite = Date.now();
      this.failing = false;
      if (!held) this.onEnd('lost');
      else if (cancelRequested) this.onEnd('cancelled');
    } catch (error) {
      this.lines = [...lines, ...this.lines].slice(-MAX_PENDING_LINES);
      this.dirty = true;
      throw error;
    }
    this.untrimmed += lines.length;
    if (this.untrimmed >= TRIM_EVERY_LINES) {
      this.untrimmed = 0;
      await this.sink.trimLogs();
    }
  }
}
