import type { Identity } from '../../subgraphs/kit/auth.ts';

/** Equal for those to whom a subgraph would answer alike: the same person with the same scopes. Visitors are one. */
export function identityKey(identity: Identity | null): string {
  return identity ? JSON.stringify([identity.subject, ...[...identity.scopes].sort()]) : '';
}
