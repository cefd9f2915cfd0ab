/**
 * A promise that does not wait longer than the signal lets it; what it waited for goes on unheard.
 * @throws the reason of the signal, or of the promise
 */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    promise.catch(() => {});
    throw signal.reason;
  }
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort);
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** What a source gives, until the signal aborts; then the source is ended, and not waited for. @throws the reason of the signal */
export async function* cancelling<T>(
  source: AsyncIterable<T>,
  signal: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  let ended = false;
  try {
    while (true) {
      const next = await unlessAborted(iterator.next(), signal);
      if (next.done) {
        ended = true;
        return;
      }
      yield next.value;
    }
  } catch (error) {
    // Of a source that threw nothing is left to end.
    ended = !signal.aborted;
    throw error;
  } finally {
    if (!ended) iterator.return?.().then(undefined, () => {});
  }
}

/**
 * What a generator yields, for a reader that may leave while the generator waits: its own `return` would wait as long.
 * Here it aborts the signal that the generator works with, and whoever waits for the next is told at once that there is none.
 */
export class Leavable<T> implements AsyncIterableIterator<T> {
  /** Settles when the generator has ended, its cleaning up included; never rejects. */
  readonly ended: Promise<void>;
  private settle = () => {};
  private readonly left: Promise<IteratorResult<T>>;
  private tellLeft = (_: IteratorResult<T>) => {};
  private hasLeft = false;
  private readonly ending = new AbortController();
  private readonly generator: AsyncGenerator<T, void, undefined>;
  private readonly onAbort = () => this.leave(this.client?.reason);

  /** @param client aborts when the client has left */
  constructor(
    generate: (signal: AbortSignal) => AsyncGenerator<T, void, undefined>,
    private readonly client?: AbortSignal,
  ) {
    this.ended = new Promise((resolve) => {
      this.settle = resolve;
    });
    this.left = new Promise((resolve) => {
      this.tellLeft = resolve;
    });
    this.generator = generate(this.ending.signal);
    if (client?.aborted) this.leave(client.reason);
    else client?.addEventListener('abort', this.onAbort);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<T>> {
    if (this.hasLeft) return done();
    const next = this.generator.next();
    next.then(
      (result) => result.done && this.finish(),
      () => this.finish(),
    );
    return Promise.race([next, this.left]);
  }

  async return(): Promise<IteratorResult<T>> {
    this.leave(new DOMException('The reader has left.', 'AbortError'));
    return done();
  }

  /** Aborts what the generator waits for; what it says about that is still told. */
  abort(reason: unknown): void {
    this.ending.abort(reason);
  }

  private leave(reason: unknown): void {
    if (this.hasLeft) return;
    this.hasLeft = true;
    this.ending.abort(reason);
    this.tellLeft(done());
    // Queued behind a `next` under way, which the abort ends.
    const finish = () => this.finish();
    this.generator.return().then(finish, finish);
  }

  private finish(): void {
    this.client?.removeEventListener('abort', this.onAbort);
    this.settle();
  }
}

const done = <T>(): IteratorResult<T> => ({ done: true, value: undefined });
