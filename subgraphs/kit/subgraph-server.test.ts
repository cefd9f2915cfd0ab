import { once } from 'node:events';
import { type Client, createClient, type FormattedExecutionResult } from 'graphql-ws';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { noCounts, SUBGRAPH_SECRET, startSmallSubgraph, until } from '../../test/support/small-subgraph.ts';
import { IDENTITY_HEADER, type Identity, signIdentity } from './auth.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function start(options: { drainMs?: number; maxBytes?: number } = {}) {
  const counts = noCounts();
  const server = await startSmallSubgraph(counts, 0, options);
  ends.push(() => server.stop());
  return { counts, server, url: server.url };
}

const signed = (identity: Identity | null = null) => ({
  [IDENTITY_HEADER]: signIdentity(identity, 'small', SUBGRAPH_SECRET),
});

async function ask(url: string, body: unknown, init: RequestInit = {}) {
  const response = await fetch(url, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...init,
    headers: { 'content-type': 'application/json', ...signed(), ...init.headers },
  });
  // biome-ignore lint/suspicious/noExplicitAny: the shape follows from what was asked
  return { status: response.status, body: (await response.json()) as any };
}

describe('a subgraph asked by HTTP', () => {
  it('believes who asks by the signature of its gateway alone', async () => {
    const { url, counts } = await start();
    const admin = { subject: 'u-1', scopes: ['admin'] };
    const query = { query: '{ whoami }' };
    const headers = { ...signed(admin), 'x-request-id': 'r-7' };
    for (let times = 0; times < 2; times++)
      expect((await ask(url, query, { headers })).body).toEqual({ data: { whoami: 'u-1 admin' } });
    expect((await ask(url, query)).body).toEqual({ data: { whoami: 'a visitor' } });
    expect(counts.requestIds).toEqual(['r-7', 'r-7', '']);
    const forged = [
      '',
      JSON.stringify(admin),
      signIdentity(admin, 'small', 'f'.repeat(32)),
      signIdentity(admin, 'other', SUBGRAPH_SECRET),
    ];
    for (const token of forged) {
      const { status, body } = await ask(url, query, { headers: { [IDENTITY_HEADER]: token } });
      expect([status, body.errors[0].extensions.code]).toEqual([401, 'UNAUTHENTICATED']);
    }
  });

  it('shows coded errors as they are, others only that they happened', async () => {
    const { url } = await start();
    const { status, body } = await ask(url, { query: '{ missing broken }' });
    expect([status, body.data]).toEqual([200, { missing: null, broken: null }]);
    const codes = body.errors.map((error: { path: string[]; extensions: { code: string } }) => [
      error.path[0],
      error.extensions.code,
    ]);
    expect(Object.fromEntries(codes)).toEqual({ missing: 'NOT_FOUND', broken: 'INTERNAL_SERVER_ERROR' });
    expect(JSON.stringify(body)).not.toContain('secret');
  });

  it.each([
    ['text that is no GraphQL', { query: '{' }, 400, 'GRAPHQL_PARSE_FAILED'],
    ['a field that it lacks', { query: '{ nothing }' }, 400, 'GRAPHQL_VALIDATION_FAILED'],
    ['its schema', { query: '{ __schema { types { name } } }' }, 400, 'GRAPHQL_VALIDATION_FAILED'],
    [
      'an operation that is not there',
      { query: '{ whoami }', operationName: 'B' },
      400,
      'OPERATION_RESOLUTION_FAILURE',
    ],
    ['a subscription', { query: 'subscription { waiting }' }, 400, 'BAD_USER_INPUT'],
    ['several at once', [{ query: '{ whoami }' }], 400, 'BAD_USER_INPUT'],
    ['no JSON', '{"query"', 400, 'BAD_USER_INPUT'],
    ['too much', { query: '{ whoami }', variables: { v: 'x'.repeat(20_000) } }, 413, 'BODY_TOO_LARGE'],
    ['a variable that is missing', { query: 'query($ms: Int!) { slow(ms: $ms) }' }, 200, undefined],
  ])('answers %s with a code', async (_, request, status, code) => {
    const { url } = await start({ maxBytes: 10_000 });
    const got = await ask(url, request);
    expect(got.status).toBe(status);
    if (code) expect(got.body.errors[0].extensions.code).toBe(code);
    else expect(got.body.errors).toHaveLength(1);
    expect((await ask(url, { query: '{ whoami }' })).status).toBe(200);
  });

  it('takes nothing but POST on /graphql, and says that it lives', async () => {
    const { url } = await start();
    expect((await fetch(url)).status).toBe(404);
    expect((await fetch(new URL('/', url), { method: 'POST' })).status).toBe(404);
    expect(await (await fetch(new URL('/health/live', url))).json()).toEqual({ status: 'ok' });
  });

  it('tells its resolvers that the client has left', async () => {
    const { url, counts } = await start();
    const left = new AbortController();
    const asking = ask(url, { query: '{ slow(ms: 60000) }' }, { signal: left.signal });
    setTimeout(() => left.abort(), 100);
    await expect(asking).rejects.toThrow();
    await until(() => counts.left === 1);
  });
});

