import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { HashiraError } from '../../subgraphs/kit/errors.ts';
import type { Caller, Result, SubscriptionPlan } from '../answer.types.ts';
import { Subscriptions, type SubscriptionsOptions } from './subscriptions.ts';
import { silent, TestSubgraph, testCaller, testContext, testPlan } from './testing.ts';

let engine: Subscriptions;
const start = (options: Partial<SubscriptionsOptions> = {}) => {
  engine = new Subscriptions({ perUser: 100, queue: 16, log: silent, ...options });
  return engine;
};
const open = (plan: SubscriptionPlan, over: Partial<Caller> = {}) => {
  const caller = testCaller(over);
  return engine.open(plan, testContext(caller), caller);
};
const n = ({ data, errors }: Result) => data?.n ?? errors?.[0]?.extensions?.code;
const take = async (stream: AsyncIterator<Result>, count = Number.POSITIVE_INFINITY) => {
  const seen: unknown[] = [];
  while (seen.length < count) {
    const { done, value } = await stream.next();
    if (done) break;
    seen.push(n(value));
  }
  return seen;
};
const user = { subject: 'u', scopes: ['admin'] };

afterEach(async () => {
  await engine.stop();
  await vi.waitFor(() => expect(engine.stats).toMatchObject({ subscribers: 0, upstreams: 0 }));
  expect(engine.stats.opened).toBe(engine.stats.closed);
});

