import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApolloClient, gql, InMemoryCache } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { type Client, type ClientOptions, createClient, type SubscribePayload } from 'graphql-ws';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { TestServer } from './testing.ts';
import type { WebSocketOptions } from './websocket.ts';

let server: TestServer;
const clients: Client[] = [];
const start = async (options: Partial<WebSocketOptions> = {}) => {
  server = await TestServer.start(options);
};
const client = (options: Partial<ClientOptions> = {}) => {
  const one = createClient({ url: server.wsUrl, webSocketImpl: WebSocket, retryAttempts: 0, ...options });
  clients.push(one);
  return one;
};
const COUNT = 'subscription($to: Int, $every: Int) { count(to: $to, every: $every) }';
const count = (variables: { to?: number; every?: number }): SubscribePayload => ({ query: COUNT, variables });
const counted = async (results: AsyncIterable<{ data?: unknown; errors?: unknown }>) => {
  const seen: unknown[] = [];
  for await (const { data, errors } of results) seen.push((data as { count: number } | undefined)?.count ?? errors);
  return seen;
};
const first = async (one: Client, payload: SubscribePayload) => (await one.iterate(payload).next()).value;
const allEnded = () =>
  vi.waitFor(
    () => {
      expect(server.ended).toBe(server.opened);
      expect(server.engine.stats).toMatchObject({ subscribers: 0, upstreams: 0 });
    },
    { timeout: 1_000, interval: 5 },
  );

afterEach(async () => {
  for (const one of clients.splice(0)) await one.dispose();
  await server.stop();
  await allEnded();
});

