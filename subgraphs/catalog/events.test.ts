import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDatabase } from '../../test/support/database.ts';
import { as, SubgraphUnderTest } from '../../test/support/execute.ts';
import type { Identity } from '../kit/auth.ts';
import type { Database } from '../kit/database.ts';
import { catalog } from './index.ts';
import { loadShop, productRow } from './testing.ts';

let db: Database;
let shop: SubgraphUnderTest;
beforeAll(async () => {
  db = await createDatabase('catalog');
  await loadShop(db, [productRow('p1', { price: 19.99 }), productRow('p2')]);
  shop = await SubgraphUnderTest.start(catalog, db);
});
beforeEach(() => db.query('DELETE FROM catalog.events'));
afterAll(() => db?.close());

const TRACK = 'mutation ($events: [EventInput!]!) { trackEvents(events: $events) { accepted duplicates } }';
const event = (clientEventId: string, more: object = {}) => ({ clientEventId, productId: 'p1', type: 'VIEW', ...more });
const track = (events: object[], who: Identity | null = as('u1', 'customer')) => shop.execute(TRACK, { events }, who);
const feed = () =>
  db.query('SELECT user_id, product_id, type, quantity, occurred_at FROM catalog.event_feed ORDER BY id');
const ago = (ms: number) => new Date(Date.now() - ms).toISOString();
const DAY = 86_400_000;

describe('trackEvents', () => {
  it('publishes the events of who is signed in, of visitors, and of anybody for an admin', async () => {
    const at = ago(DAY);
    await track([event('a', { type: 'PURCHASE', quantity: 3, occurredAt: at }), event('b', { userId: 'u1' })]);
    await track([event('c')], null);
    await track([event('d', { userId: 'u2' })], as('ops', 'admin'));
    const now = expect.any(Date);
    expect(await feed()).toEqual([
      { user_id: 'u1', product_id: 'p1', type: 'PURCHASE', quantity: 3, occurred_at: new Date(at) },
      { user_id: 'u1', product_id: 'p1', type: 'VIEW', quantity: 1, occurred_at: now },
      { user_id: null, product_id: 'p1', type: 'VIEW', quantity: 1, occurred_at: now },
      { user_id: 'u2', product_id: 'p1', type: 'VIEW', quantity: 1, occurred_at: now },
    ]);
  });

  it('refuses events for somebody else', async () => {
    const others = event('a', { userId: 'u2' });
    expect((await track([event('b'), others])).errors).toMatchObject([{ code: 'FORBIDDEN' }]);
    expect((await track([others], as('u1', 'support', 'analyst'))).errors).toMatchObject([{ code: 'FORBIDDEN' }]);
    expect((await track([others], null)).errors).toMatchObject([{ code: 'UNAUTHENTICATED' }]);
    expect(await feed()).toEqual([]);
  });

  it('counts an event once, within a call and over calls', async () => {
    expect((await track([event('a'), event('b'), event('a')])).data.trackEvents).toEqual({
      accepted: 2,
      duplicates: 1,
    });
    expect((await track([event('b'), event('c')])).data.trackEvents).toEqual({ accepted: 1, duplicates: 1 });
    expect(await feed()).toHaveLength(3);
  });

  it('keeps the ids of users and of visitors apart', async () => {
    for (const who of [as('u1'), as('u2'), null])
      expect((await track([event('a')], who)).data.trackEvents).toEqual({ accepted: 1, duplicates: 0 });
    expect((await track([event('a')], null)).data.trackEvents).toEqual({ accepted: 0, duplicates: 1 });
  });

  it('accepts an event once that is sent 20 times at the same time', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => track([event('same')])));
    const accepted = answers.map(({ data }) => data.trackEvents.accepted);
    expect(accepted.toSorted()).toEqual([...Array(19).fill(0), 1]);
    expect(await feed()).toHaveLength(1);
  });

  it('does not deadlock when calls share events in another order', async () => {
    const events = Array.from({ length: 200 }, (_, n) => event(`e${n}`));
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, n) => track(n % 2 ? events : events.toReversed())),
    );
    expect(answers.flatMap(({ errors }) => errors)).toEqual([]);
    expect(answers.reduce((sum, { data }) => sum + data.trackEvents.accepted, 0)).toBe(200);
  });

  it('stores nothing of a call with an unknown product, and names the event', async () => {
    const { data, errors } = await track([event('good'), event('bad', { productId: 'none' })]);
    expect(data).toBeNull();
    expect(errors).toMatchObject([{ code: 'BAD_USER_INPUT', message: expect.stringContaining('"bad"') }]);
    expect(errors[0]?.message).not.toContain('good');
    expect(await feed()).toEqual([]);
  });

  it('remembers the price of an event that just happened, not of an old one', async () => {
    await track([event('a'), event('b', { occurredAt: ago(3 * DAY) })]);
    const prices = await db.query('SELECT price::float8 FROM catalog.events ORDER BY client_event_id');
    expect(prices).toEqual([{ price: 19.99 }, { price: null }]);
  });

  it('takes no events and 500 events', async () => {
    expect((await track([])).data.trackEvents).toEqual({ accepted: 0, duplicates: 0 });
    const events = Array.from({ length: 500 }, (_, n) => event(`e${n}`));
    const before = db.statements;
    expect((await track(events)).data.trackEvents).toEqual({ accepted: 500, duplicates: 0 });
    expect(db.statements - before).toBe(1);
    expect((await track([...events, event('one more')])).errors).toMatchObject([{ code: 'BAD_USER_INPUT' }]);
  });

  it.each([
    ['an empty id', event('')],
    ['a long id', event('x'.repeat(101))],
    ['no pieces', event('a', { quantity: 0 })],
    ['too many pieces', event('a', { quantity: 10_001 })],
    ['a time in the future', event('a', { occurredAt: ago(-6 * 60_000) })],
    ['a time long ago', event('a', { occurredAt: ago(366 * DAY) })],
    ['a time before all time', event('a', { occurredAt: '0001-01-01T00:00:00Z' })],
    ['NUL in an id', event('a\0')],
    ['half a surrogate pair', event('a', { productId: '\udc00' })],
  ])('refuses %s', async (_, wrong) => {
    expect((await track([event('good'), wrong])).errors).toMatchObject([{ code: 'BAD_USER_INPUT' }]);
    expect(await feed()).toEqual([]);
  });

  it('takes what is just within the limits', async () => {
    const { errors } = await track([
      event('🗡'.repeat(100), { quantity: 10_000, occurredAt: ago(-4 * 60_000) }),
      event('b', { occurredAt: ago(364 * DAY) }),
    ]);
    expect(errors).toEqual([]);
    const long = as('x'.repeat(201), 'customer');
    expect((await track([event('c')], long)).errors).toMatchObject([{ code: 'BAD_USER_INPUT' }]);
  });
});
