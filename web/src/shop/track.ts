import { client } from '../client/apollo.ts';
import { newId } from '../client/new-id.ts';
import { type EventInput, TrackEventsDocument } from '../graphql/graphql.ts';

type Tracked = Pick<EventInput, 'type' | 'productId' | 'quantity'>;

/** Events of a short time travel together. */
const GATHER_MS = 800;
let waiting: EventInput[] = [];

/**
 * Tells the shop what a shopper did; it shapes what is recommended. An event has its id from the beginning, so sending it again,
 * when the gateway was away, counts once.
 */
export function track(event: Tracked): void {
  if (waiting.length === 0) setTimeout(send, GATHER_MS);
  waiting.push({ ...event, clientEventId: newId() });
}

function send(): void {
  const events = waiting;
  waiting = [];
  // What the graph refuses, such as a product that is gone, is not worth telling a shopper.
  client
    .mutate({ mutation: TrackEventsDocument, variables: { events }, context: { safeToRepeat: true } })
    .catch(() => {});
}
