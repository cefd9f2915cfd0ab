import { createLocalJWKSet, createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import type { Identity } from '../subgraphs/kit/auth.ts';
import type { Config } from '../subgraphs/kit/config.ts';
import { HashiraError } from '../subgraphs/kit/errors.ts';
import type { Caller } from './answer.types.ts';
import { publicDevelopmentKey } from './development-key.ts';
import type { RateLimit } from './protection/rate-limit.ts';

/** What an Authorization header proves. */
export interface Authenticated {
  /** Null without a header: a visitor. */
  identity: Identity | null;
  /** When the token ends, ms since 1970; Infinity for a visitor. */
  expires: number;
}

/**
 * Answers at once for a token verified lately.
 * @param from who sends it, for the rate limit
 * @throws HashiraError UNAUTHENTICATED for a token that is not good; ISSUER_UNAVAILABLE when that cannot be told now; RATE_LIMITED
 * for one address that tries many of either
 */
export type Authenticate = (
  authorization: string | undefined,
  from: Pick<Caller, 'address'>,
) => Authenticated | Promise<Authenticated>;

const ALGORITHMS = ['ES256', 'ES384', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'EdDSA'];
const CLOCK_TOLERANCE_S = 5;
/** How long a verified token is believed without looking again: verifying costs more than answering most queries. */
const REMEMBERED_MS = 60_000;
/** Codes of jose for keys that could not be fetched. */
const OUTAGES = new Set(['ERR_JWKS_TIMEOUT', 'ERR_JOSE_GENERIC']);
const VISITOR: Authenticated = { identity: null, expires: Number.POSITIVE_INFINITY };

/** Verifies bearer tokens against the issuer's keys (JWKS_URL), or against the development key of this instance. */
export async function createAuthenticator(config: Config, rateLimit: Pick<RateLimit, 'take'>): Promise<Authenticate> {
  const key: JWTVerifyGetKey = config.JWKS_URL
    ? createRemoteJWKSet(new URL(config.JWKS_URL), { timeoutDuration: 5_000 })
    : createLocalJWKSet({ keys: [await publicDevelopmentKey(config.HASHIRA_DATA)] });
  const verified = new LRUCache<string, Authenticated>({
    max: 10_000,
    // One token can be sent with any number of spaces before it.
    maxSize: 20_000_000,
    sizeCalculation: (_, authorization) => authorization.length,
    ttl: REMEMBERED_MS,
  });

  const verify = async (authorization: string): Promise<Authenticated> => {
    const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
    if (!token) throw new HashiraError('UNAUTHENTICATED', 'The Authorization header must read "Bearer <token>".');
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: ALGORITHMS,
        issuer: config.JWT_ISSUER,
        audience: config.JWT_AUDIENCE,
        requiredClaims: ['sub', 'exp'],
        clockTolerance: CLOCK_TOLERANCE_S,
      });
      const authenticated = {
        identity: identityOf(payload),
        expires: ((payload.exp as number) + CLOCK_TOLERANCE_S) * 1000,
      };
      verified.set(authorization, authenticated);
      return authenticated;
    } catch (cause) {
      if (!(cause instanceof errors.JOSEError) || OUTAGES.has(cause.code)) {
        throw new HashiraError('ISSUER_UNAVAILABLE', 'Your token cannot be checked now. Please try again.', { cause });
      }
      const expired = cause instanceof errors.JWTExpired;
      const message = expired ? 'Your token has expired. Sign in again.' : 'Your token is not valid here.';
      throw new HashiraError('UNAUTHENTICATED', message, { cause });
    }
  };
  return (authorization, from) => {
    if (!authorization) return VISITOR;
    const known = verified.get(authorization);
    if (known && known.expires > Date.now()) return known;
    return verify(authorization).catch((error) => {
      // Guessing tokens is counted as asking without one.
      rateLimit.take({ identity: null, address: from.address });
      throw error;
    });
  };
}

/** Scopes are a text separated by spaces, as OAuth has them; policies likewise, or a list. */
function identityOf(payload: JWTPayload): Identity {
  const words = (claim: unknown): string[] =>
    (Array.isArray(claim) ? claim.map(String) : typeof claim === 'string' ? claim.split(' ') : []).filter(Boolean);
  const policies = words(payload.policies);
  return { subject: String(payload.sub), scopes: words(payload.scope), ...(policies.length > 0 ? { policies } : {}) };
}
