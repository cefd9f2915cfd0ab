import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../subgraphs/kit/config.ts';
import { createSignIn } from './sign-in.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sign-in-'));
  await writeFile(path.join(folder, 'tokens.json'), '{"customer": "token-c", "admin": "token-a"}');
});
afterAll(() => rm(folder, { recursive: true }));

const signIn = (env: Record<string, string> = {}) => createSignIn(loadConfig({ HASHIRA_DATA: folder, ...env }));

const asked = (headers: Record<string, string> = {}, remoteAddress = '127.0.0.1') =>
  ({
    headers: { host: '127.0.0.1:4000', 'sec-fetch-site': 'same-origin', ...headers },
    socket: { remoteAddress },
  }) as unknown as IncomingMessage;

describe('signing in to the web app', () => {
  it('gives the page on this machine a development token of each role', async () => {
    expect(await signIn().method(asked())).toEqual({ kind: 'development', roles: ['customer', 'admin'] });
    expect(await signIn().token(asked(), 'admin')).toBe('token-a');
    expect(await signIn().token(asked({ host: 'localhost:4000' }, '::1'), 'admin')).toBe('token-a');
  });

  it.each<[string, Record<string, string>, string?]>([
    ['a page of another site', { 'sec-fetch-site': 'cross-site' }],
    ['a page of another port of this machine', { 'sec-fetch-site': 'same-site' }],
    ['a name that was made to point here', { host: 'rebound.example:4000' }],
    ['a name that only begins like this machine', { host: '127.0.0.1.evil.example' }],
    ['another machine', {}, '10.0.0.7'],
    ['a proxy that speaks for somebody', { 'x-forwarded-for': '127.0.0.1' }],
  ])('gives none to %s', async (_who, headers, address) => {
    expect(await signIn().method(asked(headers, address))).toEqual({ kind: 'none' });
    await expect(signIn().token(asked(headers, address), 'admin')).rejects.toThrow('no development token');
  });

  it.each<[string, Record<string, string>]>([
    ['an issuer signs the tokens', { JWKS_URL: 'https://issuer.example/keys' }],
    ['this is production', { PRODUCTION: 'on' }],
    ['a proxy is in front', { TRUST_PROXY: '1' }],
  ])('gives none where %s', async (_why, env) => {
    await expect(signIn(env).token(asked(), 'admin')).rejects.toThrow('no development token');
  });

  it.each(['owner', '__proto__', 'constructor'])('has no role %s', async (role) => {
    await expect(signIn().token(asked(), role)).rejects.toThrow('no development token');
  });

  it('sends people to the issuer where one is set up', async () => {
    const env = { JWKS_URL: 'https://i.example/keys', JWT_ISSUER: 'https://i.example', OIDC_CLIENT_ID: 'shop' };
    expect(await signIn(env).method(asked({ 'sec-fetch-site': 'cross-site' }, '10.0.0.7'))).toEqual({
      kind: 'oidc',
      issuer: 'https://i.example',
      clientId: 'shop',
      scope: 'openid profile',
    });
  });
});
