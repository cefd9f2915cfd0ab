import { jwtVerify, SignJWT } from 'jose';
import { HashiraError } from './errors.ts';

/** Scopes a token can carry. Each is a role; none implies another. */
export const SCOPES = ['customer', 'support', 'analyst', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** Who asks: the verified claims of an access token. */
export interface Identity {
  /** The user's id in the shop. */
  subject: string;
  scopes: readonly string[];
}

export const hasScope = (identity: Identity | null, ...anyOf: Scope[]): boolean =>
  anyOf.some((scope) => identity?.scopes.includes(scope));

/** The header in which the gateway tells a subgraph reached by URL who asks. */
export const IDENTITY_HEADER = 'x-hashira-identity';

const ISSUER = 'hashiramart-gateway';
const key = (secret: string) => new TextEncoder().encode(secret);

/** Signs who asks (null: a visitor) for one subgraph, for one minute. */
export function signIdentity(identity: Identity | null, subgraph: string, secret: string): Promise<string> {
  const token = new SignJWT({ scopes: identity?.scopes ?? [] })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(ISSUER)
    .setAudience(subgraph)
    .setIssuedAt()
    .setExpirationTime('60s');
  return (identity ? token.setSubject(identity.subject) : token).sign(key(secret));
}

/** @throws HashiraError UNAUTHENTICATED when the claims were not signed by our gateway for this subgraph. */
export async function verifyIdentity(
  header: string | undefined,
  subgraph: string,
  secret: string,
): Promise<Identity | null> {
  try {
    const { payload } = await jwtVerify(header ?? '', key(secret), {
      issuer: ISSUER,
      audience: subgraph,
      algorithms: ['HS256'],
    });
    return payload.sub === undefined ? null : { subject: payload.sub, scopes: payload.scopes as string[] };
  } catch (cause) {
    throw new HashiraError('UNAUTHENTICATED', 'This subgraph answers only its gateway.', { cause });
  }
}
