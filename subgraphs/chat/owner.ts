import { createHmac, timingSafeEqual } from 'node:crypto';
import { hasScope, type Identity } from '../kit/auth.ts';

/** What can be signed. One kind's signature is none for the other. */
type Kind = 'conversation' | 'message';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** 128 bits in base64url. */
const SIGNED = /^([0-9a-f-]{36})\.([A-Za-z0-9_-]{22})$/;

/**
 * Ids as clients see them. Whoever has an account gets plain UUIDs: their tokens say whose they are. A visitor has nothing to show
 * but the id, so a visitor's ids are signed, `<uuid>.<signature>`: nobody can make one, or find one by trying.
 */
export class Ids {
  /** @param key random bytes that only this instance knows */
  constructor(private readonly key: Buffer) {}

  /** The id that this client gets. Staff get the UUID of a visitor's, which lets them read and not write. */
  shown(kind: Kind, id: string, owner: string | null, identity: Identity | null): string {
    return owner === null && identity === null ? `${id}.${this.signature(kind, id)}` : id;
  }

  /** The UUID in an id that a client gave; null when it is none, or a visitor's whose signature is missing or not ours. */
  read(kind: Kind, given: string, identity: Identity | null): string | null {
    const signed = SIGNED.exec(given);
    const id = signed ? (signed[1] as string) : given.toLowerCase();
    if (!UUID.test(id)) return null;
    if (!signed) return identity === null ? null : id;
    const isOurs = timingSafeEqual(Buffer.from(signed[2] as string), Buffer.from(this.signature(kind, id)));
    return isOurs ? id : null;
  }

  private signature(kind: Kind, id: string): string {
    return createHmac('sha256', this.key).update(`${kind}:${id}`).digest().subarray(0, 16).toString('base64url');
  }
}

/** Whether the conversation is the client's own. Only after `Ids.read`, which is what a visitor proves it by. */
export const owns = (owner: string | null, identity: Identity | null): boolean => owner === (identity?.subject ?? null);

/** Whether the client may read it: its owner, support and admins. Only after `Ids.read`. */
export const mayRead = (owner: string | null, identity: Identity | null): boolean =>
  owns(owner, identity) || hasScope(identity, 'support', 'admin');

/** An id of a visitor's question at least so long is taken for one that nobody else has. */
const UNGUESSABLE = 20;

/**
 * Within which scope a client's own id of a question is unique: the user, or the visitor's conversation. A visitor's question that
 * begins a conversation has neither: a long id is taken for random; one like "1" is a new question every time, since its answer
 * would go to whoever else counts from 1.
 * @param conversationId of an existing conversation, or the one that begins
 */
export function scopesOf(
  identity: Identity | null,
  conversationId: string,
  begins: boolean,
  clientMessageId: string,
): { scope: string; begunIn: string } {
  if (identity) return { scope: `user:${identity.subject}`, begunIn: `user:${identity.subject}` };
  const own = `conversation:${conversationId}`;
  if (!begins) return { scope: own, begunIn: VISITOR };
  const scope = clientMessageId.length >= UNGUESSABLE ? VISITOR : own;
  return { scope, begunIn: scope };
}

const VISITOR = 'visitor';
