import { mkdtemp, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { describe, expect, it, vi } from 'vitest';
import { type Config, loadConfig } from '../subgraphs/kit/config.ts';
import { createAuthenticator } from './auth.ts';
import { signDevelopmentToken } from './development-key.ts';
import { RateLimit } from './protection/rate-limit.ts';

const folder = () => mkdtemp(path.join(tmpdir(), 'hashira-auth-'));
const here = { address: '127.0.0.1' };
const authenticator = (config: Config, rateLimit: Pick<RateLimit, 'take'> = { take: () => {} }) =>
  createAuthenticator(config, rateLimit);
const refused = { code: 'UNAUTHENTICATED' };

describe('development tokens', () => {
  it('are accepted by the instance that made them and by no other', async () => {
    const [mine, other] = [await folder(), await folder()];
    const token = await signDevelopmentToken(mine, 'u-1', 'admin');
    const authenticate = await authenticator(loadConfig({ HASHIRA_DATA: mine }));
    expect((await authenticate(`Bearer ${token}`, here)).identity).toEqual({ subject: 'u-1', scopes: ['admin'] });
    await expect(
      (await authenticator(loadConfig({ HASHIRA_DATA: other })))(`Bearer ${token}`, here),
    ).rejects.toMatchObject(refused);
  });

  it('come from a key that only its owner can read', async () => {
    const dir = await folder();
    await signDevelopmentToken(dir, 'u-1', 'admin');
    expect((await stat(path.join(dir, 'development-key.json'))).mode & 0o777).toBe(0o600);
  });
});

it('is not guessed more often than visitors may ask', async () => {
  const rateLimit = new RateLimit({ RATE_LIMIT_PER_MINUTE: 0, RATE_LIMIT_ADDRESS_PER_MINUTE: 2 });
  const authenticate = await authenticator(loadConfig({ HASHIRA_DATA: await folder() }), rateLimit);
  const codes: unknown[] = [];
  for (const guess of ['a', 'b', 'c']) {
    await Promise.resolve(authenticate(`Bearer ${guess}`, here)).catch(({ code }) => codes.push(code));
  }
  expect(codes).toEqual(['UNAUTHENTICATED', 'UNAUTHENTICATED', 'RATE_LIMITED']);
});

describe('a token verified before', () => {
  it('is answered for at once, and not beyond its end', async () => {
    const dir = await folder();
    const token = `Bearer ${await signDevelopmentToken(dir, 'u-1', 'admin')}`;
    const authenticate = await authenticator(loadConfig({ HASHIRA_DATA: dir }));
    const { expires } = await authenticate(token, here);
    expect(authenticate(token, here)).not.toBeInstanceOf(Promise);
    vi.useFakeTimers({ now: expires + 1, toFake: ['Date'] });
    try {
      await expect(authenticate(token, here)).rejects.toMatchObject(refused);
    } finally {
      vi.useRealTimers();
    }
  });

  it('does not lend its identity to one that differs in a letter', async () => {
    const dir = await folder();
    const token = `Bearer ${await signDevelopmentToken(dir, 'u-1', 'admin')}`;
    const authenticate = await authenticator(loadConfig({ HASHIRA_DATA: dir }));
    await authenticate(token, here);
    await expect(authenticate(`${token.slice(0, -4)}AAAA`, here)).rejects.toMatchObject(refused);
  });
});

describe('tokens of an issuer', () => {
  it('are verified against its JWKS: signature, issuer, audience, expiry, algorithm', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256' }] };
    const server = createServer((_, response) => response.end(JSON.stringify(jwks))).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const config = loadConfig({ JWKS_URL: url, JWT_ISSUER: 'shop', JWT_AUDIENCE: 'graph' });
    const authenticate = await authenticator(config);
    const sign = (claims: object, expires = '1h', key: Parameters<SignJWT['sign']>[0] = privateKey, alg = 'ES256') =>
      new SignJWT({ sub: 'u', iss: 'shop', aud: 'graph', ...claims })
        .setProtectedHeader({ alg, kid: 'k' })
        .setExpirationTime(expires)
        .sign(key);
    try {
      const good = await sign({ scope: 'customer root' });
      const { identity, expires } = await authenticate(`Bearer ${good}`, here);
      expect(identity).toEqual({ subject: 'u', scopes: ['customer', 'root'] });
      expect(Math.abs(expires - Date.now() - 3_605_000)).toBeLessThan(5_000);
      const bad = [
        await sign({ iss: 'other' }),
        await sign({ aud: 'other' }),
        await sign({}, '-1h'),
        await sign({}, '1h', new TextEncoder().encode('x'.repeat(32)), 'HS256'),
        `${good.slice(0, -6)}AAAAAA`,
        'nonsense',
      ];
      for (const token of bad) await expect(authenticate(`Bearer ${token}`, here)).rejects.toMatchObject(refused);
      await expect(authenticate('Basic abc', here)).rejects.toMatchObject(refused);
      expect(await authenticate(undefined, here)).toEqual({ identity: null, expires: Number.POSITIVE_INFINITY });
    } finally {
      server.close();
    }
  });

  it('that cannot be checked are not called bad', async () => {
    const config = loadConfig({ JWKS_URL: 'http://127.0.0.1:1/' });
    const { privateKey } = await generateKeyPair('ES256');
    const token = await new SignJWT({ sub: 'u' })
      .setProtectedHeader({ alg: 'ES256', kid: 'k' })
      .setExpirationTime('1h')
      .sign(privateKey);
    const authenticate = await authenticator(config);
    await expect(authenticate(`Bearer ${token}`, here)).rejects.toMatchObject({ code: 'ISSUER_UNAVAILABLE' });
  });
});
