import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type ApolloServer, HeaderMap } from '@apollo/server';
import { ERROR_CODES, type ErrorCode, HashiraError } from '../subgraphs/kit/errors.ts';
import type { Logger } from '../subgraphs/kit/log.ts';
import type { Authenticate } from './auth.ts';
import type { GatewayContext } from './context.ts';
import type { Health } from './health.ts';
import type { Page } from './pages.ts';

/** Largest request body. A query is a few kB; upserting 100 products with long texts fits. */
const MAX_BODY_BYTES = 1_000_000;

interface Door {
  apollo: ApolloServer<GatewayContext>;
  authenticate: Authenticate;
  health: Health;
  /** HTML pages by path. */
  pages: ReadonlyMap<string, Page>;
  log: Logger;
}

/** The public door: GraphQL on /graphql, health, and the pages a person opens. */
export function createHttpServer(door: Door): Server {
  const server = createServer((request, response) => {
    handle(door, request, response).catch((error: unknown) => {
      if (error instanceof HashiraError) return sendError(response, error.code, error.message);
      door.log.error({ err: error }, 'request failed');
      sendError(response, 'INTERNAL_SERVER_ERROR', 'Something went wrong on our side. It has been logged.');
    });
  });
  server.headersTimeout = 10_000;
  server.requestTimeout = 30_000;
  server.keepAliveTimeout = 65_000;
  return server;
}

async function handle(door: Door, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [, pathname = '/', search = ''] = /^([^?]*)(\?.*)?$/.exec(request.url ?? '/') ?? [];
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('referrer-policy', 'no-referrer');
  if (pathname === '/graphql') return graphql(door, request, response, search);
  if (request.method !== 'GET' && request.method !== 'HEAD') return sendError(response, 'NOT_FOUND', 'Nothing here.');
  if (pathname === '/health/live') return sendJson(response, 200, { status: 'ok' });
  if (pathname === '/health/ready') {
    const { ready, parts } = await door.health.ready();
    return sendJson(response, ready ? 200 : 503, { status: ready ? 'ok' : 'unavailable', parts });
  }
  const page = door.pages.get(pathname);
  if (!page)
    return sendError(response, 'NOT_FOUND', 'Nothing here. GraphQL is at /graphql, the explorer at /graphiql.');
  page(request, response);
}

async function graphql(door: Door, request: IncomingMessage, response: ServerResponse, search: string): Promise<void> {
  const requestId = /^[\w-]{1,64}$/.exec(String(request.headers['x-request-id'] ?? ''))?.[0] ?? randomUUID();
  response.setHeader('x-request-id', requestId);
  const identity = await door.authenticate(request.headers.authorization);
  const headers = new HeaderMap();
  for (const [key, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(key, Array.isArray(value) ? value.join(', ') : value);
  }
  const left = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) left.abort();
  });
  const answer = await door.apollo.executeHTTPGraphQLRequest({
    httpGraphQLRequest: { method: request.method ?? 'GET', headers, search, body: await body(request) },
    context: async () => ({
      identity,
      requestId,
      signal: left.signal,
      log: door.log.child({ requestId }),
      subgraphContexts: new Map(),
    }),
  });
  for (const [key, value] of answer.headers) response.setHeader(key, value);
  response.statusCode = answer.status ?? 200;
  if (answer.body.kind === 'complete') {
    response.end(request.method === 'HEAD' ? undefined : answer.body.string);
    return;
  }
  for await (const chunk of answer.body.asyncIterator) response.write(chunk);
  response.end();
}

/** The parsed JSON body. @throws HashiraError BAD_USER_INPUT when it is no JSON or too large */
async function body(request: IncomingMessage): Promise<unknown> {
  if (request.method !== 'POST') return {};
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES)
      throw new HashiraError('BODY_TOO_LARGE', `The body is larger than ${MAX_BODY_BYTES} bytes.`);
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  if (!/^application\/json\b/.test(request.headers['content-type'] ?? '')) return text;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new HashiraError('BAD_USER_INPUT', 'The body is not valid JSON.', { cause });
  }
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.statusCode = status;
  response.setHeader('content-type', 'application/json; charset=utf-8');
  response.end(JSON.stringify(value));
}

/** An error of the whole request, in the shape of a GraphQL answer so that clients need no second parser. */
function sendError(response: ServerResponse, code: ErrorCode, message: string): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  if (code === 'UNAUTHENTICATED') response.setHeader('www-authenticate', 'Bearer');
  if (code === 'BODY_TOO_LARGE') response.setHeader('connection', 'close');
  sendJson(response, ERROR_CODES[code].status, { errors: [{ message, extensions: { code } }] });
}