describe('a WebSocket', () => {
  it('carries the events of many subscriptions at once, in order, none lost or doubled', async () => {
    await start();
    const one = client();
    const all = await Promise.all(Array.from({ length: 20 }, () => counted(one.iterate(count({ to: 50 })))));
    for (const seen of all) expect(seen).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
    expect(server.opened).toBe(20);
  });

  it('carries queries and mutations too', async () => {
    await start();
    const one = client({ connectionParams: { Authorization: 'Bearer ada' } });
    expect(await first(one, { query: '{ who }' })).toEqual({ data: { who: 'ada' } });
    expect(await first(one, { query: 'mutation { write }' })).toEqual({ data: { wrote: 'ada' } });
  });

  it('hands on all of a request', async () => {
    await start();
    await first(client(), {
      query: '{ who }',
      operationName: 'Who',
      variables: { a: 1 },
      extensions: { b: 2 },
    });
    expect(server.requests).toEqual([
      { query: '{ who }', operationName: 'Who', variables: { a: 1 }, extensions: { b: 2 } },
    ]);
    expect(server.callers[0]).toMatchObject({ identity: null, address: '127.0.0.1', mayWrite: true });
  });

  it('speaks with Apollo Client', async () => {
    await start();
    const apollo = new ApolloClient({ cache: new InMemoryCache(), link: new GraphQLWsLink(client()) });
    const seen: unknown[] = [];
    await new Promise<void>((complete, error) => {
      apollo
        .subscribe({ query: gql(COUNT), variables: { to: 3, every: 1 } })
        .subscribe({ next: ({ data }) => seen.push(data), complete, error });
    });
    expect(seen).toEqual([{ count: 1 }, { count: 2 }, { count: 3 }]);
  });

  it('ends the source at once when the client unsubscribes', async () => {
    await start();
    const results = client().iterate(count({ every: 5 }));
    await results.next();
    await results.return?.();
    await allEnded();
  });

  it('ends all its sources at once when it is closed or its process is killed', async () => {
    await start();
    const one = client();
    const pending = [1, 2, 3].map(() => one.iterate(count({ every: 20 })).next());
    await Promise.all(pending);
    one.terminate();
    await allEnded();

    const script = `
      import { createClient } from 'graphql-ws'; import { WebSocket } from 'ws';
      const client = createClient({ url: ${JSON.stringify(server.wsUrl)}, webSocketImpl: WebSocket });
      for await (const _ of client.iterate(${JSON.stringify(count({ every: 20 }))})) console.log('event');`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    expect(server.ended).toBe(server.opened - 1);
    child.kill('SIGKILL');
    await allEnded();
  });

  it('tells a request that is not answered yet when its client no longer wants it, or has left', async () => {
    await start();
    const one = client();
    const cancel = one.subscribe({ query: '{ hangs }' }, { next() {}, error() {}, complete() {} });
    await vi.waitFor(() => expect(server.callers).toHaveLength(1));
    cancel();
    await vi.waitFor(() => expect(server.abandoned).toBe(1));
    one.subscribe({ query: '{ hangs }' }, { next() {}, error() {}, complete() {} });
    await vi.waitFor(() => expect(server.callers).toHaveLength(2));
    one.terminate();
    await vi.waitFor(() => expect(server.abandoned).toBe(2));
  });

  it('gives an error as a result: of what could not be begun, and of what broke', async () => {
    await start();
    const error = (code: string, message: string) => ({ errors: [{ message, extensions: { code } }] });
    expect(await first(client(), { query: '{ refused }' })).toEqual(error('TOO_MANY_SUBSCRIPTIONS', 'Enough.'));
    const seen: unknown[] = [];
    for await (const result of client().iterate({ query: 'subscription { breaks }' })) seen.push(result);
    expect(seen).toEqual([{ data: { count: 1 } }, error('SUBGRAPH_UNAVAILABLE', 'Away.')]);
  });

  it('takes the token from wherever clients put it, the first message before the upgrade request', async () => {
    await start();
    class Headed extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols, { headers: { authorization: 'Bearer upgrade' } });
      }
    }
    const ask = async (options: Partial<ClientOptions>) =>
      ((await first(client(options), { query: '{ who }' })) as { data: { who: string } }).data.who;
    expect(await ask({})).toBe('visitor');
    expect(await ask({ connectionParams: { authorization: 'Bearer a' } })).toBe('a');
    expect(await ask({ connectionParams: { headers: { Authorization: 'Bearer b' } } })).toBe('b');
    expect(await ask({ webSocketImpl: Headed })).toBe('upgrade');
    expect(await ask({ webSocketImpl: Headed, connectionParams: { Authorization: 'Bearer c' } })).toBe('c');
  });

  it('closes with 4403 on a bad token', async () => {
    await start();
    const bad = client({ connectionParams: { authorization: 'Bearer bad' } });
    await expect(first(bad, { query: '{ who }' })).rejects.toMatchObject({ code: 4403 });
  });

  it('is closed so that its client tries again when the token cannot be checked now', async () => {
    await start();
    const waiting = client({ connectionParams: { authorization: 'Bearer unknowable' } });
    await expect(first(waiting, { query: '{ who }' })).rejects.toMatchObject({ code: 1013 });
  });

  it('ends its streams when the token ends, and then itself, so that the client comes back with a new one', async () => {
    await start();
    let tokens = 0;
    const one = client({
      lazyCloseTimeout: 5_000,
      retryAttempts: 1,
      retryWait: async () => {},
      connectionParams: () => ({ authorization: tokens++ === 0 ? 'Bearer ada 100' : 'Bearer ada' }),
    });
    const cancel = one.subscribe({ query: '{ hangs }' }, { next() {}, error() {}, complete() {} });
    const seen = await counted(one.iterate(count({ every: 10 })));
    expect(seen.at(-1)).toMatchObject([{ extensions: { code: 'TOKEN_EXPIRED' } }]);
    // What is in flight may end, but nothing new begins.
    expect(await first(one, { query: '{ who }' })).toMatchObject({
      errors: [{ extensions: { code: 'TOKEN_EXPIRED' } }],
    });
    cancel();
    await vi.waitFor(() => expect(server.sockets.size).toBe(0));
    expect(await first(one, { query: '{ who }' })).toEqual({ data: { who: 'ada' } });
  });

  it('is refused to pages of other origins, and beyond the number that is allowed', async () => {
    await start({ maxSockets: 1 });
    const open = (origin?: string) =>
      new Promise<number | WebSocket>((resolve) => {
        const socket = new WebSocket(server.wsUrl, 'graphql-transport-ws', origin ? { origin } : {});
        socket.on('error', () => {});
        socket.on('unexpected-response', (_, response) => resolve(response.statusCode ?? 0));
        socket.on('open', () => resolve(socket));
      });
    expect(await open('https://evil.example')).toBe(403);
    const socket = await open('https://shop.example');
    expect(socket).toBeInstanceOf(WebSocket);
    expect(await open()).toBe(503);
    (socket as WebSocket).terminate();
    await vi.waitFor(async () => expect(await open()).toBeInstanceOf(WebSocket));
  });

  it('holds no more operations than are allowed', async () => {
    await start({ maxOperations: 2 });
    const one = client();
    const two = [one.iterate(count({ every: 5 })), one.iterate(count({ every: 5 }))];
    for (const results of two) await results.next();
    expect(await first(one, { query: '{ who }' })).toMatchObject({
      errors: [{ extensions: { code: 'TOO_MANY_SUBSCRIPTIONS' } }],
    });
    await two[0]?.return?.();
    await vi.waitFor(async () => expect(await first(one, { query: '{ who }' })).toEqual({ data: { who: 'visitor' } }));
  });

  it.each([
    ['that says nothing in time', 4408, {}, () => {}],
    ['that sends no JSON', 4400, {}, (socket: WebSocket) => socket.send('{')],
    ['that sends too much at once', 1009, {}, (socket: WebSocket) => socket.send('x'.repeat(1_000_001))],
    [
      'that asks before it has said who it is',
      4401,
      {},
      (socket: WebSocket) => socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: '{ who }' } })),
    ],
    ['that names no protocol', 4406, { protocol: [] }, () => {}],
  ])('%s is closed with %i', async (_, code, { protocol = ['graphql-transport-ws'] }: { protocol?: string[] }, act) => {
    await start({ initWait: 100 });
    const socket = new WebSocket(server.wsUrl, protocol);
    socket.on('error', () => {});
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.on('open', () => act(socket));
    expect(await closed).toBe(code);
  });

  it('whose peer is dead is cut off after two missed pings', async () => {
    await start({ keepAlive: 50 });
    const socket = new WebSocket(server.wsUrl, 'graphql-transport-ws', { autoPong: false });
    await new Promise((resolve) => socket.on('open', resolve));
    const began = Date.now();
    await new Promise((resolve) => socket.on('close', resolve));
    expect(Date.now() - began).toBeLessThan(300);
    const alive = client({ lazy: false });
    await sleep(200);
    expect(await first(alive, { query: '{ who }' })).toEqual({ data: { who: 'visitor' } });
  });

  it('whose client never reads ends by policy, with little in memory', async () => {
    await start();
    const { port } = new URL(server.url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('error', () => {});
    const frame = (message: object) => {
      const payload = Buffer.from(JSON.stringify(message));
      return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
    };
    socket.write(
      'GET /graphql HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\n' +
        'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: graphql-transport-ws\r\n\r\n',
    );
    await new Promise((resolve) => socket.once('data', resolve));
    socket.pause();
    socket.write(frame({ type: 'connection_init' }));
    socket.write(frame({ id: '1', type: 'subscribe', payload: { query: 'subscription { flood }' } }));
    await vi.waitFor(() => expect(server.produced).toBeGreaterThan(16), { timeout: 3_000 });
    await allEnded();
    // What the kernel's buffers took, the message that is on its way, and the queue.
    expect(server.produced * 65_536).toBeLessThan(30_000_000);
    socket.destroy();
  });

  it('lets what is in flight end when the server stops, and takes nothing new', async () => {
    await start();
    const codes: number[] = [];
    const one = client({ on: { closed: (event) => void codes.push((event as { code: number }).code) } });
    const counting = one.iterate(count({ to: 5, every: 30 }));
    await counting.next();
    const stopped = server.sockets.stop(5_000);
    expect(await first(one, { query: '{ who }' })).toMatchObject({
      errors: [{ extensions: { code: 'SHUTTING_DOWN' } }],
    });
    expect(await counted(counting)).toEqual([2, 3, 4, 5]);
    await stopped;
    await vi.waitFor(() => expect(codes).toEqual([1001]));
  });

  it('asks clients to go when the server stops, and cuts off who does not', async () => {
    await start();
    const codes: number[] = [];
    const sockets = await Promise.all(
      [true, false].map(async (closes) => {
        const socket = new WebSocket(server.wsUrl, 'graphql-transport-ws');
        await new Promise((resolve) => socket.on('open', resolve));
        socket.on('close', (code) => codes.push(code));
        if (!closes) socket.pause();
        return socket;
      }),
    );
    const began = Date.now();
    await server.sockets.stop(200);
    expect(Date.now() - began).toBeLessThan(1_000);
    expect(server.sockets.size).toBe(0);
    sockets[1]?.resume();
    await vi.waitFor(() => expect(codes).toHaveLength(2));
    expect(codes[0]).toBe(1001);
  });
});
