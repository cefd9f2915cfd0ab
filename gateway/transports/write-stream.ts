import type { ServerResponse } from 'node:http';
import type { Result } from '../answer.types.ts';

/** How results over time become the body of one HTTP response. */
export interface Framing {
  contentType: string;
  /** Before anything else, sent at once. */
  head: string;
  next(result: Result): string;
  end: string;
  /** Shows client and proxies that the connection is alive; null where the format has no room for it. */
  heartbeat: string | null;
  /** ms between heartbeats. */
  heartbeatEvery: number;
}

/** A client that has taken nothing of a full buffer for so long, ms, is gone. */
export const STUCK_AFTER = 30_000;

/**
 * Sends results as they come, no faster than the client reads, until they end or the client leaves; then nothing of `results`
 * is left. Rejects with what `results` throws.
 */
export async function writeStream(
  results: AsyncIterableIterator<Result>,
  response: ServerResponse,
  framing: Framing,
  stuckAfter = STUCK_AFTER,
): Promise<void> {
  if (response.closed || response.destroyed) {
    await results.return?.();
    return;
  }
  const leave = () => void results.return?.();
  response.once('close', leave);
  response.on('error', leave);
  response.writeHead(200, {
    'content-type': framing.contentType,
    'cache-control': 'no-cache, no-transform',
    // A proxy that gathers the events before it passes them on would defeat the purpose.
    'x-accel-buffering': 'no',
  });
  response.write(framing.head);
  const heart = setInterval(() => {
    if (framing.heartbeat && !response.writableNeedDrain) response.write(framing.heartbeat);
  }, framing.heartbeatEvery);
  heart.unref();
  try {
    for await (const result of results) {
      if (response.destroyed) return;
      if (!response.write(framing.next(result)) && !(await drained(response, stuckAfter))) return;
    }
    response.end(framing.end);
  } finally {
    clearInterval(heart);
    response.off('close', leave);
  }
}

/** True when the client has read on; false when it has left or, taken for gone, was cut off. */
function drained(response: ServerResponse, within: number): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (read: boolean) => {
      clearTimeout(timer);
      response.off('drain', onDrain);
      response.off('close', onClose);
      resolve(read);
    };
    const onDrain = () => settle(true);
    const onClose = () => settle(false);
    const timer = setTimeout(() => response.destroy(), within);
    timer.unref();
    response.once('drain', onDrain);
    response.once('close', onClose);
    if (response.closed) onClose();
  });
}
