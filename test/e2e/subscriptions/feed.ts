/** The source of all events of a test. It counts the generators that were opened and have ended. */
export class Feed {
  opened = 0;
  closed = 0;
  readonly #seats = new Map<string, Set<(n: number) => void>>();

  /** An event for who sits there. */
  emit(seat: string, n: number): void {
    for (const listener of this.#seats.get(seat) ?? []) listener(n);
  }

  /** Every seat that is taken gets the event. */
  emitAll(n: number): void {
    for (const seat of this.#seats.keys()) this.emit(seat, n);
  }

  /** Its numbers, up to and with `last`. */
  async *listen(seat: string, last: number, signal: AbortSignal | undefined): AsyncGenerator<number> {
    this.opened++;
    const queue: number[] = [];
    let wake = () => {};
    const listener = (n: number) => {
      queue.push(n);
      wake();
    };
    const listeners = this.#seats.get(seat) ?? new Set();
    this.#seats.set(seat, listeners.add(listener));
    const leave = () => wake();
    signal?.addEventListener('abort', leave);
    try {
      while (!signal?.aborted) {
        const n = queue.shift();
        if (n === undefined) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
          continue;
        }
        yield n;
        if (n === last) return;
      }
    } finally {
      signal?.removeEventListener('abort', leave);
      listeners.delete(listener);
      if (listeners.size === 0) this.#seats.delete(seat);
      this.closed++;
    }
  }
}
