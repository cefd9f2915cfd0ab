import { type Dispatcher, Pool } from 'undici';
import { IDENTITY_HEADER } from '../../subgraphs/kit/auth.ts';
import type { GatewayContext } from '../context.ts';
import { type BreakerState, CircuitBreaker, type CircuitBreakerOptions } from './circuit-breaker.ts';
import type { FetchObserver } from './fetch-observer.ts';
import { RemoteCall, type Upstream } from './remote-call.ts';
import { SignedIdentities } from './signed-identities.ts';
import type { Source, SubgraphFetch, SubgraphOperation, SubgraphResult, Variables } from './source.ts';
import { type ConnectOptions, UpstreamSockets } from './upstream-sockets.ts';

export interface RemoteSourceOptions {
  name: string;
  /** http: or https:; subscriptions go to the same URL by WebSocket. */
  url: string;
  /** Signs who asks. Without it the subgraph is not told. */
  secret?: string | undefined;
  /** Longest wait for an answer, further tries included. @default 30000 */
  timeoutMs?: number;
  /** Further tries of a query that was not answered; a mutation is sent once. @default 2 */
  retries?: number;
  /** Connections at once; further fetches wait for one. @default 128 */
  connections?: number;
  /** Largest answer. @default 64 MB */
  maxAnswerBytes?: number;
  /** At the end, longest wait for the answers still to come. @default 5000 */
  drainMs?: number;
  breaker?: CircuitBreakerOptions;
  /** Of the sockets for subscriptions. */
  connect?: ConnectOptions;
  observer?: FetchObserver;
}

const ACCEPT = 'application/graphql-response+json, application/json';

/** A subgraph reached by URL: kept connections, a time limit, further tries of reads, a circuit breaker, signed identities. */
export class RemoteSource implements Source, Upstream {
  readonly name: string;
  readonly pool: Pool;
  readonly breaker: CircuitBreaker;
  readonly timeoutMs: number;
  readonly observer: FetchObserver | undefined;
  readonly retries: number;
  readonly path: string;
  readonly sockets: UpstreamSockets;
  private readonly drainMs: number;
  private readonly identities: SignedIdentities | undefined;

  constructor(options: RemoteSourceOptions) {
    const { name, secret, observer, timeoutMs = 30_000, maxAnswerBytes = 64_000_000 } = options;
    const url = new URL(options.url);
    this.name = name;
    this.path = url.pathname + url.search;
    this.timeoutMs = timeoutMs;
    this.retries = options.retries ?? 2;
    this.drainMs = options.drainMs ?? 5_000;
    this.observer = observer;
    this.identities = secret === undefined ? undefined : new SignedIdentities(name, secret);
    this.breaker = new CircuitBreaker(options.breaker, (state) => observer?.onBreaker?.(name, state));
    this.pool = new Pool(url.origin, {
      connections: options.connections ?? 128,
      pipelining: 1,
      allowH2: false,
      connect: { timeout: Math.min(timeoutMs, 10_000) },
      // A call has one time limit of its own.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxResponseSize: maxAnswerBytes,
    });
    this.sockets = new UpstreamSockets(name, url, this.identities, maxAnswerBytes, options.connect);
  }

  get state(): BreakerState {
    return this.breaker.state;
  }

  prepare(operation: SubgraphOperation): SubgraphFetch {
    return new RemoteFetch(this, operation);
  }

  headers({ requestId, identity, traceparent }: GatewayContext & { traceparent?: string }): string[] {
    const headers = ['content-type', 'application/json', 'accept', ACCEPT];
    if (requestId) headers.push('x-request-id', requestId);
    if (traceparent) headers.push('traceparent', traceparent);
    if (this.identities) headers.push(IDENTITY_HEADER, this.identities.of(identity));
    return headers;
  }

  /** Ends streams at once, lets fetches end for a while. */
  async stop(): Promise<void> {
    this.sockets.stop();
    const { promise: destroyed, resolve } = Promise.withResolvers<void>();
    // Fetches that still wait for a connection would hold up `close` for ever.
    const late = setTimeout(() => resolve(this.pool.destroy()), this.drainMs);
    await Promise.race([this.pool.close().catch(() => {}), destroyed]);
    clearTimeout(late);
  }
}

class RemoteFetch implements SubgraphFetch {
  private readonly head: string;
  private readonly retries: number;

  constructor(
    private readonly source: RemoteSource,
    private readonly operation: SubgraphOperation,
  ) {
    const { text, name, kind } = operation;
    this.head = `{"query":${JSON.stringify(text)},"operationName":${JSON.stringify(name ?? null)},"variables":`;
    this.retries = kind === 'query' ? source.retries : 0;
  }

  execute(variables: Variables, context: GatewayContext): Promise<SubgraphResult> {
    const { source } = this;
    const request: Dispatcher.DispatchOptions = {
      path: source.path,
      method: 'POST',
      headers: source.headers(context),
      body: `${this.head}${JSON.stringify(variables)}}`,
    };
    return new Promise((resolve, reject) => {
      new RemoteCall(source, request, this.retries, context, resolve, reject).start();
    });
  }

  subscribe(variables: Variables, context: GatewayContext): Promise<AsyncIterableIterator<SubgraphResult>> {
    const { text, name } = this.operation;
    const extensions = context.requestId ? { requestId: context.requestId } : undefined;
    return this.source.sockets.subscribe({ query: text, operationName: name, variables, extensions }, context);
  }
}
