import type { Identity } from '../../subgraphs/kit/auth.ts';

/** Equal for those to whom a subgraph would answer alike: the same person with the same rights. Visitors are one. */
export function identityKey(identity: Identity | null): string {
  if (!identity) return '';
  const { subject, scopes, policies = [] } = identity;
  return JSON.stringify([subject, [...scopes].sort(), [...policies].sort()]);
}
