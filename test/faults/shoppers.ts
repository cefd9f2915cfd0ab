import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Instance } from '../support/instance.ts';

const EVENTS_PER_CALL = 5;
const MAX_TRIES = 600;

/**
 * Tracks events until stopped, as a storefront does: what is not acknowledged is sent again under the same ids. Their quantity, by
 * which they are found again, is `mark`.
 */
export function keepTracking(
  instance: Instance,
  mark: number,
  productId: string,
): AsyncDisposable & { stop(): Promise<{ acknowledged: number }> } {
  let [acknowledged, stopped] = [0, false];
  const track = async () => {
    const events = Array.from({ length: EVENTS_PER_CALL }, () => ({
      ...{ clientEventId: randomUUID(), productId, type: 'VIEW', quantity: mark, occurredAt: new Date() },
    }));
    const mutation = 'mutation ($events: [EventInput!]!) { trackEvents(events: $events) { __typename } }';
    for (let tries = 0; ; tries++) {
      if (tries === MAX_TRIES) throw new Error('tracked events were never acknowledged');
      const answer = await instance.ask(mutation, 'customer', { events }).catch(() => null);
      if (answer && !answer.errors) break;
      await sleep(300);
    }
    acknowledged += events.length;
  };
  const tracking = (async () => {
    while (!stopped) {
      await track();
      await sleep(300);
    }
  })();
  // Whoever stops it is told.
  tracking.catch(() => {});
  const stop = async () => {
    stopped = true;
    await tracking;
    return { acknowledged };
  };
  return { stop, [Symbol.asyncDispose]: async () => void (await stop()) };
}
