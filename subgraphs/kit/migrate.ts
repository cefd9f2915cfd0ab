import { runner } from 'node-pg-migrate';
import pg from 'pg';
import type { Logger } from './log.ts';

/** Of a lock that all migrations of this project take; the number says nothing. */
const LOCK = 4_815_162_342;

/**
 * Brings one subgraph's schema up to date from its folder of plain SQL files, all of them or none. Safe to call from several
 * processes at once: each waits for the others. All is one transaction, lock included, and leaves no setting behind, so that it
 * works behind a transaction pooler, too; hence the files name the schema of everything they make.
 */
export async function migrate(databaseUrl: string, schema: string, dir: string, log: Logger): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'migrations' });
  // A connection that breaks fails the statement that waits; told by an event nobody hears, it would end the process.
  client.on('error', () => {});
  await client.connect();
  try {
    await client.query('BEGIN');
    await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
    // Its own BEGIN joins the transaction, and its COMMIT ends it.
    const done = await runner({
      dbClient: client,
      dir,
      direction: 'up',
      noLock: true,
      singleTransaction: true,
      migrationsSchema: schema,
      createMigrationsSchema: true,
      migrationsTable: 'migrations',
      ignorePattern: '.*\\.md',
      logger: { debug: () => {}, info: () => {}, warn: (text) => log.warn(text), error: (text) => log.error(text) },
    });
    // Where there was nothing to do it made no transaction of its own.
    await client.query('COMMIT');
    for (const migration of done) log.info({ schema, migration: migration.name }, 'migrated');
  } finally {
    await client.end();
  }
}
