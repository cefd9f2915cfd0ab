import { LRUCache } from 'lru-cache';
import { IDENTITY_LIFETIME_S, type Identity, signIdentity } from '../../subgraphs/kit/auth.ts';
import { identityKey } from '../access/identity-key.ts';

/** Who asks, signed for one subgraph: each identity once per half of the signature's life, not once per fetch. */
export class SignedIdentities {
  private readonly tokens = new LRUCache<string, string>({ max: 5_000, ttl: (IDENTITY_LIFETIME_S / 2) * 1_000 });

  constructor(
    private readonly subgraph: string,
    private readonly secret: string,
  ) {}

  of(identity: Identity | null): string {
    const key = identityKey(identity);
    let token = this.tokens.get(key);
    if (token === undefined) {
      token = signIdentity(identity, this.subgraph, this.secret);
      this.tokens.set(key, token);
    }
    return token;
  }
}
