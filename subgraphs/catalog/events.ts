import { hasScope, type Identity } from '../kit/auth.ts';
import { badInput, HashiraError } from '../kit/errors.ts';
import type { EventType, TrackedEvent } from './model.ts';
import { checkLength } from './text.ts';

/** An event as a client sends it. */
export interface EventInput {
  clientEventId: string;
  userId?: string | null;
  productId: string;
  type: EventType;
  quantity?: number | null;
  occurredAt?: Date | null;
}

const MAX_EVENTS = 500;
const MAX_QUANTITY = 10_000;
const MAX_AGE_MS = 365 * 24 * 3_600_000;
const CLOCK_SKEW_MS = 5 * 60_000;

/**
 * Checks events and says whose they are: the signed-in user's, a visitor's when nobody is signed in, and anybody's when an
 * admin sends them. Without a time they happened now; without a quantity, once.
 * @throws HashiraError BAD_USER_INPUT, UNAUTHENTICATED (a visitor names a user) or FORBIDDEN (a user names another)
 */
export function toTrackedEvents(
  inputs: readonly EventInput[],
  identity: Identity | null,
  now = new Date(),
): TrackedEvent[] {
  if (inputs.length > MAX_EVENTS) throw badInput(`At most ${MAX_EVENTS} events can be sent at once.`, 'events');
  return inputs.map((input) => {
    checkLength(input.clientEventId, 1, 100, '"clientEventId"');
    const { clientEventId, productId, type } = input;
    const wrong = (what: string) => badInput(`Event "${clientEventId}": ${what}`, 'events');
    const quantity = input.quantity ?? 1;
    if (quantity < 1 || quantity > MAX_QUANTITY) throw wrong(`"quantity" must be between 1 and ${MAX_QUANTITY}.`);
    const occurredAt = input.occurredAt ?? now;
    if (occurredAt.getTime() > now.getTime() + CLOCK_SKEW_MS) throw wrong('"occurredAt" is in the future.');
    if (occurredAt.getTime() < now.getTime() - MAX_AGE_MS) throw wrong('"occurredAt" is more than 365 days ago.');
    return { clientEventId, userId: owner(input, identity), productId, type, quantity, occurredAt };
  });
}

function owner({ clientEventId, userId }: EventInput, identity: Identity | null): string | null {
  const named = userId ?? identity?.subject ?? null;
  if (named === null) return null;
  if (!identity) throw new HashiraError('UNAUTHENTICATED', `Event "${clientEventId}": sign in to track for a user.`);
  if (named !== identity.subject && !hasScope(identity, 'admin'))
    throw new HashiraError('FORBIDDEN', `Event "${clientEventId}": only an admin can track for another user.`);
  checkLength(named, 1, 200, `Event "${clientEventId}": "userId"`);
  return named;
}

/** @throws HashiraError BAD_USER_INPUT that names the events whose product does not exist, if there are any */
export function refuseUnknownProducts(clientEventIds: readonly string[]): void {
  if (clientEventIds.length === 0) return;
  const names = clientEventIds.map((id) => `"${id}"`).join(', ');
  throw new HashiraError('BAD_USER_INPUT', `Nothing was recorded: these events are of an unknown product: ${names}.`, {
    extensions: { argument: 'events', clientEventIds },
  });
}
