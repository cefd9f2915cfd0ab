import { expect, it } from 'vitest';
import { createDatabase } from '../../test/support/database.ts';
import { Database } from './database.ts';

it('copies any text as it is, and nulls', async () => {
  const database = await createDatabase();
  const texts = ['plain', 'tab\tnew\nline\r\\back', '\\N', '', '日本刀 🗡️', null];
  try {
    await database.query('CREATE TABLE t (n int, s text)');
    const count = await database.transaction((tx) =>
      tx.copy(
        't',
        ['n', 's'],
        texts.map((text, n) => [n, text]),
      ),
    );
    expect(count).toBe(texts.length);
    const rows = await database.query<{ s: string | null }>('SELECT s FROM t ORDER BY n');
    expect(rows.map(({ s }) => s)).toEqual(texts);
  } finally {
    await database.close();
  }
});

it('leaves nothing of a transaction that fails', async () => {
  const database = await createDatabase();
  try {
    await database.query('CREATE TABLE t (n int PRIMARY KEY)');
    const failing = database.transaction(async (tx) => {
      await tx.query('INSERT INTO t VALUES (1)');
      await tx.copy('t', ['n'], [[2], [2]]);
    });
    await expect(failing).rejects.toThrow(/duplicate key/);
    expect(await database.query('SELECT * FROM t')).toEqual([]);
  } finally {
    await database.close();
  }
});

it('says with a code that the server cannot be reached, and comes back when it can', async () => {
  const gone = new Database('postgres://nobody@127.0.0.1:1/none');
  await expect(gone.query('SELECT 1')).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
  await gone.close();

  const database = await createDatabase();
  try {
    // What a restart of the server does to the connections of a pool.
    const others = 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()';
    await database.query(others).catch(() => {});
    expect(await database.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  } finally {
    await database.close();
  }
});
