import { type ChildProcess, fork } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import v8 from 'node:v8';
import vm from 'node:vm';
import { createClient as createSseClient } from 'graphql-sse';
import { type Client, createClient } from 'graphql-ws';
import { afterEach, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import type { ClientsOptions, Received } from './clients.ts';
import { startWorld, type World } from './world.ts';

let world: World;
const children: ChildProcess[] = [];
const clients: Client[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const client of clients.splice(0)) client.terminate();
  await allClosed();
  await world.stop();
});

const allClosed = (within = 3_000) =>
  vi.waitFor(() => expect(world.feed.closed).toBe(world.feed.opened), { timeout: within, interval: 10 });
const allOpen = (count: number) =>
  vi.waitFor(() => expect(world.feed.opened - world.feed.closed).toBe(count), { timeout: 60_000, interval: 50 });

/** Subscribers in a process of their own, so that what is measured here is the gateway and its subgraphs. */
function forkClients(options: Omit<ClientsOptions, 'url'>) {
  const child = fork(new URL('./clients.ts', import.meta.url), [JSON.stringify({ url: world.url, ...options })], {
    execArgv: ['--import', 'tsx'],
  });
  children.push(child);
  const received = new Promise<Received>((resolve) => child.once('message', (message) => resolve(message as Received)));
  return { child, received };
}

const client = (token?: string) => {
  const one = createClient({
    url: world.url.replace('http', 'ws'),
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    connectionParams: token ? { authorization: `Bearer ${token}` } : {},
  });
  clients.push(one);
  return one;
};
const sale = (field: 'sale' | 'shared' | 'secret', seat = '0', last = 1e9) => ({
  query: `subscription($seat: String!, $last: Int!) { ${field}(seat: $seat, last: $last) { n product { name } } }`,
  variables: { seat, last },
});
/** For streams of which only what becomes of them upstream matters. */
const SILENT = { next() {}, error() {}, complete() {} };

v8.setFlagsFromString('--expose-gc');
const gc = vm.runInNewContext('gc') as () => void;
async function heap(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    await sleep(50);
    gc();
  }
  return process.memoryUsage().heapUsed;
}

/** Opens the seats, sends the events, and waits until all have come and the clients have left. */
async function round(transport: ClientsOptions['transport'], count: number, last: number, gap: number) {
  const before = await heap();
  const { child, received } = forkClients({ transport, count, last });
  await allOpen(count);
  const perSubscriber = ((await heap()) - before) / count;
  const used = process.cpuUsage();
  for (let n = 1; n <= last; n++) {
    world.feed.emitAll(n);
    await sleep(gap);
  }
  const got = await received;
  const { user, system } = process.cpuUsage(used);
  child.send('leave');
  await new Promise((resolve) => child.once('exit', resolve));
  await allClosed();
  return { got, perSubscriber, cpuPerEvent: (user + system) / (count * last) };
}

test.each([
  ['websocket', 1_000],
  ['sse', 1_000],
  ['multipart', 1_000],
] as const)(
  'over %s %i subscribers get 10 events each, none lost or doubled, and leave no memory behind',
  async (transport, count) => {
    world = await startWorld();
    await round(transport, count, 10, 20); // What is compiled and cached stays.
    const before = await heap();
    const fetches = world.asked.shops.contexts;
    const { got, perSubscriber, cpuPerEvent } = await round(transport, count, 10, 100);
    expect(got).toEqual({ events: count * 10, wrong: 0, errors: [] });
    expect(world.feed).toMatchObject({ opened: count * 2, closed: count * 2 });
    const after = await heap();
    console.log(
      `${transport}: ${cpuPerEvent.toFixed(0)} µs CPU per event with two entity hops, ${(perSubscriber / 1024).toFixed(1)} kB per ` +
        `subscriber, ${world.asked.shops.contexts - fetches} fetches for ${count * 10} entities, heap ${((after - before) / 1e6).toFixed(1)} MB more after`,
    );
    expect(after - before).toBeLessThan(4_000_000);
  },
);

