import { randomUUID } from 'node:crypto';
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ExecutionArgs, GraphQLSchema, parse } from 'graphql';
import { handleProtocols, makeServer, type SubscribePayload } from 'graphql-ws';
import { type WebSocket, WebSocketServer } from 'ws';
import { ERROR_CODES, HashiraError } from '../../subgraphs/kit/errors.ts';
import { formatThrown } from '../../subgraphs/kit/format-error.ts';
import type { Logger } from '../../subgraphs/kit/log.ts';
import type { Answer, Caller, GraphQLRequest, Result } from '../answer.types.ts';
import type { Authenticate, Authenticated } from '../auth.ts';
import { networkOf } from '../protection/address.ts';
import { at } from '../subscriptions/deadline.ts';
import { failure, shuttingDown, tokenExpired } from '../subscriptions/failure.ts';
import { Peer } from './peer.ts';

export interface WebSocketOptions {
  answer(request: GraphQLRequest, caller: Caller): Answer | Promise<Answer>;
  authenticate: Authenticate;
  /** Whether pages of this origin may connect; undefined for clients that are no browsers. */
  allowOrigin(origin: string | undefined, request: IncomingMessage): boolean;
  /** The address that limits count by. */
  address(request: IncomingMessage): string;
  log: Logger;
  /** Largest message from a client, bytes. @default 1000000 */
  maxPayload?: number;
  /** Sockets open at once. @default 10000 */
  maxSockets?: number;
  /** Those of one network. @default 2000 */
  maxPerNetwork?: number;
  /** Operations open at once on one socket. @default 100 */
  maxOperations?: number;
  /** ms between pings; who has not answered one when the next is due is dead. @default 12000 */
  keepAlive?: number;
  /** ms a socket may take to say who it is. @default 10000 */
  initWait?: number;
}

export interface GraphQLWebSocketServer {
  /** Takes over an HTTP/1.1 upgrade request for the GraphQL path, or answers why not. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /**
   * Takes no operation more, closes each socket when those on it have ended (1001: clients connect again, elsewhere), and cuts
   * off who is still there after `deadline` ms. Streams have to be ended by who answers.
   */
  stop(deadline: number): Promise<void>;
  /** Sockets open now. */
  readonly size: number;
}

interface Extra extends Authenticated {
  peer: Peer;
  request: IncomingMessage;
}

/**
 * The graphql-transport-ws protocol, for operations of all kinds. A token is taken from the payload of `connection_init`
 * (`authorization` or `headers.authorization`), else from the upgrade request, and checked once; a bad one closes with 4403,
 * and so does its end; 1013 when it cannot be checked now. One that is slow to read slows its own streams only: each message waits until the one before is out.
 */
