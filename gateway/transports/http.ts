import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { ERROR_CODES, type ErrorCode } from '../../subgraphs/kit/errors.ts';
import { formatThrown } from '../../subgraphs/kit/format-error.ts';
import type { Logger } from '../../subgraphs/kit/log.ts';
import type { Answer, Caller, GraphQLRequest, Result } from '../answer.types.ts';
import type { Authenticate, Authenticated } from '../auth.ts';
import type { Health } from '../health.ts';
import { EXPLAIN_HEADER, wantsExplanation } from '../observability/explain.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { RequestTrace, Tracing } from '../observability/tracing.ts';
import type { Page } from '../pages.ts';
import type { Cors } from '../protection/cors.ts';
import { refuseCrossSite } from '../protection/csrf.ts';
import { isInternal } from '../protection/internal.ts';
import type { SignIn } from '../web/sign-in.ts';
import type { Site } from '../web/site.ts';
import { resultType, streamFormat, takesParts } from './accept.ts';
import { readJson, readRequest } from './http-request.ts';
import { writeDeferred, writeMultipart } from './multipart.ts';
import { writeSse, writeSseResult } from './sse.ts';
import { atEndOfTurn } from './turn.ts';
import { STUCK_AFTER } from './write-stream.ts';

export interface Door {
  answer(request: GraphQLRequest, caller: Caller): Answer | Promise<Answer>;
  authenticate: Authenticate;
  address(request: IncomingMessage): string;
  cors: Cors;
  health: Health;
  metrics: Metrics | null;
  tracing: Tracing | null;
  /** HTML pages by path. */
  pages: ReadonlyMap<string, Page>;
  /** The web app; its page at `/` goes before another one. */
  site: Site | null;
  signIn: SignIn;
  maxBodyBytes: number;
  log: Logger;
}

/** The public door over HTTP: GraphQL on /graphql, health, metrics, the web app and the other pages a person opens. */
export function createHttpServer(door: Door): Server {
  // Some clients offer HTTP/2 with every request, and go on without it when nobody takes the offer.
  const shouldUpgradeCallback = ({ headers }: IncomingMessage) => headers.upgrade?.toLowerCase() === 'websocket';
  const server = createServer({ shouldUpgradeCallback }, (request, response) => {
    route(door, request, response).catch((error: unknown) => {
      // Nobody is there to be told.
      if (response.destroyed) return;
      const { message, extensions } = formatThrown(error, door.log);
      const { code, retryAfter } = extensions;
      door.metrics?.refused(code);
      if (typeof retryAfter === 'number' && !response.headersSent) response.setHeader('retry-after', retryAfter);
      sendError(response, code, message);
    });
  });
  server.headersTimeout = 10_000;
  server.requestTimeout = 30_000;
  server.keepAliveTimeout = 65_000;
  return server;
}

async function route(door: Door, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = request.url ?? '/';
  const query = url.indexOf('?');
  const pathname = query < 0 ? url : url.slice(0, query);
  if (pathname === '/graphql') return graphql(door, request, response, query < 0 ? '' : url.slice(query + 1));
  for (const name in SECURE) response.setHeader(name, SECURE[name as keyof typeof SECURE]);
  if (pathname === '/sign-in') return signIn(door, request, response);
  if (request.method !== 'GET' && request.method !== 'HEAD') return sendError(response, 'NOT_FOUND', 'Nothing here.');
  if (pathname === '/health/live') return sendJson(response, 200, { status: 'ok' });
  if (pathname === '/health/ready') {
    const { ready, status, parts } = await door.health.ready();
    return sendJson(response, ready ? 200 : 503, { status, parts });
  }
  if (pathname === '/metrics' && door.metrics && isInternal(request)) {
    response.setHeader('content-type', door.metrics.contentType);
    response.end(await door.metrics.text());
    return;
  }
  const page = door.site?.(pathname) ?? door.pages.get(pathname);
  if (!page) {
    const explorer = door.pages.has('/graphiql') ? ', the explorer at /graphiql' : '';
    return sendError(response, 'NOT_FOUND', `Nothing here. GraphQL is at /graphql${explorer}.`);
  }
  page(request, response);
}

/** GET tells how to sign in to the web app; POST gives a development token. */
async function signIn(door: Door, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === 'GET') return sendJson(response, 200, await door.signIn.method(request));
  if (request.method !== 'POST') {
    response.setHeader('allow', 'GET, POST');
    return sendError(response, 'METHOD_NOT_ALLOWED', 'Ask by GET or POST.');
  }
  const asked = (await readJson(request, 1_000)) as { role?: unknown } | null;
  sendJson(response, 200, { token: await door.signIn.token(request, String(asked?.role)) });
}

