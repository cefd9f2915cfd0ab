import { setPriority } from 'node:os';
import { loadSummarizer } from './load.ts';
import type { TranscriptTurn } from './model.ts';
import type { Summarizer } from './summarizer.ts';

/** What a writer sends to its worker, and gets back. */
export type Order = { id: number; turns: readonly TranscriptTurn[] } | { id: number; cancel: true };
export type Report =
  | { ready: true }
  | { failed: string }
  | { id: number; written: Awaited<ReturnType<Summarizer['summarize']>> }
  | { id: number; error: string };

/** Requests that are answered should not wait for summaries that are written. */
const NICE = 10;

/** The process in which summaries are written, one after another: `worker.ts DIR` with the folder of a model. */
async function main(dir: string): Promise<void> {
  const send = (report: Report) => process.send?.(report);
  // The parent is gone, however it went.
  process.once('disconnect', () => process.exit(0));
  // A terminal interrupts the whole group; the parent ends us when it has no more use for us.
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
  setPriority(NICE);
  let summarizer: Pick<Summarizer, 'summarize'>;
  try {
    summarizer = await loadSummarizer(dir);
  } catch (error) {
    send({ failed: String(error) });
    return;
  }
  const running = new Map<number, AbortController>();
  let queue: Promise<void> = Promise.resolve();
  process.on('message', (order: Order) => {
    if ('cancel' in order) {
      running.get(order.id)?.abort();
      return;
    }
    const controller = new AbortController();
    running.set(order.id, controller);
    queue = queue.then(async () => {
      try {
        controller.signal.throwIfAborted();
        send({ id: order.id, written: await summarizer.summarize(order.turns, controller.signal) });
      } catch (error) {
        send({ id: order.id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
      } finally {
        running.delete(order.id);
      }
    });
  });
  send({ ready: true });
}

await main(process.argv[2] ?? '');
