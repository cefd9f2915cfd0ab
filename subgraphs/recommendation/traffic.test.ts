import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDatabase } from '../../test/support/database.ts';
import type { Database } from '../kit/database.ts';
import { createLogger } from '../kit/log.ts';
import { type Shown, TrafficLog } from './traffic.ts';
import { forgetShown, insertShown, traffic } from './traffic-store.ts';

const DAY = 86_400_000;
const ago = (days: number) => new Date(Date.now() - days * DAY);
const show = (userId: string, version: number, days: number, ...productIds: string[]): Shown => ({
  ...{ userId, version, productIds, at: ago(days) },
});

describe('the counts of a version', () => {
  let db: Database;
  let events: number;

  beforeAll(async () => {
    db = await createDatabase('catalog', 'recommendation');
  });
  afterAll(() => db?.close());
  beforeEach(async () => {
    events = 0;
    await db.query('DELETE FROM catalog.events');
    await db.query('DELETE FROM recommendation.shown');
  });

  const track = (userId: string, productId: string, type: string, days: number) =>
    db.query(
      `INSERT INTO catalog.events (client_event_id, user_id, product_id, type, quantity, occurred_at)
       VALUES ($1, $2, $3, $4, 1, $5)`,
      [`e${events++}`, userId, productId, type, ago(days)],
    );

  it('are of users, products, and what was viewed and bought afterwards, each once', async () => {
    await insertShown(db, [show('ann', 1, 5, 'a', 'b', 'c'), show('bob', 1, 5, 'a')]);
    await track('ann', 'a', 'VIEW', 4);
    await track('ann', 'a', 'VIEW', 3);
    await track('ann', 'a', 'PURCHASE', 2);
    await track('ann', 'a', 'PURCHASE', 1);
    // Before it was shown, by somebody else, and of what was never shown.
    await track('ann', 'b', 'VIEW', 6);
    await track('bob', 'c', 'VIEW', 1);
    await track('eve', 'a', 'PURCHASE', 1);
    expect(await traffic(db, [2, 1], 14)).toEqual([
      { users: 0, recommended: 0, clicks: 0, purchases: 0 },
      { users: 2, recommended: 4, clicks: 1, purchases: 1 },
    ]);
  });

  it('give an event to the version that showed the product last before it', async () => {
    await insertShown(db, [show('ann', 1, 5, 'a', 'b'), show('ann', 2, 3, 'a', 'b')]);
    await track('ann', 'a', 'VIEW', 4);
    await track('ann', 'b', 'VIEW', 2);
    await track('ann', 'b', 'PURCHASE', 1);
    expect(await traffic(db, [1, 2], 14)).toEqual([
      { users: 1, recommended: 2, clicks: 1, purchases: 0 },
      { users: 1, recommended: 2, clicks: 1, purchases: 1 },
    ]);
    // The same when only one of them is asked for.
    expect(await traffic(db, [1], 14)).toEqual([{ users: 1, recommended: 2, clicks: 1, purchases: 0 }]);
  });

  it('grow by nothing when the same is shown again, within one write or in another', async () => {
    await insertShown(db, [show('ann', 1, 5, 'a'), show('ann', 1, 4, 'a')]);
    await track('ann', 'a', 'VIEW', 3);
    await insertShown(db, [show('ann', 1, 0, 'a')]);
    expect(await traffic(db, [1], 14)).toEqual([{ users: 1, recommended: 1, clicks: 1, purchases: 0 }]);
  });

  it('forget what is older than the days that count', async () => {
    await insertShown(db, [show('ann', 1, 20, 'a'), show('ann', 1, 5, 'b')]);
    expect(await traffic(db, [1], 14)).toMatchObject([{ recommended: 1 }]);
    await forgetShown(db, 14);
    expect(await db.query('SELECT product_id FROM recommendation.shown')).toEqual([{ product_id: 'b' }]);
  });
});

describe('the log of what is shown', () => {
  const written: Shown[][] = [];
  const start = (over: Partial<ConstructorParameters<typeof TrafficLog>[0]> = {}) =>
    new TrafficLog({
      write: async (shown) => void written.push([...shown]),
      forget: async () => {},
      log: createLogger('test', 'silent'),
      flushMs: 20,
      ...over,
    });
  beforeEach(() => written.splice(0));

  it('writes many answers at once, by itself, and the last at its end', async () => {
    const log = start();
    log.add(show('ann', 1, 0, 'a'));
    log.add(show('bob', 1, 0, 'b'));
    log.add(show('bob', 1, 0));
    await expect.poll(() => written.length).toBe(1);
    expect(written[0]).toHaveLength(2);
    log.add(show('eve', 1, 0, 'c'));
    await log.stop();
    expect(written.flat().map(({ userId }) => userId)).toEqual(['ann', 'bob', 'eve']);
  });

  it('keeps no more than it may while the database is away, and goes on afterwards', async () => {
    let away = true;
    const log = start({
      most: 2,
      write: async (shown) => {
        if (away) throw new Error('away');
        written.push([...shown]);
      },
    });
    for (const user of ['ann', 'bob', 'eve']) log.add(show(user, 1, 0, 'a'));
    await delay(50);
    away = false;
    log.add(show('zoe', 1, 0, 'a'));
    await log.stop();
    expect(written.flat().map(({ userId }) => userId)).toEqual(['zoe']);
  });
});