describe('a subscription', () => {
  it('gives the answers in the order of the events, whichever is ready first', async () => {
    start();
    const subgraph = new TestSubgraph();
    const stream = await open(
      testPlan(subgraph, {
        respond: async ({ data }) => {
          await sleep(Number(data?.n) % 2 ? 0 : 10);
          return { data } as Result;
        },
      }),
    );
    for (let i = 0; i < 12; i++) subgraph.send(i);
    subgraph.send(null);
    expect(await take(stream)).toEqual([...Array(12).keys()]);
  });

  it('works on no more than 8 events ahead', async () => {
    start();
    let [now, most] = [0, 0];
    const subgraph = new TestSubgraph();
    const stream = await open(
      testPlan(subgraph, {
        respond: async ({ data }) => {
          most = Math.max(most, ++now);
          await sleep(1);
          now--;
          return { data } as Result;
        },
      }),
    );
    for (let i = 0; i < 40; i++) subgraph.send(i);
    subgraph.send(null);
    expect(await take(stream)).toHaveLength(40);
    expect(most).toBe(8);
  });

  it('ends its upstream at once when it is left, even while it waits for an event', async () => {
    start();
    const subgraph = new TestSubgraph();
    const stream = await open(testPlan(subgraph));
    const pending = stream.next();
    await stream.return?.();
    expect(await pending).toEqual({ done: true, value: undefined });
    expect(subgraph.contexts[0]?.signal?.aborted).toBe(true);
    await vi.waitFor(() => expect(subgraph.ended).toBe(1), { timeout: 100, interval: 1 });
  });

  it('ends when its caller leaves', async () => {
    start();
    const subgraph = new TestSubgraph();
    const leaving = new AbortController();
    const stream = await open(testPlan(subgraph), { signal: leaving.signal });
    const pending = stream.next();
    leaving.abort();
    expect((await pending).done).toBe(true);
    await vi.waitFor(() => expect(subgraph.ended).toBe(1), { timeout: 100, interval: 1 });
  });

  it('ends an upstream that is still being opened when its caller leaves', async () => {
    start();
    const subgraph = new TestSubgraph();
    const leaving = new AbortController();
    const opened = Promise.withResolvers<void>();
    const subscribe = subgraph.subscribe.bind(subgraph);
    const late = Object.assign(subgraph, {
      subscribe: async (...args: Parameters<typeof subscribe>) => {
        await opened.promise;
        return subscribe(...args);
      },
    });
    const opening = open(testPlan(late), { signal: leaving.signal });
    leaving.abort();
    expect((await (await opening).next()).done).toBe(true);
    opened.resolve();
    await vi.waitFor(() => expect(engine.stats.closed).toBe(1));
  });

  it('never sees loaders of the event before', async () => {
    start();
    const seen = new Set<unknown>();
    const subgraph = new TestSubgraph();
    const stream = await open(
      testPlan(subgraph, {
        respond: ({ data }, context) => {
          seen.add(context.subgraphContexts);
          return { data } as Result;
        },
      }),
    );
    for (const i of [1, 2, 3]) subgraph.send(i);
    subgraph.send(null);
    await take(stream);
    expect(seen.size).toBe(3);
  });

  it.each([
    ['its code', new HashiraError('SUBGRAPH_UNAVAILABLE', 'Away.'), 'SUBGRAPH_UNAVAILABLE', 'Away.'],
    [
      'no detail of a bug',
      new Error('secret'),
      'INTERNAL_SERVER_ERROR',
      'Something went wrong on our side. It has been logged.',
    ],
  ])('that breaks still gives what came before, then an error with %s', async (_, error, code, message) => {
    start();
    const subgraph = new TestSubgraph();
    const stream = await open(testPlan(subgraph));
    subgraph.send(1);
    subgraph.send(error);
    await sleep(5);
    expect(await take(stream, 1)).toEqual([1]);
    const { value } = await stream.next();
    expect(value).toEqual({ errors: [{ message, extensions: { code } }] });
    expect((await stream.next()).done).toBe(true);
  });

  it('that its subgraph does not accept is refused with the reason', async () => {
    start();
    const subgraph = new TestSubgraph();
    subgraph.source = () => Promise.reject(new HashiraError('NOT_FOUND', 'No such job.'));
    await expect(open(testPlan(subgraph, { shareable: true }))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('ends when the token does, with what is queued given up', async () => {
    start();
    const subgraph = new TestSubgraph();
    const stream = await open(testPlan(subgraph), { identity: user, expires: Date.now() + 50 });
    subgraph.send(1);
    expect(await take(stream, 1)).toEqual([1]);
    expect(await take(stream)).toEqual(['TOKEN_EXPIRED']);
    expect(subgraph.ended).toBe(1);
    await expect(open(testPlan(subgraph), { expires: Date.now() - 1 })).rejects.toMatchObject({
      code: 'TOKEN_EXPIRED',
    });
  });

  it('stands a token that is good for a century', async () => {
    start();
    const subgraph = new TestSubgraph();
    const stream = await open(testPlan(subgraph), { identity: user, expires: Date.now() + 3e12 });
    await sleep(20);
    subgraph.send(1);
    expect(await take(stream, 1)).toEqual([1]);
  });

  it('is one of a limited number per user, and per address of visitors', async () => {
    start({ perUser: 2 });
    const plan = testPlan(new TestSubgraph());
    const mine = [await open(plan, { identity: user }), await open(plan, { identity: user })];
    await expect(open(plan, { identity: user })).rejects.toMatchObject({ code: 'TOO_MANY_SUBSCRIPTIONS' });
    for (const address of ['1', '1', '2']) await open(plan, { address });
    await expect(open(plan, { address: '1' })).rejects.toMatchObject({ code: 'TOO_MANY_SUBSCRIPTIONS' });
    await mine[0]?.return?.();
    await open(plan, { identity: user });
  });

  it('ends with SHUTTING_DOWN, and no other is opened then', async () => {
    start();
    const subgraph = new TestSubgraph();
    const stream = await open(testPlan(subgraph));
    await engine.stop();
    expect(await take(stream)).toEqual(['SHUTTING_DOWN']);
    expect(subgraph.ended).toBe(1);
    await expect(open(testPlan(subgraph))).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
  });
});

describe('a slow consumer', () => {
  async function* endless() {
    for (let i = 0; ; i++) yield { data: { n: i } };
  }

  it('holds its own source up while it goes on reading, and loses nothing', async () => {
    start({ queue: 4, patience: 100 });
    const subgraph = new TestSubgraph();
    subgraph.source = endless;
    const stream = await open(testPlan(subgraph));
    for (let i = 0; i < 10; i++) {
      await sleep(30);
      expect(await take(stream, 1)).toEqual([i]);
    }
  });

  it('that does not read is ended with SLOW_CONSUMER, and its upstream left', async () => {
    start({ queue: 4, patience: 30 });
    const subgraph = new TestSubgraph();
    subgraph.source = endless;
    const stream = await open(testPlan(subgraph));
    await vi.waitFor(() => expect(subgraph.ended).toBe(1));
    expect(await take(stream)).toEqual(['SLOW_CONSUMER']);
    expect(engine.stats.subscribers).toBe(0);
  });

  it('does not hold up those it shares with for longer than the patience', async () => {
    start({ queue: 4, patience: 100 });
    const subgraph = new TestSubgraph();
    const plan = testPlan(subgraph, { shareable: true });
    const [fast, slow] = [await open(plan), await open(plan)];
    const seen = take(fast);
    const began = Date.now();
    for (let i = 0; i < 50; i++) subgraph.send(i);
    subgraph.send(null);
    // It reads, but never catches up.
    const slowly = (async () => {
      const got: unknown[] = [];
      for await (const result of slow) {
        got.push(n(result));
        await sleep(20);
      }
      return got;
    })();
    expect(await seen).toEqual([...Array(50).keys()]);
    expect(Date.now() - began).toBeLessThan(400);
    expect((await slowly).at(-1)).toBe('SLOW_CONSUMER');
  });
});

describe('sharing', () => {
  it('opens one upstream for who asks the same, and resolves each event once', async () => {
    start();
    let responded = 0;
    const subgraph = new TestSubgraph();
    const plan = () =>
      testPlan(subgraph, {
        shareable: true,
        answerKey: 'same',
        respond: ({ data }) => {
          responded++;
          return { data } as Result;
        },
      });
    const streams = await Promise.all(Array.from({ length: 50 }, () => open(plan())));
    for (const i of [1, 2, 3]) subgraph.send(i);
    subgraph.send(null);
    for (const stream of streams) expect(await take(stream)).toEqual([1, 2, 3]);
    expect({ opened: subgraph.opened, ended: subgraph.ended, responded }).toEqual({
      opened: 1,
      ended: 1,
      responded: 3,
    });
  });

  it('resolves the rest of each operation for itself where only the upstream is the same', async () => {
    start();
    const subgraph = new TestSubgraph();
    const double = testPlan(subgraph, {
      shareable: true,
      respond: ({ data }) => ({ data: { n: Number(data?.n) * 2 } }) as Result,
    });
    const [once, twice] = [await open(testPlan(subgraph, { shareable: true })), await open(double)];
    subgraph.send(4);
    expect([await take(once, 1), await take(twice, 1)]).toEqual([[4], [8]]);
    expect(subgraph.opened).toBe(1);
  });

  it('tells a late subscriber the latest event, and no older one', async () => {
    start();
    const subgraph = new TestSubgraph();
    const plan = testPlan(subgraph, { shareable: true });
    const early = await open(plan);
    for (const i of [1, 2]) subgraph.send(i);
    expect(await take(early, 2)).toEqual([1, 2]);
    const late = await open(plan);
    subgraph.send(3);
    expect(await take(late, 2)).toEqual([2, 3]);
  });

  it('keeps the upstream until the last subscriber has left', async () => {
    start();
    const subgraph = new TestSubgraph();
    const plan = testPlan(subgraph, { shareable: true });
    const [one, two] = [await open(plan), await open(plan)];
    await one.return?.();
    subgraph.send(1);
    expect(await take(two, 1)).toEqual([1]);
    expect(subgraph.ended).toBe(0);
    await two.return?.();
    await vi.waitFor(() => expect(subgraph.ended).toBe(1));
    await open(plan);
    expect(subgraph.opened).toBe(2);
  });

  it('is only for the same question by the same person, and for what may be shared', async () => {
    start();
    const subgraph = new TestSubgraph();
    const shared = testPlan(subgraph, { shareable: true });
    await open(shared);
    await open(shared, { identity: user });
    await open(shared, { identity: { ...user, scopes: [] } });
    await open({ ...shared, variables: { id: 1 } });
    await open({ ...shared, text: 'subscription{m}' });
    await open({ ...shared, subgraph: 'other' });
    expect(subgraph.contexts).toHaveLength(6);
    await open(shared);
    await open(shared, { identity: user });
    expect(subgraph.contexts).toHaveLength(6);
    await open(testPlan(subgraph));
    await open(testPlan(subgraph));
    expect(subgraph.contexts).toHaveLength(8);
  });

  it('listens again when the subgraph was away, and ends when it never comes back', async () => {
    start();
    const subgraph = new TestSubgraph();
    const stream = await open(testPlan(subgraph, { shareable: true }));
    subgraph.send(1);
    subgraph.send(new HashiraError('SUBGRAPH_UNAVAILABLE', 'Away.'));
    await vi.waitFor(() => expect(subgraph.opened).toBe(2), { timeout: 2_000 });
    subgraph.send(2);
    subgraph.send(new HashiraError('FORBIDDEN', 'No more.'));
    expect(await take(stream)).toEqual([1, 2, 'FORBIDDEN']);
  });

  it('never repeats a subscription that may have done something', async () => {
    start();
    const subgraph = new TestSubgraph();
    const stream = await open(testPlan(subgraph));
    subgraph.send(new HashiraError('SUBGRAPH_UNAVAILABLE', 'Away.'));
    expect(await take(stream)).toEqual(['SUBGRAPH_UNAVAILABLE']);
    expect(subgraph.opened).toBe(1);
  });
});

it('leaves nothing open whatever subscribers, callers, subgraphs and answers do', async () => {
  start({ perUser: 1_000, queue: 3, patience: 20 });
  const subgraph = new TestSubgraph();
  // A generator of chance that repeats itself.
  let seed = 7;
  const chance = (one: number) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % one === 0;
  };
  const plan = (shareable: boolean) =>
    testPlan(subgraph, {
      shareable,
      respond: async ({ data }) => {
        if (chance(3)) await sleep(1);
        if (chance(10)) throw new Error('a bug');
        return { data } as Result;
      },
    });
  const plans = [plan(true), plan(true), plan(false)];
  const live = async () => {
    const leaving = new AbortController();
    const expires = chance(5) ? Date.now() + 10 : Number.POSITIVE_INFINITY;
    const opening = open(plans[seed % 3] as SubscriptionPlan, { signal: leaving.signal, expires });
    if (chance(4)) leaving.abort();
    const stream = await opening;
    for (let i = 0; i < 20; i++) {
      if (chance(15)) leaving.abort();
      if (chance(15)) await stream.return?.();
      if (chance(4)) await sleep(seed % 40);
      if ((await stream.next()).done) return;
    }
    await stream.return?.();
  };
  let sending = true;
  const sends = (async () => {
    for (let i = 0; sending; i++) {
      subgraph.send(chance(40) ? new HashiraError('FORBIDDEN', 'No more.') : chance(40) ? null : i);
      await sleep(1);
    }
  })();
  const ends = await Promise.allSettled(Array.from({ length: 300 }, (_, i) => sleep(i).then(live)));
  sending = false;
  await sends;
  for (const end of ends) if (end.status === 'rejected') expect(end.reason).toMatchObject({ code: 'FORBIDDEN' });
  await vi.waitFor(() => expect(engine.stats).toMatchObject({ subscribers: 0, upstreams: 0 }));
  expect(subgraph.ended).toBe(subgraph.opened);
  expect(subgraph.opened).toBeGreaterThan(50);
});
