import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, createClient, type SubscribePayload } from 'graphql-ws';
import { WebSocket } from 'ws';
import { IDENTITY_HEADER, type Identity } from '../../subgraphs/kit/auth.ts';
import { HashiraError } from '../../subgraphs/kit/errors.ts';
import { identityKey } from '../access/identity-key.ts';
import type { GatewayContext } from '../context.ts';
import { EventQueue } from './event-queue.ts';
import type { SignedIdentities } from './signed-identities.ts';
import type { SubgraphError, SubgraphResult } from './source.ts';

export interface ConnectOptions {
  /** Further tries to connect. @default 2 */
  tries?: number;
  /** Wait before the first of them, doubled each time, then up to as much again at random. @default 500 */
  waitMs?: number;
}

/** The socket of one identity. */
interface Shared {
  client: Client;
  streams: number;
  connected: boolean;
}

/** Events kept for the engine, which reads at once unless its own queues are full: more mean that it has stopped. */
const MAX_WAITING = 1_000;
const HANDSHAKE_MS = 10_000;
/** Between pings; a connection that has not answered one by the next is dead. */
const PING_MS = 10_000;

/**
 * Subscriptions of one subgraph by the protocol graphql-transport-ws. Those of one identity share a socket: the identity is proven once
 * per socket, and events for many subscribers that leave the subgraph together are read together. The streams of a lost socket end:
 * whether to subscribe again is for who subscribed to say, because it may do something, such as asking a model, twice.
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
    private readonly connect: ConnectOptions = {},
  ) {
    this.url = url.href.replace(/^http/, 'ws');
  }

  /** Sockets open or being opened. */
  get size(): number {
    return this.shared.size;
  }

  /**
   * Resolves once the subgraph has accepted the identity.
   * @throws HashiraError SUBGRAPH_UNAVAILABLE when it did not, or later, by the iterator, when the connection is lost;
   * the reason of `context.signal` when the client has left
   */
  async subscribe(payload: SubscribePayload, context: GatewayContext): Promise<AsyncIterableIterator<SubgraphResult>> {
    const { signal } = context;
    signal?.throwIfAborted();
    const shared = this.join(context.identity);
    const accepted = Promise.withResolvers<void>();
    let open = true;
    const release = () => {
      if (!open) return;
      open = false;
      signal?.removeEventListener('abort', onAbort);
      this.closers.delete(close);
      stopListening();
      unsubscribe();
      this.leave(shared);
    };
    const queue = new EventQueue<SubgraphResult>(MAX_WAITING, release);
    const close = (reason: unknown, drop = true) => {
      accepted.reject(reason);
      queue.fail(reason, drop);
      release();
    };
    const onAbort = () => close(signal?.reason);
    signal?.addEventListener('abort', onAbort);
    this.closers.add(close);
    const stopListening = shared.client.on('connected', () => accepted.resolve());
    if (shared.connected) accepted.resolve();
    const unsubscribe = shared.client.subscribe<Record<string, unknown>>(payload, {
      next: (event) => {
        if (!queue.push(event as SubgraphResult))
          close(new HashiraError('SLOW_CONSUMER', 'Events came faster than they were read.'));
      },
      error: (error) => {
        if (!Array.isArray(error)) return close(this.unavailable(error), false);
        queue.push({ data: null, errors: error as SubgraphError[] });
        queue.end();
        release();
      },
      complete: () => {
        queue.end();
        release();
      },
    });
    await accepted.promise;
    return queue;
  }

  /** Ends all streams with SHUTTING_DOWN. */
  stop(): void {
    for (const close of [...this.closers])
      close(new HashiraError('SHUTTING_DOWN', 'The gateway is stopping. Please try again.'));
  }

  private join(identity: Identity | null): Shared {
    const key = this.identities ? identityKey(identity) : '';
    let shared = this.shared.get(key);
    if (!shared) {
      shared = this.open(() => this.identities && { [IDENTITY_HEADER]: this.identities.of(identity) });
      this.shared.set(key, shared);
    }
    shared.streams++;
    return shared;
  }

  /** A socket without streams is closing: the next stream gets another. */
  private leave(shared: Shared): void {
    if (--shared.streams > 0) return;
    for (const [key, candidate] of this.shared) if (candidate === shared) this.shared.delete(key);
  }

  private unavailable(cause: unknown): HashiraError {
    return new HashiraError('SUBGRAPH_UNAVAILABLE', `The stream from the subgraph "${this.subgraph}" broke off.`, {
      cause,
    });
  }

  /** @param proof who asks, signed anew for every connection */
  private open(proof: () => Record<string, string> | undefined): Shared {
    const { tries = 2, waitMs = 500 } = this.connect;
    const options = { handshakeTimeout: HANDSHAKE_MS, maxPayload: this.maxMessageBytes, perMessageDeflate: false };
    class Socket extends WebSocket {
      constructor(url: string, protocol: string) {
        super(url, protocol, { ...options, headers: proof() });
        // What matters of an error is told by `onerror` and the close; one without a listener would end the process.
        this.on('error', () => {});
      }
    }
    let everConnected = false;
    let pong: NodeJS.Timeout | undefined;
    let ids = 0;
    const client: Client = createClient({
      url: this.url,
      webSocketImpl: Socket,
      connectionParams: proof,
      connectionAckWaitTimeout: HANDSHAKE_MS,
      keepAlive: PING_MS,
      generateID: () => String(++ids),
      retryAttempts: tries,
      shouldRetry: (error) => !everConnected && !isFinal(error),
      retryWait: (retries) => sleep((1 + Math.random()) * waitMs * 2 ** retries, undefined, { ref: false }),
      on: {
        connected: () => {
          shared.connected = everConnected = true;
        },
        closed: () => {
          clearTimeout(pong);
          shared.connected = false;
        },
        ping: (received) => {
          if (!received) pong = setTimeout(() => client.terminate(), PING_MS);
        },
        pong: (received) => {
          if (received) clearTimeout(pong);
        },
      },
    });
    const shared: Shared = { client, streams: 0, connected: false };
    return shared;
  }
}

/** Closed by the subgraph for a reason that another try would meet again, such as an identity that it does not believe. */
function isFinal(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'number' && code >= 4400 && code < 4500 && ![4408, 4418, 4429, 4499].includes(code);
}
