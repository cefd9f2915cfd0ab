import type { Logger } from '../kit/log.ts';

/** Products that one version recommended to one user. */
export interface Shown {
  userId: string;
  version: number;
  productIds: readonly string[];
  at: Date;
}

/** What a version recommended, and what came of it. */
export interface Traffic {
  /** Who was recommended something. */
  users: number;
  /** Pairs of user and product. */
  recommended: number;
  /** Of these, looked at afterwards. */
  clicks: number;
  /** Of these, bought afterwards. */
  purchases: number;
}

export interface TrafficLogOptions {
  /** @throws when they cannot be noted now */
  write(shown: readonly Shown[]): Promise<void>;
  /** Drops what is too old. */
  forget(): Promise<void>;
  log: Logger;
  /** Between two writes. @default 2000 */
  flushMs?: number;
  /** Between two times of forgetting. @default an hour */
  forgetMs?: number;
  /** Answers that may wait to be written; more are not counted. @default 20000 */
  most?: number;
}

/** Gathers what is shown and writes it now and then, so that no answer waits for it. What cannot be written is not counted. */
export class TrafficLog {
  private readonly options: Required<TrafficLogOptions>;
  private waiting: Shown[] = [];
  private readonly timers: NodeJS.Timeout[];
  private writing: Promise<void> = Promise.resolve();
  private failing = false;

  constructor(options: TrafficLogOptions) {
    this.options = { flushMs: 2_000, forgetMs: 3_600_000, most: 20_000, ...options };
    this.timers = [
      setInterval(() => void this.flush(), this.options.flushMs).unref(),
      setInterval(() => void this.next(() => this.options.forget()), this.options.forgetMs).unref(),
    ];
    void this.next(() => this.options.forget());
  }

  add(shown: Shown): void {
    if (shown.productIds.length > 0 && this.waiting.length < this.options.most) this.waiting.push(shown);
  }

  /** Writes what has been added so far. Never rejects. */
  flush(): Promise<void> {
    const shown = this.waiting;
    if (shown.length === 0) return this.writing;
    this.waiting = [];
    return this.next(() => this.options.write(shown));
  }

  async stop(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    await this.flush();
  }

  private next(work: () => Promise<void>): Promise<void> {
    this.writing = this.writing.then(work).then(
      () => {
        this.failing = false;
      },
      (error: unknown) => {
        // Once: the database may be away for a while, and the counts will be a little low.
        if (!this.failing) this.options.log.warn({ err: error }, 'cannot note what was recommended');
        this.failing = true;
      },
    );
    return this.writing;
  }
}
