import { rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { signDevelopmentToken } from '../gateway/development-key.ts';
import type { Config } from '../subgraphs/kit/config.ts';
import type { Database } from '../subgraphs/kit/database.ts';
import { typicalUser } from '../subgraphs/recommendation/store.ts';

export type Tokens = Record<'customer' | 'support' | 'analyst' | 'admin', string>;

/** A user that the generator always makes; the customer until there are histories to choose from. */
const FIRST_USER = 'u-000001';

/**
 * Makes development tokens, also in tokens.json of the data folder, readable by its owner only. The customer is a user of
 * the data with a typical history, so that recommendations have something to go by.
 * @returns null when an issuer of the operator's signs the tokens (JWKS_URL)
 */
export async function writeTokens(config: Config, database: Database): Promise<Tokens | null> {
  if (config.JWKS_URL) return null;
  const customer = (await typicalUser(database)) ?? FIRST_USER;
  const sign = (subject: string, scope: keyof Tokens) => signDevelopmentToken(config.HASHIRA_DATA, subject, scope);
  const tokens: Tokens = {
    customer: await sign(customer, 'customer'),
    support: await sign('dev-support', 'support'),
    analyst: await sign('dev-analyst', 'analyst'),
    admin: await sign('dev-admin', 'admin'),
  };
  const file = path.join(config.HASHIRA_DATA, 'tokens.json');
  await writeFile(`${file}.new`, `${JSON.stringify(tokens, null, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
  return tokens;
}
