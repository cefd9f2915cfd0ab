import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import path from 'node:path';
import type { Config } from '../../subgraphs/kit/config.ts';
import { HashiraError } from '../../subgraphs/kit/errors.ts';
import { isLoopback, isLoopbackHost } from '../protection/loopback.ts';

/** How people sign in to the web app. */
export type SignInMethod =
  | { kind: 'development'; roles: string[] }
  | { kind: 'oidc'; issuer: string; clientId: string; scope: string }
  | { kind: 'none' };

export interface SignIn {
  /** What this asker is offered. */
  method(request: IncomingMessage): Promise<SignInMethod>;
  /** A development token. @throws HashiraError NOT_FOUND, also for everybody who may not have one */
  token(request: IncomingMessage, role: string): Promise<string>;
}

type SignInConfig = Pick<
  Config,
  'HASHIRA_DATA' | 'JWKS_URL' | 'JWT_ISSUER' | 'OIDC_CLIENT_ID' | 'OIDC_SCOPE' | 'PRODUCTION' | 'TRUST_PROXY'
>;

/**
 * Signing in to the web app. With an issuer of the operator's it is the issuer's business. Where the development key signs, the
 * tokens that `npm start` wrote are handed out, under all of these conditions:
 *
 * 1. No JWKS_URL, no PRODUCTION, no proxy in front.
 * 2. The connection comes from this machine, and no proxy says it speaks for somebody else.
 * 3. The Host is a name of this machine: a site whose name was made to point here (DNS rebinding) has its own.
 * 4. The browser says (Sec-Fetch-Site) that our own page asks; a page of another port of this machine is only `same-site`.
 *
 * Tokens go into the page's memory and never into a cookie, which all ports of a host would share.
 */
export function createSignIn(config: SignInConfig): SignIn {
  const { JWKS_URL, JWT_ISSUER, OIDC_CLIENT_ID } = config;
  const development = !JWKS_URL && config.PRODUCTION === 'off' && config.TRUST_PROXY === 0;
  const mayHave = ({ headers, socket }: IncomingMessage) =>
    development &&
    isLoopback({ headers, socket }) &&
    isLoopbackHost(headers.host) &&
    headers['sec-fetch-site'] === 'same-origin';
  const tokens = async (): Promise<Record<string, string>> => {
    const text = await readFile(path.join(config.HASHIRA_DATA, 'tokens.json'), 'utf8').catch(() => '{}');
    return JSON.parse(text) as Record<string, string>;
  };
  return {
    method: async (request) => {
      if (JWKS_URL && JWT_ISSUER && OIDC_CLIENT_ID)
        return { kind: 'oidc', issuer: JWT_ISSUER, clientId: OIDC_CLIENT_ID, scope: config.OIDC_SCOPE };
      const roles = mayHave(request) ? Object.keys(await tokens()) : [];
      return roles.length > 0 ? { kind: 'development', roles } : { kind: 'none' };
    },
    token: async (request, role) => {
      const all = mayHave(request) ? await tokens() : {};
      const token = Object.hasOwn(all, role) ? all[role] : undefined;
      if (!token) throw new HashiraError('NOT_FOUND', 'There is no development token for you.');
      return token;
    },
  };
}
