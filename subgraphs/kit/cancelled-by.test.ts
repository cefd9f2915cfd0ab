import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDatabase } from '../../test/support/database.ts';
import { cancelledBy } from './cancelled-by.ts';
import type { Database } from './database.ts';
import { LockedTable } from './testing.ts';

let database: Database;
beforeAll(async () => {
  database = await createDatabase();
  await database.query('CREATE TABLE swords (id int)');
});
afterAll(() => database.close());

it('ends the statements of a request whose client leaves, and nobody else’s', async () => {
  const locked = await LockedTable.lock(database, 'swords');
  const left = new AbortController();
  const mine = cancelledBy(database, { signal: left.signal }).query('SELECT * FROM swords');
  const theirs = cancelledBy(database, { signal: new AbortController().signal }).query('SELECT * FROM swords');
  await locked.until(2);
  left.abort();
  await expect(mine).rejects.toBe(left.signal.reason);
  await locked.until(1);
  await locked.release();
  expect(await theirs).toEqual([]);
});

it('asks for the signal only when there is a statement', async () => {
  let asked = 0;
  const request = {
    get signal() {
      asked++;
      return new AbortController().signal;
    },
  };
  const reads = cancelledBy(database, request);
  expect(asked).toBe(0);
  await reads.query('SELECT 1');
  expect(asked).toBe(1);
});

it('serves requests that nobody can leave', async () => {
  expect(await cancelledBy(database, {}).query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

it('warns of nothing when one request has many statements', async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => warnings.push(warning);
  process.on('warning', onWarning);
  const reads = cancelledBy(database, new AbortController());
  await Promise.all(Array.from({ length: 30 }, () => reads.query('SELECT 1')));
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', onWarning);
  expect(warnings).toEqual([]);
});
