/** A stream of which only the latest value matters: a slow reader misses those in between, never the last. */
export class Latest<T> implements AsyncIterableIterator<T> {
  /** Whether there was a value yet. */
  begun = false;
  readonly #onEnd: () => void;
  #value: { value: T } | null = null;
  #finished = false;
  #waiting: PromiseWithResolvers<IteratorResult<T, undefined>> | null = null;

  /** @param onEnd called once, when nobody reads any more or the last value is there */
  constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
  }

  /** @param last whether the stream ends behind it */
  put(value: T, last = false): void {
    if (this.#finished) return;
    this.begun = true;
    this.#value = { value };
    if (last) this.#finish();
    this.#settle();
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#waiting) return this.#waiting.promise.then(() => this.next());
    this.#waiting = Promise.withResolvers();
    const { promise } = this.#waiting;
    this.#settle();
    return promise;
  }

  /** Ends at once, also while `next()` waits. */
  return(): Promise<IteratorResult<T, undefined>> {
    this.#value = null;
    this.#finish();
    this.#settle();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#onEnd();
  }

  #settle(): void {
    if (!this.#waiting || !(this.#value || this.#finished)) return;
    const { resolve } = this.#waiting;
    this.#waiting = null;
    const value = this.#value;
    this.#value = null;
    resolve(value ? { done: false, value: value.value } : { done: true, value: undefined });
  }
}