function subscriber(url: string, connectionParams: Record<string, unknown> | undefined): Client {
  const client = createClient({
    url: url.replace('http', 'ws'),
    webSocketImpl: WebSocket,
    connectionParams,
    retryAttempts: 0,
  });
  ends.push(() => client.dispose());
  return client;
}

async function all(events: AsyncIterable<FormattedExecutionResult>): Promise<FormattedExecutionResult[]> {
  const got: FormattedExecutionResult[] = [];
  for await (const event of events) got.push(event);
  return got;
}

describe('a subgraph asked by WebSocket', () => {
  it('sends events to whom its gateway has signed', async () => {
    const { url, counts } = await start();
    const client = subscriber(url, signed({ subject: 'u-1', scopes: ['support'] }));
    expect(await all(client.iterate({ query: 'subscription { whoami }' }))).toEqual([
      { data: { whoami: 'u-1 support' } },
    ]);
    const ticks = await all(
      client.iterate({ query: 'subscription($n: Int!) { ticks(ms: 1, count: $n) }', variables: { n: 3 } }),
    );
    expect(ticks.map(({ data }) => data?.ticks)).toEqual([1, 2, 3]);
    expect([counts.opened, counts.closed]).toEqual([2, 2]);
  });

  it.each([
    ['nobody', undefined],
    ['unsigned claims', { [IDENTITY_HEADER]: '{"subject":"u-1","scopes":["admin"]}' }],
    ['a wrong secret', { [IDENTITY_HEADER]: signIdentity(null, 'small', 'f'.repeat(32)) }],
  ])('refuses %s with 4403', async (_, params) => {
    const { url } = await start();
    const events = all(subscriber(url, params).iterate({ query: 'subscription { waiting }' }));
    await expect(events).rejects.toMatchObject({ code: 4403 });
  });

  it('says what is wrong with an operation', async () => {
    const { url } = await start();
    const events = all(subscriber(url, signed()).iterate({ query: 'subscription { nothing }' }));
    await expect(events).rejects.toMatchObject([{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }]);
  });

  it('ends a generator that waits when its subscriber leaves, and when the socket is cut', async () => {
    const { url, counts } = await start();
    const client = subscriber(url, signed());
    const waiting = client.iterate({ query: 'subscription { waiting }' });
    void waiting.next();
    await until(() => counts.opened === 1);
    await waiting.return?.();
    await until(() => counts.closed === 1);

    let socket: WebSocket | undefined;
    client.on('connected', (connected) => {
      socket = connected as WebSocket;
    });
    void client
      .iterate({ query: 'subscription { waiting }' })
      .next()
      .catch(() => {});
    await until(() => counts.opened === 2);
    socket?.terminate();
    await until(() => counts.closed === 2);
  });

  it('takes upgrades on /graphql only', async () => {
    const { url } = await start();
    const socket = new WebSocket(new URL('/other', url.replace('http', 'ws')), 'graphql-transport-ws');
    const [error] = await once(socket, 'error');
    expect(String(error)).toContain('404');
  });
});

describe('a subgraph told to stop', () => {
  it('ends what is in flight, takes nothing new, and closes sockets with 1001', async () => {
    const { url, server, counts } = await start();
    let closed: { code: number } | undefined;
    const client = subscriber(url, signed());
    client.on('closed', (event) => {
      closed = event as { code: number };
    });
    void client
      .iterate({ query: 'subscription { waiting }' })
      .next()
      .catch(() => {});
    await until(() => counts.opened === 1);
    const inFlight = ask(url, { query: '{ slow(ms: 300) }' });
    await new Promise((resolve) => setTimeout(resolve, 100));
    const stopping = server.stop();
    expect((await inFlight).body).toEqual({ data: { slow: true } });
    await stopping;
    await expect(ask(url, { query: '{ whoami }' })).rejects.toThrow();
    expect([closed?.code, counts.closed]).toEqual([1001, 1]);
  });

  it('does not wait longer than it may', async () => {
    const { url, server } = await start({ drainMs: 200 });
    const hanging = ask(url, { query: '{ slow(ms: 60000) }' });
    hanging.catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 100));
    const began = performance.now();
    await server.stop();
    expect(performance.now() - began).toBeLessThan(2_000);
    await expect(hanging).rejects.toThrow();
  });
});
