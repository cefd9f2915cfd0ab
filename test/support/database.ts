import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import { Database } from '../../subgraphs/kit/database.ts';
import { createLogger } from '../../subgraphs/kit/log.ts';
import { migrate } from '../../subgraphs/kit/migrate.ts';

/** A new, empty database on the run's PostgreSQL, with the migrations of the named subgraphs applied. */
export async function createDatabase(...subgraphs: string[]): Promise<Database> {
  const name = `t_${randomBytes(6).toString('hex')}`;
  const admin = new Database(inject('postgresUrl'), { max: 1 });
  await admin.query(`CREATE DATABASE ${name}`);
  await admin.close();
  const url = new URL(inject('postgresUrl'));
  url.pathname = `/${name}`;
  for (const subgraph of subgraphs) {
    const dir = new URL(`../../subgraphs/${subgraph}/migrations`, import.meta.url).pathname;
    await migrate(url.href, subgraph, dir, createLogger('test', 'warn'));
  }
  return new Database(url.href, { max: 4 });
}
