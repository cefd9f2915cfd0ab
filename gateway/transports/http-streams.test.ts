import { createServer, request } from 'node:http';
import { connect } from 'node:net';
import { ApolloClient, CombinedProtocolErrors, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { Defer20220824Handler } from '@apollo/client/incremental';
import { createClient } from 'graphql-sse';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Result } from '../answer.types.ts';
import { streamFormat } from './accept.ts';
import { MULTIPART_SUBSCRIPTION, writeDeferred } from './multipart.ts';
import { SSE } from './sse.ts';
import { TestServer } from './testing.ts';

let server: TestServer;
beforeEach(async () => {
  server = await TestServer.start();
});
const allEnded = () =>
  vi.waitFor(
    () => {
      expect(server.ended).toBe(server.opened);
      expect(server.engine.stats).toMatchObject({ subscribers: 0, upstreams: 0 });
    },
    { timeout: 1_000, interval: 5 },
  );
afterEach(async () => {
  vi.restoreAllMocks();
  await server.stop();
  await allEnded();
});

const COUNT = 'subscription($to: Int, $every: Int) { count(to: $to, every: $every) }';
const SSE_TYPE = 'text/event-stream';
const MULTIPART_TYPE = 'multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json';

/** The body as text, until it ends or `enough` has been seen. */
function read(accept: string, query: string, variables: object, enough?: RegExp) {
  return new Promise<{ body: string; type: string | undefined }>((resolve, reject) => {
    const sent = request(server.url, { method: 'POST', headers: { accept } }, (response) => {
      let body = '';
      const settle = () => resolve({ body, type: response.headers['content-type'] });
      response.setEncoding('utf8');
      response.on('data', (chunk) => {
        body += chunk;
        if (!enough?.test(body)) return;
        settle();
        sent.destroy();
      });
      response.on('end', settle);
      response.on('error', () => {});
    });
    sent.on('error', reject);
    sent.end(JSON.stringify({ query, variables }));
  });
}

describe('server-sent events', () => {
  const client = () => createClient({ url: server.url, retryAttempts: 0 });

  it("speak graphql-sse's protocol", async () => {
    const { body, type } = await read(SSE_TYPE, COUNT, { to: 2 });
    expect(type).toBe('text/event-stream; charset=utf-8');
    expect(body).toBe(
      ':\n\nevent: next\ndata: {"data":{"count":1}}\n\nevent: next\ndata: {"data":{"count":2}}\n\nevent: complete\ndata:\n\n',
    );
  });

  it('bring the events in order to its client', async () => {
    const all = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const seen: unknown[] = [];
        for await (const { data } of client().iterate({ query: COUNT, variables: { to: 50 } })) seen.push(data?.count);
        return seen;
      }),
    );
    for (const seen of all) expect(seen).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
  });

  it('carry the single result of a query', async () => {
    const seen: unknown[] = [];
    for await (const result of client().iterate({ query: '{ who }' })) seen.push(result);
    expect(seen).toEqual([{ data: { who: 'visitor' } }]);
  });

  it('end the source at once when the client leaves', async () => {
    const results = client().iterate({ query: COUNT, variables: { every: 5 } });
    await results.next();
    await results.return?.();
    await allEnded();
  });

  it('end with the error of what broke', async () => {
    const seen: unknown[] = [];
    for await (const result of client().iterate({ query: 'subscription { breaks }' })) seen.push(result);
    expect(seen.at(-1)).toEqual({ errors: [{ message: 'Away.', extensions: { code: 'SUBGRAPH_UNAVAILABLE' } }] });
  });
});

