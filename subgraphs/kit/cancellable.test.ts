import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase } from '../../test/support/database.ts';
import type { Database } from './database.ts';

let database: Database;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.close());

const reason = new Error('the client left');

/** Statements that sleep in this database now. */
async function asleep(): Promise<number> {
  const [row] = await database.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM pg_stat_activity
     WHERE datname = current_database() AND state = 'active' AND query LIKE '%pg_sleep(30)%' AND pid <> pg_backend_pid()`,
  );
  return row?.n ?? 0;
}

async function untilAsleep(count: number): Promise<void> {
  for (let tries = 0; (await asleep()) !== count; tries++) {
    if (tries === 500) throw new Error(`Not ${count} statements within 5 s.`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe('a statement whose client leaves', () => {
  it('is cancelled in PostgreSQL, and its connection serves on', async () => {
    const left = new AbortController();
    const sleeping = database.query('SELECT pg_sleep(30)', [], left.signal);
    await untilAsleep(1);
    left.abort(reason);
    await expect(sleeping).rejects.toBe(reason);
    expect(await asleep()).toBe(0);
    expect(await database.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('is not begun when it has left before', async () => {
    const before = database.statements;
    await expect(database.query('SELECT 1', [], AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(database.statements).toBe(before);
  });

  it('is cancelled even when it leaves at once', async () => {
    const began = performance.now();
    const left = new AbortController();
    const sleeping = database.query('SELECT pg_sleep(30)', [], left.signal);
    left.abort(reason);
    await expect(sleeping).rejects.toBe(reason);
    expect(performance.now() - began).toBeLessThan(5_000);
    await untilAsleep(0);
  });

  it('rolls its transaction back', async () => {
    await database.query('CREATE TABLE t (n int)');
    const left = new AbortController();
    const working = database.transaction(async (tx) => {
      await tx.query('INSERT INTO t VALUES (1)');
      await tx.query('SELECT pg_sleep(30)', [], left.signal);
    });
    await untilAsleep(1);
    left.abort(reason);
    await expect(working).rejects.toBe(reason);
    expect(await database.query('SELECT * FROM t')).toEqual([]);
  });

  it('never takes the next statement of the connection with it', async () => {
    // Statements end about when they are cancelled; whatever follows on the four connections of the pool must not be hit.
    const failures: unknown[] = [];
    const worker = async () => {
      for (let i = 0; i < 100; i++) {
        const left = new AbortController();
        const ms = Math.random() * 4;
        setTimeout(() => left.abort(reason), ms);
        await database.query('SELECT pg_sleep($1)', [0.002], left.signal).catch((error) => {
          if (error !== reason) failures.push(error);
        });
        await database.query('SELECT pg_sleep(0.001)').catch((error) => failures.push(error));
      }
    };
    await Promise.all([1, 2, 3, 4].map(worker));
    expect(failures).toEqual([]);
  });
});

it('gives rows, and the errors of PostgreSQL, as without a signal', async () => {
  const { signal } = new AbortController();
  expect(await database.query('SELECT $1::int AS n', [7], signal)).toEqual([{ n: 7 }]);
  await expect(database.query('SELECT 1/0', [], signal)).rejects.toMatchObject({ code: '22012' });
});