test('events of a subgraph reached by URL come to 200 subscribers, none lost or doubled, and leave nothing open there', async () => {
  world = await startWorld({}, true);
  const { got } = await round('websocket', 200, 10, 50);
  expect(got).toEqual({ events: 2_000, wrong: 0, errors: [] });
  const { child } = forkClients({ transport: 'websocket', count: 50, last: 1e9 });
  await allOpen(50);
  child.kill('SIGKILL');
  await allClosed(1_000);
});

test('entities of events that come together are fetched together', async () => {
  world = await startWorld();
  const { received } = forkClients({ transport: 'websocket', count: 50, last: 10 });
  await allOpen(50);
  for (let n = 1; n <= 10; n++) {
    world.feed.emitAll(n);
    await sleep(20);
  }
  expect(await received).toEqual({ events: 500, wrong: 0, errors: [] });
  for (const { contexts, entities } of [world.asked.shops, world.asked.prices]) {
    expect(entities).toBe(500);
    expect(contexts).toBeLessThan(50);
  }
});

test('who asks the same of a shared stream has one upstream and one look at what belongs to its events', async () => {
  world = await startWorld();
  const streams = Array.from({ length: 20 }, () => client().iterate(sale('shared', 's', 3)));
  const firsts = streams.map((stream) => stream.next());
  await allOpen(1);
  await sleep(300);
  for (const n of [1, 2, 3]) world.feed.emit('s', n);
  for (const [i, stream] of streams.entries()) {
    expect((await firsts[i])?.value).toEqual({ data: { shared: { n: 1, product: { name: 'Product p1' } } } });
    expect((await stream.next()).value?.data).toMatchObject({ shared: { n: 2 } });
    expect((await stream.next()).value?.data).toMatchObject({ shared: { n: 3 } });
    expect((await stream.next()).done).toBe(true);
  }
  expect(world.feed.opened).toBe(1);
  expect(world.asked.shops.entities).toBe(3);
});

test('a token that ends in mid-stream ends its streams, over WebSocket and HTTP', async () => {
  world = await startWorld();
  const token = await world.token('ada', 2);
  const sse = createSseClient({ url: world.url, retryAttempts: 0, headers: { authorization: `Bearer ${token}` } });
  const streams = [client(token).iterate(sale('secret')), sse.iterate(sale('secret'))];
  const seen = streams.map(async (stream) => {
    const results: unknown[] = [];
    for await (const { data, errors } of stream) results.push(data ?? errors?.[0]?.extensions?.code);
    return results;
  });
  await allOpen(2);
  world.feed.emitAll(1);
  for (const results of seen) {
    expect(await results).toEqual([{ secret: { n: 1, product: { name: 'Product p1' } } }, 'TOKEN_EXPIRED']);
  }
});

test('who may not see the field gets no stream', async () => {
  world = await startWorld();
  const results = client().iterate(sale('secret'));
  expect((await results.next()).value).toMatchObject({
    data: { secret: null },
    errors: [{ extensions: { code: 'UNAUTHENTICATED' } }],
  });
  expect((await results.next()).done).toBe(true);
  expect(world.feed.opened).toBe(0);
});

test.each(['websocket', 'sse', 'multipart'] as const)(
  'a killed %s client ends all its upstreams at once',
  async (transport) => {
    world = await startWorld();
    const { child } = forkClients({ transport, count: 50, last: 1e9 });
    await allOpen(50);
    world.feed.emitAll(1);
    child.kill('SIGKILL');
    await allClosed(1_000);
  },
);

test('one user has no more streams than are allowed', async () => {
  world = await startWorld({ MAX_SUBSCRIPTIONS_PER_USER: '2' });
  const token = await world.token('ada');
  for (const seat of ['1', '2']) client(token).subscribe(sale('sale', seat), SILENT);
  await allOpen(2);
  const { value } = await client(token).iterate(sale('sale', '3')).next();
  expect(value).toMatchObject({ errors: [{ extensions: { code: 'TOO_MANY_SUBSCRIPTIONS' } }] });
});

test('a gateway that stops says so to every stream', async () => {
  world = await startWorld();
  const stream = client().iterate(sale('sale'));
  const first = stream.next();
  await allOpen(1);
  const stopped = world.gateway.stop();
  expect((await first).value).toMatchObject({ errors: [{ extensions: { code: 'SHUTTING_DOWN' } }] });
  await stopped;
  await allClosed();
});