describe('multipart subscriptions', () => {
  const client = (headers: Record<string, string> = {}) =>
    new ApolloClient({ cache: new InMemoryCache(), link: new HttpLink({ uri: server.url, headers }) });
  const collect = (apollo: ApolloClient, query: string, variables = {}) => {
    const seen: unknown[] = [];
    return new Promise<unknown[]>((resolve, reject) => {
      apollo.subscribe({ query: gql(query), variables, fetchPolicy: 'no-cache' }).subscribe({
        next: ({ data, error }) => seen.push(error ?? data),
        complete: () => resolve(seen),
        error: reject,
      });
    });
  };

  it("have the parts that Apollo's protocol wants", async () => {
    const { body, type } = await read(MULTIPART_TYPE, COUNT, { to: 1 });
    expect(type).toBe('multipart/mixed;boundary="graphql";subscriptionSpec="1.0"');
    expect(body).toBe(
      '\r\n--graphql\r\ncontent-type: application/json\r\n\r\n{"payload":{"data":{"count":1}}}\r\n--graphql--\r\n',
    );
  });

  it('bring the events in order to Apollo Client', async () => {
    const expected = Array.from({ length: 50 }, (_, i) => ({ count: i + 1 }));
    expect(await collect(client(), COUNT, { to: 50 })).toEqual(expected);
  });

  it('end the source at once when the client leaves', async () => {
    await new Promise<void>((resolve) => {
      const subscription = client()
        .subscribe({ query: gql(COUNT), variables: { every: 5 } })
        .subscribe(() => {
          subscription.unsubscribe();
          resolve();
        });
    });
    await allEnded();
  });

  it('end with a fatal error of what broke', async () => {
    const seen = await collect(client(), 'subscription { breaks }');
    expect(seen[0]).toEqual({ count: 1 });
    const fatal = seen.at(-1) as CombinedProtocolErrors;
    expect(CombinedProtocolErrors.is(fatal)).toBe(true);
    expect(fatal.errors).toMatchObject([{ message: 'Away.', extensions: { code: 'SUBGRAPH_UNAVAILABLE' } }]);
  });

  it('end with a fatal error when the token does', async () => {
    const seen = await collect(client({ authorization: 'Bearer ada 100' }), COUNT, { every: 20 });
    expect(seen.length).toBeGreaterThan(1);
    expect((seen.at(-1) as CombinedProtocolErrors).errors).toMatchObject([{ extensions: { code: 'TOKEN_EXPIRED' } }]);
  });
});

describe.each([
  ['server-sent events', SSE_TYPE, SSE],
  ['multipart', MULTIPART_TYPE, MULTIPART_SUBSCRIPTION],
])('a stream over %s', (_, accept, framing) => {
  it('shows that it is alive while nothing happens', async () => {
    vi.spyOn(framing, 'heartbeatEvery', 'get').mockReturnValue(20);
    const beats = framing.heartbeat?.repeat(3) as string;
    const { body } = await read(accept, COUNT, { every: 60_000 }, new RegExp(beats));
    expect(body).toContain(beats);
    await allEnded();
  });

  it('to a client that never reads ends by policy, with little in memory', async () => {
    const { port } = new URL(server.url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('error', () => {});
    socket.pause();
    const body = JSON.stringify({ query: 'subscription { flood }' });
    socket.write(
      `POST /graphql HTTP/1.1\r\nhost: x\r\naccept: ${accept}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    await vi.waitFor(() => expect(server.produced).toBeGreaterThan(16), { timeout: 3_000 });
    await allEnded();
    expect(server.produced * 65_536).toBeLessThan(30_000_000);
    socket.destroy();
  });

  it('ends its source at once when the connection is cut', async () => {
    await read(accept, COUNT, { every: 5 }, /"count":3/);
    await allEnded();
  });
});

describe('deferred results', () => {
  it('reach Apollo Client as they come', async () => {
    async function* results() {
      yield { data: { user: { __typename: 'User', id: '1' } }, hasNext: true };
      yield { incremental: [{ path: ['user'], data: { name: 'Ada' } }], hasNext: true };
      yield { hasNext: false };
    }
    const deferring = createServer((_, response) => {
      void writeDeferred(results() as unknown as AsyncIterableIterator<Result>, response);
    });
    await new Promise<void>((resolve) => deferring.listen(0, '127.0.0.1', resolve));
    const { port } = deferring.address() as { port: number };
    const apollo = new ApolloClient({
      cache: new InMemoryCache(),
      link: new HttpLink({ uri: `http://127.0.0.1:${port}/` }),
      incrementalHandler: new Defer20220824Handler(),
    });
    const query = gql`{ user { id ... @defer { name } } }`;
    const { data } = await apollo.query({ query });
    expect(data).toEqual({ user: { __typename: 'User', id: '1', name: 'Ada' } });
    deferring.close();
  });
});

describe('streamFormat', () => {
  it.each([
    ['text/event-stream', 'sse'],
    ['application/json, text/event-stream;q=0.9', 'sse'],
    ['multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/graphql-response+json', 'multipart'],
    ['multipart/mixed; subscriptionSpec="1.0"', 'multipart'],
    ['multipart/mixed;deferSpec=20220824,application/json', null],
    ['text/event-stream;q=0', null],
    ['*/*', null],
    [undefined, null],
  ])('reads %s as %s', (accept, format) => {
    expect(streamFormat(accept)).toBe(format);
  });
});
