import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { GraphQLSchema } from 'graphql';
import { IDENTITY_HEADER } from './auth.ts';
import { badInput, ERROR_CODES, HashiraError } from './errors.ts';
import { formatError, formatThrown } from './format-error.ts';
import { formatResult } from './format-result.ts';
import { requestIdOf, requestOf } from './graphql-request.ts';
import { IdentityVerifier } from './identity-verifier.ts';
import type { Logger } from './log.ts';
import { Operations } from './operations.ts';
import type { RunningSubgraph } from './subgraph.ts';
import { createSubgraphSockets } from './subgraph-sockets.ts';

export interface SubgraphServerOptions {
  name: string;
  schema: GraphQLSchema;
  running: Pick<RunningSubgraph, 'context'>;
  /** Signs the identities that are believed. */
  secret: string;
  log: Logger;
  host: string;
  /** 0: any that is free. */
  port: number;
  /** Largest request or message: entities of a large page are asked for at once. @default 16 MB */
  maxBytes?: number;
  /** At the end, longest wait for what is in flight. @default 5000 */
  drainMs?: number;
}

export interface SubgraphServer {
  url: string;
  /** Takes nothing new, lets what is in flight end, closes sockets with 1001. */
  stop(): Promise<void>;
}

/**
 * A subgraph's own door, for its gateway only: GraphQL by POST and by WebSocket on /graphql, and GET /health/live.
 * @throws Error when the port is taken
 */
export async function startSubgraphServer(options: SubgraphServerOptions): Promise<SubgraphServer> {
  const { schema, name, secret, log, host, drainMs = 5_000 } = options;
  const operations = new Operations(schema);
  const verifier = new IdentityVerifier(name, secret);
  const sockets = createSubgraphSockets(operations, verifier, options);
  let draining = false;
  const server = createServer((request, response) => {
    response.once('finish', () => {
      // A connection kept open would hold up the end.
      if (draining) request.socket.end();
    });
    answer(request, response).catch((error: unknown) => refuse(response, error, log));
  });
  server.headersTimeout = 10_000;
  server.requestTimeout = 30_000;
  // Told to the gateway, which keeps its connections a little shorter, so that it never writes to one that is being closed.
  server.keepAliveTimeout = 65_000;
  server.on('upgrade', sockets.upgrade);

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url?.replace(/\?.*/, '');
    if (path === '/health/live' && request.method === 'GET') return send(response, 200, { status: 'ok' });
    if (path !== '/graphql' || request.method !== 'POST')
      throw new HashiraError('NOT_FOUND', 'This subgraph takes POST on /graphql.');
    const left = new AbortController();
    response.once('close', () => {
      if (!response.writableFinished) left.abort();
    });
    const identity = await verifier.verify(request.headers[IDENTITY_HEADER]);
    const { query, operationName, variables } = await requestOf(request, options.maxBytes ?? 16_000_000);
    const operation = operations.get(query, operationName ?? undefined);
    if (!('execute' in operation))
      return send(response, 400, { errors: operation.map((error) => formatError(error, log)) });
    if (operation.kind === 'subscription') throw badInput('Subscriptions are taken by WebSocket.');
    const requestId = requestIdOf(request.headers['x-request-id']);
    const context = options.running.context({
      identity,
      requestId,
      signal: left.signal,
      log: log.child({ requestId }),
    });
    const result = await operation.execute(context, variables);
    // Errors of resolvers that were interrupted, because nobody waits any more, are no news.
    if (!left.signal.aborted) send(response, 200, formatResult(result, log));
  }

  await listen(server, options);
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${(server.address() as { port: number }).port}/graphql`,
    stop: async () => {
      if (draining) return;
      draining = true;
      const closed = new Promise((resolve) => server.close(resolve));
      const late = setTimeout(() => server.closeAllConnections(), drainMs);
      await Promise.all([closed, sockets.stop(drainMs)]);
      clearTimeout(late);
    },
  };
}

function refuse(response: ServerResponse, error: unknown, log: Logger): void {
  const formatted = formatThrown(error, log);
  const { code } = formatted.extensions;
  // Two secrets that differ make it seem to every user that nobody is signed in: the operator should know.
  if (code === 'UNAUTHENTICATED') log.warn({ err: error }, 'refused: not signed by our gateway');
  send(response, ERROR_CODES[code].status, { errors: [formatted] });
}

function send(response: ServerResponse, status: number, value: object): void {
  if (response.headersSent || response.destroyed) return;
  const body = Buffer.from(JSON.stringify(value));
  const headers: Record<string, string | number> = {
    'content-type': 'application/json; charset=utf-8',
    'content-length': body.length,
  };
  // What is left of the request is not read.
  if (!response.req.complete) headers.connection = 'close';
  response.writeHead(status, headers).end(body);
}

function listen(server: Server, { host, port }: SubgraphServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE';
      reject(taken ? new Error(`Port ${port} on ${host} is taken. Set PORT to another one.`, { cause: error }) : error);
    });
    server.listen(port, host, resolve);
  });
}
