import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createLogger } from '../../subgraphs/kit/log.ts';
import {
  type Counts,
  noCounts,
  SUBGRAPH_SECRET,
  startSmallSubgraph,
  until,
} from '../../test/support/small-subgraph.ts';
import type { GatewayContext } from '../context.ts';
import { Subscriptions } from '../subscriptions/subscriptions.ts';
import { testCaller, testPlan } from '../subscriptions/testing.ts';
import { RemoteSource, type RemoteSourceOptions } from './remote.ts';
import type { SubgraphResult } from './source.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const log = createLogger('test', 'silent');
const context = (more: Partial<GatewayContext> = {}): GatewayContext => ({
  identity: null,
  requestId: 'r-1',
  log,
  subgraphContexts: new Map(),
  ...more,
});
const TICKS = 'subscription($n: Int!, $ms: Int!) { ticks(ms: $ms, count: $n) }';
const WAITING = 'subscription { waiting }';

async function subgraph(port = 0) {
  const counts = noCounts();
  const server = await startSmallSubgraph(counts, port, { drainMs: 200 });
  ends.push(() => server.stop());
  return { counts, url: server.url, port: Number(new URL(server.url).port), stop: () => server.stop() };
}

function source(url: string, options: Partial<RemoteSourceOptions> = {}): RemoteSource {
  const remote = new RemoteSource({
    name: 'small',
    url,
    secret: SUBGRAPH_SECRET,
    connect: { waitMs: 20 },
    ...options,
  });
  ends.push(() => remote.stop());
  return remote;
}

const subscribe = (remote: RemoteSource, text: string, variables = {}, more: Partial<GatewayContext> = {}) =>
  remote.prepare({ kind: 'subscription', name: undefined, text }).subscribe(variables, context(more));

async function all(events: AsyncIterable<SubgraphResult>): Promise<unknown[]> {
  const got: unknown[] = [];
  for await (const { data, errors } of events) got.push(errors ?? Object.values(data ?? {})[0]);
  return got;
}

/** Nothing is open, on either side. */
async function nothingLeft(remote: RemoteSource, counts: Counts): Promise<void> {
  await until(() => counts.closed === counts.opened && remote.sockets.size === 0);
}

describe('a subscription by URL', () => {
  it('gives the events of the subgraph until it ends them', async () => {
    const { url, counts } = await subgraph();
    const remote = source(url);
    expect(await all(await subscribe(remote, TICKS, { n: 3, ms: 1 }))).toEqual([1, 2, 3]);
    await nothingLeft(remote, counts);
    expect(counts.opened).toBe(1);
  });

  it('tells who asks, and the id of the request', async () => {
    const { url, counts } = await subgraph();
    const remote = source(url);
    const identity = { subject: 'u-1', scopes: ['admin'] };
    expect(await all(await subscribe(remote, 'subscription { whoami }', {}, { identity }))).toEqual(['u-1 admin']);
    expect(await all(await subscribe(remote, 'subscription { whoami }'))).toEqual(['a visitor']);
    expect(counts.requestIds).toEqual(['r-1', 'r-1']);
  });

  it('shares a socket with those of the same identity only', async () => {
    const { url } = await subgraph();
    const remote = source(url);
    const [one, two] = [
      { subject: 'u-1', scopes: [] },
      { subject: 'u-2', scopes: [] },
    ];
    for (const identity of [one, one, two, { ...two, scopes: ['admin'] }, null, null])
      await subscribe(remote, WAITING, {}, { identity });
    expect(remote.sockets.size).toBe(4);
  });

  it('gives the errors of an operation that the subgraph does not take as one event', async () => {
    const { url } = await subgraph();
    const [errors, ...rest] = await all(await subscribe(source(url), 'subscription { nothing }'));
    expect(errors).toMatchObject([{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }]);
    expect(rest).toEqual([]);
  });

  it('is refused when signed with a wrong secret, without further tries', async () => {
    const { url, counts } = await subgraph();
    const remote = source(url, { secret: 'f'.repeat(32), connect: { waitMs: 60_000 } });
    await expect(subscribe(remote, WAITING)).rejects.toMatchObject({
      code: 'SUBGRAPH_UNAVAILABLE',
      cause: { code: 4403 },
    });
    expect([counts.opened, remote.sockets.size]).toEqual([0, 0]);
  });

  it('ends in the subgraph when it is given up, or its client leaves', async () => {
    const { url, counts } = await subgraph();
    const remote = source(url);
    const events = await subscribe(remote, WAITING);
    const next = events.next();
    await until(() => counts.opened === 1);
    await events.return?.();
    expect(await next).toEqual({ done: true, value: undefined });
    await nothingLeft(remote, counts);

    const left = new AbortController();
    const reason = new Error('left');
    const others = await subscribe(remote, WAITING, {}, { signal: left.signal });
    const failing = others.next();
    await until(() => counts.opened === 2);
    left.abort(reason);
    await expect(failing).rejects.toBe(reason);
    await nothingLeft(remote, counts);
    await expect(subscribe(remote, WAITING, {}, { signal: left.signal })).rejects.toBe(reason);
  });

  it('ends when the source is stopped', async () => {
    const { url, counts } = await subgraph();
    const remote = source(url);
    const events = await subscribe(remote, WAITING);
    await remote.stop();
    await expect(events.next()).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
    await nothingLeft(remote, counts);
  });

  it('leaves nothing behind, five hundred times', async () => {
    const { url, counts } = await subgraph();
    const remote = source(url);
    const identities = [null, ...Array.from({ length: 9 }, (_, i) => ({ subject: `u-${i}`, scopes: [] }))];
    const opened = await Promise.all(
      Array.from({ length: 500 }, (_, i) => subscribe(remote, WAITING, {}, { identity: identities[i % 10] ?? null })),
    );
    await until(() => counts.opened === 500);
    expect(remote.sockets.size).toBe(10);
    await Promise.all(opened.map((events) => events.return?.()));
    await nothingLeft(remote, counts);
    expect(counts.closed).toBe(500);
  });

  it('holds up nothing but itself when it is not read, and is ended when too many events wait', async () => {
    const { url, counts } = await subgraph();
    const remote = source(url);
    const unread = await subscribe(remote, TICKS, { n: 3_000, ms: 0 });
    expect(await all(await subscribe(remote, TICKS, { n: 20, ms: 1 }))).toHaveLength(20);
    await nothingLeft(remote, counts);
    await expect(all(unread)).rejects.toMatchObject({ code: 'SLOW_CONSUMER' });
  });
});

