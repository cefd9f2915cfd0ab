import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { HashiraError } from '../../subgraphs/kit/errors.ts';
import { createLogger } from '../../subgraphs/kit/log.ts';
import type { Answer, Caller, GraphQLRequest, Result } from '../answer.types.ts';
import type { Authenticated } from '../auth.ts';
import type { SubgraphFetch, SubgraphResult } from '../sources/source.ts';
import { Subscriptions } from '../subscriptions/subscriptions.ts';
import { testContext, testPlan } from '../subscriptions/testing.ts';
import { streamFormat } from './accept.ts';
import { writeMultipart } from './multipart.ts';
import { writeSse, writeSseResult } from './sse.ts';
import { createWebSocketServer, type GraphQLWebSocketServer, type WebSocketOptions } from './websocket.ts';

const log = createLogger('test', 'silent');

/** A bare HTTP server with every transport, the engine, and operations of its own: see `answer`. */
export class TestServer {
  /** Generators of the source. */
  opened = 0;
  ended = 0;
  /** Events the source gave. */
  produced = 0;
  /** Requests whose caller left before they were answered. */
  abandoned = 0;
  readonly callers: Caller[] = [];
  readonly requests: GraphQLRequest[] = [];
  readonly engine = new Subscriptions({ perUser: 10_000, queue: 16, patience: 500, log });
  readonly sockets: GraphQLWebSocketServer;
  url = '';
  readonly #server: Server;

  private constructor(options: Partial<WebSocketOptions>) {
    this.#server = createServer((request, response) => void this.#post(request, response));
    this.sockets = createWebSocketServer({
      answer: (request, caller) => this.answer(request, caller),
      authenticate,
      allowOrigin: (origin) => origin !== 'https://evil.example',
      address: () => '127.0.0.1',
      log,
      ...options,
    });
    this.#server.on('upgrade', this.sockets.handleUpgrade);
  }

  static async start(options: Partial<WebSocketOptions> = {}): Promise<TestServer> {
    const server = new TestServer(options);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    server.url = `http://127.0.0.1:${(server.#server.address() as AddressInfo).port}/graphql`;
    return server;
  }

  get wsUrl(): string {
    return this.url.replace('http', 'ws');
  }

  async stop(): Promise<void> {
    await this.engine.stop();
    await this.sockets.stop(500);
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /**
   * `count(to, every)` counts from 1, a number every so many ms; `flood` gives 64 kB at a time without end; `breaks` gives one
   * number and fails; `hangs` answers never. Anything else is answered by who asked.
   */
  async answer(request: GraphQLRequest, caller: Caller): Promise<Answer> {
    this.callers.push(caller);
    this.requests.push(request);
    const { query = '' } = request;
    if (query.includes('hangs')) {
      await new Promise((resolve) => caller.signal.addEventListener('abort', resolve));
      this.abandoned++;
      throw caller.signal.reason;
    }
    if (query.includes('refused')) throw new HashiraError('TOO_MANY_SUBSCRIPTIONS', 'Enough.');
    if (!query.includes('subscription')) {
      const kind = query.includes('mutation') ? 'wrote' : 'who';
      const result = { data: { [kind]: caller.identity?.subject ?? 'visitor' } } as Result;
      return { kind: 'single', result, status: 200 };
    }
    const source = (signal: AbortSignal) => this.#source(query, request.variables ?? {}, signal);
    const fetch: SubgraphFetch = {
      execute: () => Promise.reject(new Error('not here')),
      subscribe: async (_, { signal }) => source(signal as AbortSignal),
    };
    return { kind: 'stream', results: await this.engine.open(testPlan(fetch), testContext(caller), caller) };
  }

  async *#source(
    query: string,
    { to = Number.POSITIVE_INFINITY, every = 0 }: { to?: number; every?: number },
    signal: AbortSignal,
  ): AsyncGenerator<SubgraphResult> {
    this.opened++;
    try {
      for (let count = 1; count <= to; count++) {
        if (every) await sleep(every, undefined, { signal });
        this.produced++;
        yield { data: { count, ...(query.includes('flood') && { text: 'x'.repeat(65_536) }) } };
        if (query.includes('breaks')) throw new HashiraError('SUBGRAPH_UNAVAILABLE', 'Away.');
      }
    } finally {
      this.ended++;
    }
  }

  async #post(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const left = new AbortController();
    response.once('close', () => left.abort());
    let body = '';
    for await (const chunk of request) body += chunk;
    const { identity, expires } = await authenticate(request.headers.authorization);
    const caller: Caller = {
      identity,
      expires,
      address: '127.0.0.1',
      requestId: 'r',
      signal: left.signal,
      log,
      mayWrite: request.method === 'POST',
    };
    const answer = await this.answer(JSON.parse(body), caller);
    if (answer.kind !== 'single') {
      const write = streamFormat(request.headers.accept) === 'sse' ? writeSse : writeMultipart;
      return write(answer.results, response);
    }
    if (streamFormat(request.headers.accept) === 'sse') return writeSseResult(answer.result, response);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(answer.result));
  }
}

/** `Bearer <name>`, or `Bearer <name> <ms>` for a token that ends so soon. */
async function authenticate(authorization: string | undefined): Promise<Authenticated> {
  if (!authorization) return { identity: null, expires: Number.POSITIVE_INFINITY };
  const [, subject = '', ms] = authorization.split(' ');
  if (subject === 'unknowable') throw new HashiraError('ISSUER_UNAVAILABLE', 'Your token cannot be checked now.');
  if (subject === 'bad') throw new HashiraError('UNAUTHENTICATED', 'Your token is not valid here.');
  return {
    identity: { subject, scopes: ['customer'] },
    expires: ms ? Date.now() + Number(ms) : Number.POSITIVE_INFINITY,
  };
}
