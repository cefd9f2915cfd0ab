import { LRUCache } from 'lru-cache';
import { IDENTITY_LIFETIME_S, type Identity, verifyIdentity } from './auth.ts';

/**
 * Believes the identities that the gateway signed for one subgraph. The gateway sends a signature many times: it is verified the first
 * time, and believed no longer than if it had been verified then.
 */
export class IdentityVerifier {
  private readonly verified = new LRUCache<string, { identity: Identity | null; until: number }>({ max: 5_000 });

  constructor(
    private readonly subgraph: string,
    private readonly secret: string,
  ) {}

  /** @throws HashiraError UNAUTHENTICATED */
  async verify(token: unknown): Promise<Identity | null> {
    const text = typeof token === 'string' ? token : '';
    const known = this.verified.get(text);
    if (known && Date.now() < known.until) return known.identity;
    const identity = await verifyIdentity(text, this.subgraph, this.secret);
    this.verified.set(text, { identity, until: expiryOf(text) });
    return identity;
  }
}

/** Ms since 1970, of a token whose signature is good. */
function expiryOf(token: string): number {
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { exp: number };
  return Math.min(claims.exp * 1_000, Date.now() + IDENTITY_LIFETIME_S * 1_000);
}