export function createWebSocketServer(options: WebSocketOptions): GraphQLWebSocketServer {
  const { log, maxPayload = 1_000_000, maxSockets = 10_000, maxPerNetwork = 2_000, maxOperations = 100 } = options;
  const { keepAlive = 12_000, initWait = 10_000 } = options;
  const sockets = new WebSocketServer({ noServer: true, maxPayload, handleProtocols, clientTracking: false });
  const peers = new Set<Peer>();
  const byNetwork = new Map<string, number>();
  let stopping = false;
  /** Answers in place of an operation that may not begin. */
  const refusal = (open: object): Perform | null => {
    if (stopping) return async () => failure(shuttingDown(), log);
    return Object.keys(open).length > maxOperations ? async () => failure(tooMany(), log) : null;
  };
  const server = makeServer<Record<string, unknown>, Extra>({
    connectionInitWaitTimeout: initWait,
    onConnect: async ({ connectionParams, extra }) => {
      try {
        const from = { address: options.address(extra.request) };
        Object.assign(extra, await options.authenticate(authorizationOf(connectionParams, extra.request), from));
      } catch (error) {
        if (!(error instanceof HashiraError)) throw error;
        const { code } = formatThrown(error, log).extensions;
        // Clients give up after 4403, and come back after 1013.
        if (ERROR_CODES[code].retryable) extra.peer.close(1013, 'Try again later');
        return false;
      }
      // The client may come back with another token.
      extra.peer.onClose(at(extra.expires, () => extra.peer.leave(4403, 'Token expired', LAST_ANSWERS)));
      return true;
    },
    onSubscribe: ({ extra, subscriptions }, id, payload) => ({
      ...PLACEHOLDER,
      contextValue: refusal(subscriptions) ?? (() => run(options, extra, id, payload)),
    }),
    execute: perform,
    subscribe: perform,
    // As it is: graphql-ws would have errors be instances of GraphQLError.
    onNext: (_, __, ___, ____, result) => result as never,
    onComplete: ({ extra }, id, payload) => extra.peer.forget(id, payload),
  });

  sockets.on('connection', (socket: WebSocket, request: IncomingMessage) => {
    const peer = new Peer(socket, log);
    peers.add(peer);
    const extra = { peer, request, identity: null, expires: Number.POSITIVE_INFINITY };
    const closed = server.opened(peer, extra);
    socket.once('close', (code, reason) => {
      peers.delete(peer);
      peer.closed();
      closed(code, String(reason)).catch((err: unknown) => log.error({ err }, 'a socket closed badly'));
    });
  });
  const pings = setInterval(() => {
    for (const peer of peers) peer.ping();
  }, keepAlive);
  pings.unref();

  return {
    get size() {
      return peers.size;
    },
    handleUpgrade: (request, socket, head) => {
      if (!options.allowOrigin(request.headers.origin, request)) return refuse(socket, 403);
      const network = networkOf(options.address(request));
      const open = byNetwork.get(network) ?? 0;
      if (stopping || peers.size >= maxSockets || open >= maxPerNetwork) return refuse(socket, 503);
      byNetwork.set(network, open + 1);
      socket.once('close', () => {
        const left = (byNetwork.get(network) ?? 1) - 1;
        if (left > 0) byNetwork.set(network, left);
        else byNetwork.delete(network);
      });
      sockets.handleUpgrade(request, socket, head, (ws) => sockets.emit('connection', ws, request));
    },
    stop: async (deadline) => {
      stopping = true;
      const all = [...peers];
      for (const peer of all) peer.leave(1001, 'Going away');
      const late = setTimeout(() => {
        for (const peer of all) peer.terminate();
      }, deadline);
      await Promise.all(all.map((peer) => peer.gone));
      clearTimeout(late);
      clearInterval(pings);
      sockets.close();
    },
  };
}

/** Operations in flight at the end of a token have so long to end, ms. */
const LAST_ANSWERS = 5_000;

/** graphql-ws wants a document to tell kinds of operations apart. Ours are parsed, once, by who answers. */
const PLACEHOLDER = { schema: new GraphQLSchema({}), document: parse('subscription { any }') };

type Perform = () => Promise<Result | AsyncIterableIterator<Result>>;
const perform = ({ contextValue }: ExecutionArgs) => (contextValue as Perform)();

const tooMany = () =>
  new HashiraError('TOO_MANY_SUBSCRIPTIONS', 'Too many operations are open on this connection. End one first.');

async function run(options: WebSocketOptions, extra: Extra, id: string, payload: SubscribePayload) {
  const { identity, expires, peer, request } = extra;
  const requestId = randomUUID();
  const log = options.log.child({ requestId });
  if (expires <= Date.now()) return failure(tokenExpired(), log);
  const { query, operationName, variables, extensions, documentId } = payload as SubscribePayload & GraphQLRequest;
  const asked: GraphQLRequest = {
    query: query || undefined,
    operationName: operationName ?? undefined,
    variables: variables ?? undefined,
    extensions: extensions ?? undefined,
    documentId: typeof documentId === 'string' ? documentId : undefined,
  };
  const signal = peer.begin(id, payload);
  try {
    const address = options.address(request);
    const answer = await options.answer(asked, { identity, expires, address, requestId, signal, log, mayWrite: true });
    return answer.kind === 'single' ? answer.result : answer.results;
  } catch (error) {
    // Nobody is there to read what went wrong when the client has left.
    return signal.aborted ? { data: null } : failure(error, log);
  }
}

function authorizationOf(params: Record<string, unknown> | undefined, request: IncomingMessage): string | undefined {
  const headers = params?.headers as Record<string, unknown> | null | undefined;
  const given = [params?.authorization, params?.Authorization, headers?.authorization, headers?.Authorization];
  return (
    given.find((value): value is string => typeof value === 'string' && value !== '') ?? request.headers.authorization
  );
}

function refuse(socket: Duplex, status: 403 | 503): void {
  socket.on('error', () => {});
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}
