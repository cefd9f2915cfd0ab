import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Instance } from '../support/instance.ts';

const EVENTS_PER_CALL = 5;

/**
 * Tracks events until stopped, as a storefront does: what is not acknowledged is sent again under the same ids. Their quantity, by
 * which they are found again, is `mark`.
 */
export function keepTracking(
  instance: Instance,
  mark: number,
  productId: string,
): { stop(): Promise<{ acknowledged: number; repeated: number }> } {
  let [acknowledged, repeated, stopped] = [0, 0, false];
  const track = async () => {
    const events = Array.from({ length: EVENTS_PER_CALL }, () => ({
      ...{ clientEventId: randomUUID(), productId, type: 'VIEW', quantity: mark, occurredAt: new Date() },
    }));
    const mutation = 'mutation ($events: [EventInput!]!) { trackEvents(events: $events) { __typename } }';
    for (; ; repeated++) {
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
  return {
    stop: async () => {
      stopped = true;
      await tracking;
      return { acknowledged, repeated };
    },
  };
}
