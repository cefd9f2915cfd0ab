/**
 * A signal that aborts when the last of these has: work for several ends when nobody wants it any more.
 * @returns it, and what takes the listeners away again
 */
export function whenAllLeft(signals: readonly (AbortSignal | undefined)[]): {
  signal: AbortSignal;
  release(): void;
} {
  const all = new AbortController();
  let present = signals.length;
  const leave = () => {
    if (--present === 0) all.abort(signals[0]?.reason);
  };
  for (const signal of signals) {
    if (signal?.aborted) leave();
    else signal?.addEventListener('abort', leave, { once: true });
  }
  return {
    signal: all.signal,
    release: () => {
      for (const signal of signals) signal?.removeEventListener('abort', leave);
    },
  };
}
