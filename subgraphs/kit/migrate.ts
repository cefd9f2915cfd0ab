import { runner } from 'node-pg-migrate';
import type { Logger } from './log.ts';

/**
 * Brings one subgraph's schema up to date from its folder of plain SQL files, all of them or none. Safe to call from several
 * processes at once: the runner waits for the other's lock.
 */
export async function migrate(databaseUrl: string, schema: string, dir: string, log: Logger): Promise<void> {
  const done = await runner({
    databaseUrl,
    dir,
    direction: 'up',
    schema,
    createSchema: true,
    migrationsTable: 'migrations',
    ignorePattern: '.*\\.md',
    advisoryLockMode: 'wait',
    logger: { debug: () => {}, info: () => {}, warn: (text) => log.warn(text), error: (text) => log.error(text) },
  });
  for (const migration of done) log.info({ schema, migration: migration.name }, 'migrated');
}
