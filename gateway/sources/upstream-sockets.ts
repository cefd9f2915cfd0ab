import { type Client, createClient, type SubscribePayload } from 'graphql-ws';
import { WebSocket } from 'ws';
import { IDENTITY_HEADER } from '../../subgraphs/kit/auth.ts';
import { HashiraError } from '../../subgraphs/kit/errors.ts';
import type { GatewayContext } from '../context.ts';
import { EventQueue } from './event-queue.ts';
import { identityKey, type SignedIdentities } from './signed-identities.ts';
import type { SubgraphError, SubgraphResult } from './source.ts';

export interface ReconnectOptions {
  /** Tries to connect again before the streams end. @default 5 */
  tries?: number;
  /** Wait before the first of them, doubled each time, then up to as much again at random. @default 500 */
  firstWaitMs?: number;
  /** Within this long after it connected, a broken connection counts as one more failed try. @default 10000 */
  steadyMs?: number;
}

interface Shared {
  client: Client;
  streams: number;
}

/** Events kept for the engine, which reads at once: more mean that it has stopped. */
const MAX_WAITING = 1_000;
const HANDSHAKE_MS = 10_000;
/** A connection that does not answer a ping within this is dead. */
const PING_MS = 10_000;

/**
 * Subscriptions of one subgraph by the protocol graphql-transport-ws. Those of one identity share a socket: the identity is proven once
 * per socket, and events for many subscribers that leave the subgraph together are read together.
 */
export class UpstreamSockets {
  private readonly shared = new Map<string, Shared>();
  /** Ends one open stream by throwing. */
  private readonly closers = new Set<(reason: unknown) => void>();
  private readonly url: string;

  constructor(
    private readonly subgraph: string,
    url: URL,
    private readonly identities: SignedIdentities | undefined,
    private readonly maxMessageBytes: number,
    private readonly reconnect: ReconnectOptions = {},
  ) {
    this.url = url.href.replace(/^http/, 'ws');
  }

  /** @throws the reason of `context.signal` when the client has left. The iterator throws SUBGRAPH_UNAVAILABLE after the last try */
  subscribe(payload: SubscribePayload, context: GatewayContext): AsyncIterableIterator<SubgraphResult> {
    const { signal } = context;
    signal?.throwIfAborted();
    const key = this.identities ? identityKey(context.identity) : '';
    let shared = this.shared.get(key);
    if (!shared) {
      shared = {
        client: this.connect(this.identities && (() => this.identities?.of(context.identity) ?? '')),
        streams: 0,
      };
      this.shared.set(key, shared);
    }
    shared.streams++;
    const { client } = shared;

    let open = true;
    let unsubscribe = () => {};
    const release = () => {
      if (!open) return;
      open = false;
      signal?.removeEventListener('abort', onAbort);
      this.closers.delete(close);
      unsubscribe();
      if (--shared.streams === 0 && this.shared.get(key) === shared) this.shared.delete(key);
    };
    const queue = new EventQueue<SubgraphResult>(MAX_WAITING, release);
    const close = (reason: unknown) => {
      queue.fail(reason, true);
      release();
    };
    const onAbort = () => close(signal?.reason);
    signal?.addEventListener('abort', onAbort);
    this.closers.add(close);
    unsubscribe = client.subscribe<Record<string, unknown>>(payload, {
      next: (event) => {
        if (!queue.push(event as SubgraphResult))
          close(new HashiraError('SLOW_CONSUMER', 'Events came faster than they were read.'));
      },
      error: (error) => {
        if (Array.isArray(error)) {
          queue.push({ data: null, errors: error as SubgraphError[] });
          queue.end();
        } else queue.fail(this.unavailable(error));
        release();
      },
      complete: () => {
        queue.end();
        release();
      },
    });
    return queue;
  }

  /** Ends all streams with an error. */
  stop(): void {
    for (const close of [...this.closers])
      close(new HashiraError('SHUTTING_DOWN', 'The gateway is stopping. Please try again.'));
  }

  private unavailable(cause: unknown): HashiraError {
    return new HashiraError('SUBGRAPH_UNAVAILABLE', `The stream from the subgraph "${this.subgraph}" broke off.`, {
      cause,
    });
  }

  private connect(token: (() => string) | undefined): Client {
    const { tries = 5, firstWaitMs = 500, steadyMs = 10_000 } = this.reconnect;
    const options = { handshakeTimeout: HANDSHAKE_MS, maxPayload: this.maxMessageBytes, perMessageDeflate: false };
    class Socket extends WebSocket {
      constructor(url: string, protocol: string) {
        super(url, protocol, { ...options, headers: token && { [IDENTITY_HEADER]: token() } });
        // What matters of an error is told by `onerror` and the close; one without a listener would end the process.
        this.on('error', () => {});
      }
    }
    // The client counts tries from zero at every connection; a subgraph that accepts and breaks would be tried for ever.
    let failed = 0;
    let connectedAt = 0;
    let pong: NodeJS.Timeout | undefined;
    let ids = 0;
    const client: Client = createClient({
      url: this.url,
      webSocketImpl: Socket,
      connectionParams: token && (() => ({ [IDENTITY_HEADER]: token() })),
      connectionAckWaitTimeout: HANDSHAKE_MS,
      keepAlive: PING_MS,
      generateID: () => String(++ids),
      retryAttempts: Number.MAX_SAFE_INTEGER,
      shouldRetry: (error) => failed <= tries && !isFinal(error),
      retryWait: () => {
        const ms = (1 + Math.random()) * firstWaitMs * 2 ** Math.max(0, failed - 1);
        return new Promise((resolve) => setTimeout(resolve, ms).unref());
      },
      on: {
        connected: () => {
          connectedAt = performance.now();
        },
        closed: () => {
          clearTimeout(pong);
          if (performance.now() - connectedAt > steadyMs && connectedAt > 0) failed = 0;
          connectedAt = 0;
          failed++;
        },
        ping: (received) => {
          if (!received) pong = setTimeout(() => client.terminate(), PING_MS);
        },
        pong: (received) => {
          if (received) clearTimeout(pong);
        },
      },
    });
    return client;
  }
}

/** Closed by the subgraph for a reason that another try would meet again, such as an identity that it does not believe. */
function isFinal(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'number' && code >= 4400 && code < 4500 && ![4408, 4418, 4429, 4499].includes(code);
}
