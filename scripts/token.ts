import { parseArgs } from 'node:util';
import { signDevelopmentToken } from '../gateway/development-key.ts';
import { SCOPES, type Scope } from '../subgraphs/kit/auth.ts';
import { loadConfig } from '../subgraphs/kit/config.ts';

/** Prints a development token: `npm run token -- --sub u-000042 --scope customer`. */
const { values } = parseArgs({ options: { sub: { type: 'string' }, scope: { type: 'string', default: 'customer' } } });
if (!values.sub || !SCOPES.includes(values.scope as Scope)) {
  console.error(`Usage: npm run token -- --sub USER_ID --scope ${SCOPES.join('|')}`);
  process.exit(2);
}
console.log(await signDevelopmentToken(loadConfig().HASHIRA_DATA, values.sub, values.scope as Scope));
