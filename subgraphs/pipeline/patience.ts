import { setTimeout as sleep } from 'node:timers/promises';
import { HashiraError } from '../kit/errors.ts';

/** A run outlives an outage of what it needs of this length; then another worker may have the job. */
export const PATIENCE_MS = 90_000;

const OUTAGES: ReadonlySet<string> = new Set([
  ...['DATABASE_UNAVAILABLE', 'VECTORS_UNAVAILABLE', 'STORAGE_UNAVAILABLE', 'CLUSTER_UNAVAILABLE'],
  'REGISTRY_UNAVAILABLE',
]);

export const isOutage = (error: unknown): boolean => error instanceof HashiraError && OUTAGES.has(error.code);

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