describe('a subscription whose subgraph goes away', () => {
  it('ends with an error at once, and is never sent a second time', async () => {
    const first = await subgraph();
    const remote = source(first.url, { connect: { waitMs: 1 } });
    const [one, two] = [await subscribe(remote, WAITING), await subscribe(remote, WAITING)];
    await until(() => first.counts.opened === 2);
    await first.stop();
    const second = await subgraph(first.port);
    await expect(one.next()).rejects.toMatchObject({ code: 'SUBGRAPH_UNAVAILABLE' });
    await expect(two.next()).rejects.toMatchObject({ code: 'SUBGRAPH_UNAVAILABLE' });
    await nothingLeft(remote, first.counts);
    // Who may subscribes again, and gets a socket of its own.
    expect(await all(await subscribe(remote, TICKS, { n: 2, ms: 1 }))).toEqual([1, 2]);
    await nothingLeft(remote, second.counts);
    expect([first.counts.opened, second.counts.opened]).toEqual([2, 1]);
  });

  it('goes on when it is back, where its latest event stands for those before', async () => {
    const first = await subgraph();
    const remote = source(first.url);
    const engine = new Subscriptions({ perUser: 1, queue: 16, log });
    ends.push(() => engine.stop());
    const fetch = remote.prepare({ kind: 'subscription', name: undefined, text: TICKS });
    const plan = testPlan(fetch, { shareable: true, variables: { n: 1_000, ms: 10 } });
    const events = await engine.open(plan, context(), testCaller());
    const ticks = async (until: number) => {
      for await (const { data } of { [Symbol.asyncIterator]: () => ({ next: () => events.next() }) })
        if (data?.ticks === until) return;
    };
    await ticks(5);
    await first.stop();
    const second = await subgraph(first.port);
    await ticks(3);
    await events.return?.();
    expect([first.counts.opened, second.counts.opened]).toEqual([1, 1]);
    await nothingLeft(remote, second.counts);
  });

  it('waits for a subgraph that is only just starting', async () => {
    const away = await subgraph();
    await away.stop();
    const events = subscribe(source(away.url, { connect: { waitMs: 200 } }), TICKS, { n: 2, ms: 1 });
    await subgraph(away.port);
    expect(await all(await events)).toEqual([1, 2]);
  });

  it('is refused when the subgraph was never there, and left at once while it is tried', async () => {
    const gone = createServer();
    gone.listen(0, '127.0.0.1');
    await once(gone, 'listening');
    const { port } = gone.address() as { port: number };
    gone.close();
    const remote = source(`http://127.0.0.1:${port}/graphql`, { connect: { waitMs: 5 } });
    await expect(subscribe(remote, WAITING)).rejects.toMatchObject({ code: 'SUBGRAPH_UNAVAILABLE' });

    const patient = source(`http://127.0.0.1:${port}/graphql`, { connect: { waitMs: 60_000 } });
    const left = new AbortController();
    const trying = subscribe(patient, WAITING, {}, { signal: left.signal });
    setTimeout(() => left.abort(new Error('left')), 100);
    await expect(trying).rejects.toThrow('left');
    expect(patient.sockets.size).toBe(0);
  });
});
