import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './stack.ts';

/** `npm run docker:env`: the secrets of docker-compose.yml, made of chance, in .env. What is there stays. */
const SECRETS = ['POSTGRES_PASSWORD', 'MINIO_ROOT_USER', 'MINIO_ROOT_PASSWORD', 'SUBGRAPH_SECRET'];

const file = path.join(root, '.env');
const known = existsSync(file) ? readFileSync(file, 'utf8') : '';
const missing = SECRETS.filter((name) => !new RegExp(`^${name}=.+$`, 'm').test(known));
const lines = missing.map((name) => `${name}=${randomBytes(24).toString('hex')}`);
if (lines.length > 0) {
  const begin = known === '' || known.endsWith('\n') ? known : `${known}\n`;
  writeFileSync(file, `${begin}${lines.join('\n')}\n`, { mode: 0o600 });
}
console.log(missing.length > 0 ? `.env has ${missing.join(', ')} now.` : '.env has every secret already.');
