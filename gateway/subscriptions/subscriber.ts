import type { Result } from '../answer.types.ts';

/** Makes the answer to one event, when it is this event's turn. Never rejects. */
export type Respond = () => Result | Promise<Result>;

/** How many queued events are worked on at once, so that a slow join does not make every event wait for the one before. */
const AHEAD = 8;

interface Entry {
  respond: Respond;
  result?: Result;
}

const DONE = { done: true, value: undefined } as const;

/**
 * One client's stream: events go in, answers come out in the same order. The queue is bounded: whoever pushes asks `full`
 * first and waits for `room`.
 */
export class Subscriber implements AsyncIterableIterator<Result> {
  readonly #capacity: number;
  readonly #onEnd: () => void;
  readonly #queue: Entry[] = [];
  /** How many at the head of the queue were asked for their answer. */
  #started = 0;
  #waiting: PromiseWithResolvers<IteratorResult<Result>> | null = null;
  #wanting: ((room: true) => void) | null = null;
  #last: Result | undefined;
  #finishing = false;
  #ended = false;
  /** Since when it has not been up to date, ms since 1970; null while it is. */
  behindSince: number | null = null;

  /** @param onEnd called once, when nothing will be taken from the queue any more */
  constructor(capacity: number, onEnd: () => void) {
    this.#capacity = capacity;
    this.#onEnd = onEnd;
  }

  get full(): boolean {
    return this.#queue.length >= this.#capacity;
  }

  push(respond: Respond): void {
    if (this.#ended || this.#finishing) return;
    this.#queue.push({ respond });
    if (this.full) this.behindSince ??= Date.now();
    this.#work();
    this.#settle();
  }

  /** True as soon as the queue has room or the stream has ended; false when that takes longer than `ms`. */
  room(ms: number): Promise<boolean> {
    if (this.#ended || !this.full) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#wanting = null;
        resolve(false);
      }, ms);
      timer.unref();
      this.#wanting = () => {
        this.#wanting = null;
        clearTimeout(timer);
        resolve(true);
      };
    });
  }

  /** The source is at its end: what is queued is still delivered, then `last`. */
  finish(last?: Result): void {
    if (this.#ended || this.#finishing) return;
    this.#finishing = true;
    this.#last = last;
    this.#settle();
  }

  /** Ends it now: what is queued is given up, and `last` says why. */
  end(last?: Result): void {
    if (this.#ended) return;
    this.#queue.length = 0;
    this.#finishing = true;
    this.#last = last;
    this.#close();
    this.#settle();
  }

  next(): Promise<IteratorResult<Result>> {
    if (this.#waiting) return this.#waiting.promise.then(() => this.next());
    this.#waiting = Promise.withResolvers();
    const { promise } = this.#waiting;
    this.#settle();
    return promise;
  }

  /** The client has left. */
  return(): Promise<IteratorResult<Result>> {
    this.end();
    this.#last = undefined;
    return Promise.resolve(DONE);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  /** Asks for the answers of the first few events in the queue. */
  #work(): void {
    while (this.#started < AHEAD && this.#started < this.#queue.length) {
      const entry = this.#queue[this.#started++] as Entry;
      const result = entry.respond();
      if (!(result instanceof Promise)) {
        entry.result = result;
        continue;
      }
      void result.then((value) => {
        entry.result = value;
        this.#settle();
      });
    }
  }

  /** Gives who waits the next answer, if there is one. */
  #settle(): void {
    if (!this.#waiting) return;
    const value = this.#take();
    if (!value) return;
    const { resolve } = this.#waiting;
    this.#waiting = null;
    resolve(value);
  }

  #take(): IteratorResult<Result> | null {
    const result = this.#queue[0]?.result;
    if (result) {
      this.#queue.shift();
      this.#started--;
      if (this.#queue.length === 0) this.behindSince = null;
      this.#wanting?.(true);
      this.#work();
      return { done: false, value: result };
    }
    if (this.#queue.length > 0 || !this.#finishing) return null;
    const last = this.#last;
    this.#last = undefined;
    if (last) return { done: false, value: last };
    this.#close();
    return DONE;
  }

  #close(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#wanting?.(true);
    this.#onEnd();
  }
}
