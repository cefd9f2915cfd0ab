import { createLocalJWKSet, createRemoteJWKSet, errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { type Identity, SCOPES } from '../subgraphs/kit/auth.ts';
import type { Config } from '../subgraphs/kit/config.ts';
import { HashiraError } from '../subgraphs/kit/errors.ts';
import { publicDevelopmentKey } from './development-key.ts';

/** Turns an Authorization header into a verified identity. */
export type Authenticate = (authorization: string | undefined) => Promise<Identity | null>;

const ALGORITHMS = ['ES256', 'ES384', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'EdDSA'];

/**
 * Verifies bearer tokens against the issuer's keys (JWKS_URL), or against the development key of this instance.
 * The function it returns gives null without a header and throws HashiraError UNAUTHENTICATED for a token that is not good.
 */
export async function createAuthenticator(config: Config): Promise<Authenticate> {
  const key: JWTVerifyGetKey = config.JWKS_URL
    ? createRemoteJWKSet(new URL(config.JWKS_URL), { timeoutDuration: 5_000 })
    : createLocalJWKSet({ keys: [await publicDevelopmentKey(config.HASHIRA_DATA)] });
  return async (authorization) => {
    if (!authorization) return null;
    const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
    if (!token) throw new HashiraError('UNAUTHENTICATED', 'The Authorization header must read "Bearer <token>".');
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: ALGORITHMS,
        issuer: config.JWT_ISSUER,
        audience: config.JWT_AUDIENCE,
        requiredClaims: ['sub', 'exp'],
        clockTolerance: 5,
      });
      const scopes = typeof payload.scope === 'string' ? payload.scope.split(' ') : [];
      return { subject: String(payload.sub), scopes: scopes.filter((scope) => SCOPES.includes(scope as never)) };
    } catch (cause) {
      const expired = cause instanceof errors.JWTExpired;
      const message = expired ? 'Your token has expired. Sign in again.' : 'Your token is not valid here.';
      throw new HashiraError('UNAUTHENTICATED', message, { cause });
    }
  };
}
