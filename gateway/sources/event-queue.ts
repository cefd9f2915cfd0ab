type Waiting<T> = { resolve: (step: IteratorResult<T>) => void; reject: (reason: unknown) => void };

/** Events between who pushes and who iterates. Bounded: `push` says whether there was room. */
export class EventQueue<T> implements AsyncIterableIterator<T> {
  private events: T[] = [];
  private readonly waiting: Waiting<T>[] = [];
  private ended = false;
  private failure: { reason: unknown } | undefined;

  /** @param onReturn called once when the iteration is given up before its end */
  constructor(
    private readonly bound: number,
    private readonly onReturn: () => void,
  ) {}

  push(event: T): boolean {
    if (this.ended) return true;
    const next = this.waiting.shift();
    if (next) next.resolve({ value: event, done: false });
    else if (this.events.length >= this.bound) return false;
    else this.events.push(event);
    return true;
  }

  /** After the events that wait, the iteration ends. */
  end(): void {
    this.ended = true;
    for (const { resolve } of this.waiting.splice(0)) resolve({ value: undefined, done: true });
  }

  /** The iteration throws; events that wait are dropped when told so. */
  fail(reason: unknown, dropEvents = false): void {
    if (this.ended) return;
    this.ended = true;
    if (dropEvents) this.events = [];
    const next = this.waiting.shift();
    if (next) next.reject(reason);
    else this.failure = { reason };
    this.end();
  }

  next(): Promise<IteratorResult<T>> {
    if (this.events.length > 0) return Promise.resolve({ value: this.events.shift() as T, done: false });
    if (this.failure) {
      const { reason } = this.failure;
      this.failure = undefined;
      return Promise.reject(reason);
    }
    if (this.ended) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  async return(): Promise<IteratorResult<T>> {
    this.events = [];
    this.failure = undefined;
    if (!this.ended) {
      this.end();
      this.onReturn();
    }
    return { value: undefined, done: true };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
