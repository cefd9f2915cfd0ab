import { setTimeout as sleep } from 'node:timers/promises';
import { HashiraError } from '../kit/errors.ts';

/** A run outlives an outage of the database or of Chroma of this length; then another worker may have the job. */
export const PATIENCE_MS = 90_000;

export const isOutage = (error: unknown): boolean =>
  error instanceof HashiraError && (error.code === 'DATABASE_UNAVAILABLE' || error.code === 'VECTORS_UNAVAILABLE');

/** Does the work again while what it needs cannot be reached, less and less often. The work must be safe to repeat. */
export async function outlastingOutages<T>(
  work: () => Promise<T>,
  options: { patienceMs?: number; signal?: AbortSignal } = {},
): Promise<T> {
  const deadline = Date.now() + (options.patienceMs ?? PATIENCE_MS);
  for (let pause = 250; ; pause = Math.min(pause * 2, 5_000)) {
    try {
      return await work();
    } catch (error) {
      if (!isOutage(error) || Date.now() + pause > deadline) throw error;
    }
    await sleep(pause, undefined, { signal: options.signal });
  }
}