async function graphql(door: Door, request: IncomingMessage, response: ServerResponse, search: string): Promise<void> {
  const { method = 'GET', headers } = request;
  if (door.cors.apply(request, response)) return; // A preflight is answered by its headers.
  const page = method === 'GET' && search === '' && wantsPage(headers.accept) && door.pages.get('/graphql');
  if (page) return page(request, response);
  if (method !== 'POST' && method !== 'GET') {
    response.setHeader('allow', 'GET, POST');
    return sendError(response, 'METHOD_NOT_ALLOWED', 'GraphQL is asked by POST, or GET for queries.');
  }
  refuseCrossSite(method, headers, door.cors);
  const caller = new HttpCaller(door, request, response);
  const authenticated = door.authenticate(headers.authorization, caller);
  caller.authenticated = authenticated instanceof Promise ? await authenticated : authenticated;
  const asked = await readRequest(request, search, door.maxBodyBytes);
  const pending = door.answer(asked, caller);
  const answer = pending instanceof Promise ? await pending : pending;
  const format = streamFormat(headers.accept);
  const onlyEvents = format === 'sse' && !/json/i.test(headers.accept ?? '');
  if (answer.kind === 'single' && !onlyEvents) return sendResult(response, answer, headers.accept, caller.requestId);
  response.setHeader('x-request-id', caller.requestId);
  if (answer.kind === 'single') return writeSseResult(answer.result, response);
  if (answer.kind === 'incremental') return writeDeferred(answer.results, response);
  if (format === 'sse') return writeSse(answer.results, response);
  if (format === 'multipart') return writeMultipart(answer.results, response);
  await answer.results.return?.();
  sendError(
    response,
    'NOT_ACCEPTABLE',
    'A subscription needs a WebSocket, or Accept: text/event-stream or multipart/mixed;subscriptionSpec=1.0.',
  );
}

/** Who sent a request by HTTP; what only some requests need is made when it is asked for. */
class HttpCaller implements Caller {
  readonly requestId: string;
  readonly mayWrite: boolean;
  readonly trace: RequestTrace | undefined;
  authenticated: Authenticated = { identity: null, expires: Number.POSITIVE_INFINITY };
  #signal: AbortSignal | undefined;
  #log: Logger | undefined;

  constructor(
    private readonly door: Door,
    private readonly request: IncomingMessage,
    private readonly response: ServerResponse,
  ) {
    const { headers } = request;
    const given = headers['x-request-id'];
    this.requestId = typeof given === 'string' && /^[\w-]{1,64}$/.test(given) ? given : randomUUID();
    this.mayWrite = request.method === 'POST';
    this.trace = door.tracing?.request(headers);
  }

  get identity() {
    return this.authenticated.identity;
  }

  get expires() {
    return this.authenticated.expires;
  }

  get incremental() {
    return takesParts(this.request.headers.accept);
  }

  get explain() {
    return wantsExplanation(this.request.headers[EXPLAIN_HEADER], this.identity);
  }

  get address() {
    return this.door.address(this.request);
  }

  get signal() {
    if (!this.#signal) {
      const left = new AbortController();
      const { response } = this;
      if (response.destroyed) left.abort();
      response.once('close', () => {
        if (!response.writableFinished) left.abort();
      });
      this.#signal = left.signal;
    }
    return this.#signal;
  }

  get log() {
    this.#log ??= this.door.log.child({ requestId: this.requestId });
    return this.#log;
  }
}

const wantsPage = (accept: string | undefined) => /\btext\/html\b/.test(accept ?? '');

function sendResult(
  response: ServerResponse,
  { result, status, headers }: Extract<Answer, { kind: 'single' }>,
  accept: string | undefined,
  requestId: string,
): void {
  const type = resultType(accept);
  for (const name in headers) response.setHeader(name, headers[name] as string);
  if (status === 405) response.setHeader('allow', 'POST');
  // GraphQL over HTTP: as application/json, a well-formed request that could not be run is answered with 200.
  const legacy = type === 'application/json' && status === 400 && !isMalformed(result);
  const text = JSON.stringify(result);
  atEndOfTurn(() => send(response, legacy ? 200 : status, type, text, requestId));
}

const isMalformed = ({ errors }: Result) =>
  errors?.some(({ extensions }) => extensions?.code === 'BAD_REQUEST') ?? false;

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  send(response, status, 'application/json', JSON.stringify(value));
}

const SECURE = { 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' } as const;

function send(response: ServerResponse, status: number, type: string, text: string, requestId?: string): void {
  if (response.destroyed) return;
  response.writeHead(status, {
    ...SECURE,
    'content-type': `${type}; charset=utf-8`,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    ...(requestId ? { 'x-request-id': requestId } : {}),
  });
  response.end(text);
  // Who asks for much and reads nothing would have it kept for ever.
  if (response.socket?.writableLength) response.setTimeout(STUCK_AFTER);
}

/** An error of the whole request, in the shape of a GraphQL answer so that clients need no second parser. */
function sendError(response: ServerResponse, code: ErrorCode, message: string): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  if (code === 'UNAUTHENTICATED') response.setHeader('www-authenticate', 'Bearer');
  sendJson(response, ERROR_CODES[code].status, { errors: [{ message, extensions: { code } }] });
}
