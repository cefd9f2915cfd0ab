import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ExecutionArgs, ExecutionResult } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { IDENTITY_HEADER, type Identity } from './auth.ts';
import { HashiraError } from './errors.ts';
import { formatError } from './format-error.ts';
import { formatResult } from './format-result.ts';
import { requestIdOf } from './graphql-request.ts';
import type { IdentityVerifier } from './identity-verifier.ts';
import type { Operation, Operations } from './operations.ts';
import type { SubgraphServerOptions } from './subgraph-server.ts';

export interface SubgraphSockets {
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Closes sockets with 1001, and cuts off those still open after so many ms. */
  stop(drainMs: number): Promise<void>;
}

/** What graphql-ws hands from a subscribe message to its execution. */
type Args = ExecutionArgs & { operation: Operation; left: AbortController; newContext: () => object };

/**
 * graphql-transport-ws for one subgraph. Whose socket it is is proven once, by the signed identity in the payload of connection_init;
 * without one it is closed with 4403.
 */
export function createSubgraphSockets(
  operations: Operations,
  verifier: IdentityVerifier,
  { running, schema, log, maxBytes = 16_000_000 }: SubgraphServerOptions,
): SubgraphSockets {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: maxBytes });
  const server = useServer<Record<string, unknown>, { identity: Identity | null }>(
    {
      connectionInitWaitTimeout: 5_000,
      onConnect: async ({ connectionParams, extra }) => {
        try {
          extra.identity = await verifier.verify(connectionParams?.[IDENTITY_HEADER]);
          return true;
        } catch (error) {
          if (!(error instanceof HashiraError)) throw error;
          log.warn({ err: error }, 'refused: not signed by our gateway');
          return false;
        }
      },
      onSubscribe: ({ extra }, _, { query, operationName, variables, extensions }) => {
        const operation = operations.get(query, operationName ?? undefined);
        if (!('execute' in operation)) return operation;
        const left = new AbortController();
        const requestId = requestIdOf(extensions?.requestId);
        const request = {
          identity: extra.identity ?? null,
          requestId,
          signal: left.signal,
          log: log.child({ requestId }),
        };
        const args: Args = {
          schema,
          document: operation.document,
          operationName,
          variableValues: variables,
          operation,
          left,
          newContext: () => running.context(request),
        };
        return args;
      },
      execute: (args) => {
        const { operation, newContext, variableValues } = args as Args;
        return operation.execute(newContext(), variableValues);
      },
      subscribe: async (args) => {
        const { operation, newContext, variableValues, left } = args as Args;
        const events = await operation.source(newContext(), variableValues);
        if (!(Symbol.asyncIterator in events)) return events;
        // Events come over a long time: each has DataLoaders of its own.
        return answers(events, left, (event) => operation.execute(newContext(), variableValues, event));
      },
      onNext: (_, __, ___, ____, result) => formatResult(result, log) as never,
      onError: (_, __, ___, errors) => errors.map((error) => formatError(error, log)),
    },
    sockets,
  );
  sockets.on('connection', (socket) => socket.on('error', (err) => log.debug({ err }, 'a socket broke')));

  return {
    upgrade: (request, socket, head) => {
      if (request.url?.replace(/\?.*/, '') !== '/graphql') {
        socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
        return;
      }
      sockets.handleUpgrade(request, socket, head, (ws) => sockets.emit('connection', ws, request));
    },
    stop: async (drainMs) => {
      const late = setTimeout(() => {
        for (const socket of sockets.clients) socket.terminate();
      }, drainMs);
      await server.dispose();
      clearTimeout(late);
    },
  };
}

/**
 * Answers to the events. Whoever leaves them aborts the signal first: a generator that waits takes notice of a `return()` only at its
 * next event, of the signal at once.
 */
function answers(
  events: AsyncIterable<unknown>,
  left: AbortController,
  answer: (event: unknown) => ExecutionResult | Promise<ExecutionResult>,
): AsyncGenerator<ExecutionResult> {
  const source = events[Symbol.asyncIterator]();
  const iterator = {
    next: async () => {
      try {
        const { done, value } = await source.next();
        if (!done) return { done, value: await answer(value) };
      } catch (error) {
        // How a generator ends that was told to is nobody's concern.
        if (!left.signal.aborted) throw error;
      }
      return { done: true, value: undefined };
    },
    return: async () => {
      left.abort();
      await source.return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return iterator as unknown as AsyncGenerator<ExecutionResult>;
}
