import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose';
import type { Scope } from '../subgraphs/kit/auth.ts';

const ALGORITHM = 'ES256';
const file = (dataDir: string) => path.join(dataDir, 'development-key.json');

/** The key that signs development tokens of one data folder, made at the first call; readable by its owner only. */
async function developmentKey(dataDir: string): Promise<JWK> {
  const read = async () => JSON.parse(await readFile(file(dataDir), 'utf8')) as JWK;
  try {
    return await read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  await mkdir(dataDir, { recursive: true });
  const { privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  const jwk: JWK = { ...(await exportJWK(privateKey)), alg: ALGORITHM, kid: 'development' };
  // Two processes may get here together: the first one's key stands.
  await writeFile(file(dataDir), JSON.stringify(jwk), { mode: 0o600, flag: 'wx' }).catch(() => {});
  return read();
}

export async function publicDevelopmentKey(dataDir: string): Promise<JWK> {
  const { d: _private, ...jwk } = await developmentKey(dataDir);
  return jwk;
}

/** A token that this instance accepts for 30 days. Only for development: production sets JWKS_URL. */
export async function signDevelopmentToken(dataDir: string, subject: string, scope: Scope): Promise<string> {
  return new SignJWT({ scope })
    .setProtectedHeader({ alg: ALGORITHM, kid: 'development' })
    .setSubject(subject)
    .setIssuedAt()
    .setExpirationTime('30d')
    .sign(await importJWK(await developmentKey(dataDir), ALGORITHM));
}
