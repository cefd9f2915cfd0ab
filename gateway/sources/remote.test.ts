import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { IDENTITY_HEADER, verifyIdentity } from '../../subgraphs/kit/auth.ts';
import { createLogger } from '../../subgraphs/kit/log.ts';
import type { GatewayContext } from '../context.ts';
import { RemoteSource, type RemoteSourceOptions } from './remote.ts';

const SECRET = 's'.repeat(32);
const QUERY = { kind: 'query', name: 'Q', text: 'query Q($id: ID) { thing(id: $id) }' } as const;
const MUTATION = { kind: 'mutation', name: undefined, text: 'mutation { change }' } as const;

interface Received {
  headers: IncomingMessage['headers'];
  body: { query: string; operationName: string | null; variables: Record<string, unknown> };
}
type Answer = (response: ServerResponse, received: Received, count: number) => void;

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A real server on loopback that answers as told, and counts. */
async function subgraph(answer: Answer, port = 0) {
  const received: Received[] = [];
  let closed = 0;
  const server: Server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    received.push({ headers: request.headers, body: JSON.parse(Buffer.concat(chunks).toString()) });
    answer(response, received.at(-1) as Received, received.length);
  });
  server.on('connection', (socket) => socket.once('close', () => closed++));
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const kill = () =>
    new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  ends.push(kill);
  const { port: bound } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${bound}/graphql`, port: bound, received, kill, closed: () => closed };
}

const json =
  (body: unknown, status = 200, type = 'application/json'): Answer =>
  (response) => {
    response.writeHead(status, { 'content-type': type }).end(typeof body === 'string' ? body : JSON.stringify(body));
  };
const hang: Answer = () => {};
const OK = { data: { thing: 1 } };

function source(url: string, options: Partial<RemoteSourceOptions> = {}) {
  const fetches: string[] = [];
  const observer = { onFetch: (_: string, outcome: string) => fetches.push(outcome) };
  const remote = new RemoteSource({ name: 'shop', url, observer, ...options });
  ends.push(() => remote.stop());
  return Object.assign(remote, { fetches });
}

const log = createLogger('test', 'silent');
const context = (more: Partial<GatewayContext> & { traceparent?: string } = {}): GatewayContext => ({
  identity: null,
  requestId: 'r-1',
  log,
  subgraphContexts: new Map(),
  ...more,
});
const code = (promise: unknown) =>
  Promise.resolve(promise).then(
    () => 'ok',
    (error: { code: string }) => error.code,
  );

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries++) {
    if (tries === 500) throw new Error('It did not happen within 5 s.');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe('a fetch by URL', () => {
  it('sends the operation, its variables and the id of the request, and gives the answer as it is', async () => {
    const answer = {
      data: { thing: null },
      errors: [{ message: 'no', path: ['thing'], extensions: { code: 'NOT_FOUND' } }],
    };
    const { url, received } = await subgraph(json(answer, 200, 'application/graphql-response+json; charset=utf-8'));
    const remote = source(url);
    const fetch = remote.prepare(QUERY);
    expect(await fetch.execute({ id: 'ü"\n' }, context({ traceparent: '00-a-b-01' }))).toEqual(answer);
    expect(received[0]?.body).toEqual({ query: QUERY.text, operationName: 'Q', variables: { id: 'ü"\n' } });
    expect(received[0]?.headers).toMatchObject({ 'x-request-id': 'r-1', traceparent: '00-a-b-01' });
    expect(received[0]?.headers).not.toHaveProperty(IDENTITY_HEADER);
    expect([remote.fetches, remote.state]).toEqual([['ok'], 'closed']);
  });

  it('tells who asks in a signature that it makes once', async () => {
    const { url, received } = await subgraph(json(OK));
    const fetch = source(url, { secret: SECRET }).prepare(QUERY);
    for (const scopes of [['admin'], ['admin'], []]) {
      await fetch.execute({}, context({ identity: { subject: 'u-1', scopes } }));
    }
    await fetch.execute({}, context());
    const [first, again, other, visitor] = received.map(({ headers }) => String(headers[IDENTITY_HEADER]));
    expect(await verifyIdentity(first, 'shop', SECRET)).toEqual({ subject: 'u-1', scopes: ['admin'] });
    expect(again).toBe(first);
    expect(await verifyIdentity(other, 'shop', SECRET)).toEqual({ subject: 'u-1', scopes: [] });
    expect(await verifyIdentity(visitor, 'shop', SECRET)).toBeNull();
  });

  it('reads an answer that comes in many pieces', async () => {
    const text = JSON.stringify({ data: { thing: 'ü'.repeat(200_000) } });
    const { url } = await subgraph((response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; at += 9_999) response.write(bytes.subarray(at, at + 9_999));
      response.end();
    });
    expect(JSON.stringify(await source(url).prepare(QUERY).execute({}, context()))).toBe(text);
  });

  it('takes a GraphQL body for what it is, whatever the status', async () => {
    const body = { errors: [{ message: 'no', extensions: { code: 'BAD_USER_INPUT' } }] };
    for (const status of [400, 401, 500]) {
      const { url } = await subgraph(json(body, status));
      expect(await source(url).prepare(QUERY).execute({}, context())).toEqual(body);
    }
  });

  it.each([
    ['HTML', '<html>', 200, 'text/html'],
    ['JSON of something else', '[1]', 200, 'application/json'],
    ['errors that are none', '{"errors":"many"}', 200, 'application/json'],
    ['broken JSON', '{"data":', 200, 'application/json'],
    ['nothing', '', 204, 'application/json'],
    ['a redirect', '', 302, 'application/json'],
    ['a page that is not found', 'Not found', 404, 'text/plain'],
  ])('says that the subgraph does not answer when it gives %s', async (_, body, status, type) => {
    const { url } = await subgraph(json(body, status, type));
    const fetching = Promise.resolve(source(url).prepare(QUERY).execute({}, context()));
    await expect(fetching).rejects.toMatchObject({
      code: 'SUBGRAPH_UNAVAILABLE',
      message: 'The subgraph "shop" does not answer. Please try again.',
      cause: expect.objectContaining({ message: expect.stringContaining(`HTTP ${status}`) }),
    });
  });

  it('gives up an answer that is too large, without trying again or blaming the subgraph', async () => {
    const { url, received } = await subgraph(json({ data: { thing: 'x'.repeat(20_000) } }));
    const remote = source(url, { maxAnswerBytes: 10_000, breaker: { inARow: 1 } });
    expect(await code(remote.prepare(QUERY).execute({}, context()))).toBe('SUBGRAPH_UNAVAILABLE');
    expect([received.length, remote.state]).toEqual([1, 'closed']);
  });
});

describe('a subgraph that does not answer', () => {
  it('costs the time limit, and its connection is closed', async () => {
    const { url, closed } = await subgraph(hang);
    const remote = source(url, { timeoutMs: 200 });
    const began = performance.now();
    expect(await code(remote.prepare(QUERY).execute({}, context()))).toBe('SUBGRAPH_TIMEOUT');
    expect(performance.now() - began).toBeLessThan(1_500);
    await until(() => closed() === 1);
    expect(remote.fetches).toEqual(['timeout']);
  });

  it('is not waited for once the client has left', async () => {
    const { url, received, closed } = await subgraph(hang);
    const remote = source(url);
    const left = new AbortController();
    const fetching = Promise.resolve(remote.prepare(QUERY).execute({}, context({ signal: left.signal })));
    await until(() => received.length === 1);
    const reason = new Error('left');
    left.abort(reason);
    await expect(fetching).rejects.toBe(reason);
    await until(() => closed() === 1);
    await expect(remote.prepare(QUERY).execute({}, context({ signal: left.signal }))).rejects.toBe(reason);
    expect(remote.fetches).toEqual(['aborted', 'aborted']);
  });

  it('keeps good connections when clients leave that waited for one', async () => {
    const { url, received, closed } = await subgraph(
      (response) => void setTimeout(() => json(OK)(response, {} as never, 0), 100),
    );
    const remote = source(url, { connections: 1 });
    const left = new AbortController();
    const first = remote.prepare(QUERY).execute({}, context());
    const waiting = Array.from({ length: 50 }, () =>
      remote.prepare(QUERY).execute({}, context({ signal: left.signal })),
    );
    const last = remote.prepare(QUERY).execute({}, context());
    left.abort(new Error('left'));
    const outcomes = await Promise.allSettled(waiting);
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
    expect([await first, await last]).toEqual([OK, OK]);
    expect([received.length, closed()]).toEqual([2, 0]);
  });
});

describe('a source that is stopped', () => {
  it('lets fetches end, but not for ever', async () => {
    const { url, received } = await subgraph((response, got, count) =>
      got.body.variables.hang ? hang(response, got, count) : void setTimeout(json(OK), 300, response, got, count),
    );
    const remote = source(url, { connections: 2, drainMs: 600 });
    const fetch = remote.prepare(QUERY);
    const slow = fetch.execute({}, context());
    const never = ['hangs', 'waits'].map((hang) => code(fetch.execute({ hang }, context())));
    await until(() => received.length === 2);
    const began = performance.now();
    await remote.stop();
    expect(performance.now() - began).toBeLessThan(2_000);
    expect([await slow, await Promise.all(never)]).toEqual([OK, never.map(() => 'SUBGRAPH_UNAVAILABLE')]);
    expect(await code(fetch.execute({}, context()))).toBe('SUBGRAPH_UNAVAILABLE');
  });
});

describe('further tries', () => {
  it.each([502, 503, 504])('are made for a query after a %d', async (status) => {
    const { url, received } = await subgraph((response, ...rest) =>
      rest[1] < 3 ? json('busy', status, 'text/plain')(response, ...rest) : json(OK)(response, ...rest),
    );
    const remote = source(url);
    expect(await remote.prepare(QUERY).execute({}, context())).toEqual(OK);
    expect([received.length, remote.fetches]).toEqual([3, ['ok']]);
  });

  it('are made for a query whose connection broke', async () => {
    const { url, received } = await subgraph((response, ...rest) =>
      rest[1] < 2 ? void response.destroy() : json(OK)(response, ...rest),
    );
    expect(await source(url).prepare(QUERY).execute({}, context())).toEqual(OK);
    expect(received).toHaveLength(2);
  });

  it('are never made for a mutation, nor after an answer with errors', async () => {
    for (const answer of [json('busy', 503, 'text/plain'), ((response) => void response.destroy()) as Answer]) {
      const { url, received } = await subgraph(answer);
      expect(await code(source(url).prepare(MUTATION).execute({}, context()))).toBe('SUBGRAPH_UNAVAILABLE');
      expect(received).toHaveLength(1);
    }
    const { url, received } = await subgraph(json({ data: null, errors: [{ message: 'no' }] }));
    await source(url).prepare(QUERY).execute({}, context());
    expect(received).toHaveLength(1);
  });

  it('end after two, with what a person may read', async () => {
    const { url, port, kill } = await subgraph(hang);
    await kill();
    const remote = source(url);
    const failure = await Promise.resolve(remote.prepare(QUERY).execute({}, context())).catch((error: Error) => error);
    expect(failure).toMatchObject({ code: 'SUBGRAPH_UNAVAILABLE', cause: { code: 'ECONNREFUSED' } });
    expect((failure as Error).message).toBe('The subgraph "shop" cannot be reached. Please try again.');
    expect((failure as Error).message).not.toContain(String(port));
  });

  it('stop when the client leaves or the time is over', async () => {
    const busy = await subgraph(json('busy', 503, 'text/plain'));
    const left = new AbortController();
    const fetching = Promise.resolve(
      source(busy.url, { retries: 20, breaker: { inARow: 100, ratio: 1 } })
        .prepare(QUERY)
        .execute({}, context({ signal: left.signal })),
    );
    await until(() => busy.received.length > 0);
    left.abort(new Error('left'));
    await expect(fetching).rejects.toThrow('left');
    const tries = busy.received.length;
    await new Promise((resolve) => setTimeout(resolve, 400));
    // One may have been on its way.
    expect(busy.received.length).toBeLessThanOrEqual(tries + 1);
  });
});

describe('the circuit breaker of a subgraph', () => {
  it('opens when it is killed under load, and closes when it is back', async () => {
    let subgraphUp = await subgraph(json(OK));
    const { url, port } = subgraphUp;
    const states: string[] = [];
    const outcomes: string[] = [];
    const observer = {
      onFetch: (_: string, outcome: string) => outcomes.push(outcome),
      onBreaker: (_: string, state: string) => states.push(state),
    };
    const remote = source(url, { observer, breaker: { pauseMs: 300 } });
    const fetch = remote.prepare(QUERY);
    let load = true;
    const workers = Array.from({ length: 20 }, async () => {
      while (load) {
        const got = await code(fetch.execute({}, context()));
        expect(['ok', 'SUBGRAPH_UNAVAILABLE']).toContain(got);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    });
    await until(() => outcomes.length > 200);
    expect(new Set(outcomes)).toEqual(new Set(['ok']));
    await subgraphUp.kill();
    await until(() => states.includes('open'));
    const began = performance.now();
    await until(() => remote.state === 'open');
    expect(await code(fetch.execute({}, context()))).toBe('SUBGRAPH_UNAVAILABLE');
    expect(performance.now() - began).toBeLessThan(100);
    expect(outcomes).toContain('open');
    subgraphUp = await subgraph(json(OK), port);
    await until(() => remote.state === 'closed');
    outcomes.length = 0;
    await until(() => outcomes.length > 100);
    expect(new Set(outcomes)).toEqual(new Set(['ok']));
    load = false;
    await Promise.all(workers);
  });

  it('stays closed for errors of GraphQL and clients that leave', async () => {
    const { url } = await subgraph((response, { body }, count) =>
      body.variables.hang
        ? hang(response, {} as never, 0)
        : json({ errors: [{ message: 'no' }] }, 400)(response, {} as never, count),
    );
    const remote = source(url, { breaker: { inARow: 1 } });
    await remote.prepare(QUERY).execute({}, context());
    const signal = AbortSignal.timeout(50);
    await expect(remote.prepare(QUERY).execute({ hang: true }, context({ signal }))).rejects.toBeDefined();
    expect(remote.state).toBe('closed');
  });
});
