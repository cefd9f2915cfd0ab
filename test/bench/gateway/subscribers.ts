import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { SUBSCRIPTION } from './shop.ts';

export interface Received {
  /** Of all that every seat got, in its order. */
  hashes: string;
}

const SETTLE_MS = 15_000;

let clients: Client[] = [];
let events: string[][] = [];
let failure: Error | undefined;

/** Opens one connection with one subscription per seat, over graphql-ws. */
export function openSeats({ url, seats }: { url: string; seats: number }): void {
  failure = undefined;
  events = Array.from({ length: seats }, () => []);
  clients = events.map((received, seat) => {
    const client = createClient({ url: url.replace(/^http/, 'ws'), webSocketImpl: WebSocket, retryAttempts: 0 });
    client.subscribe(
      { query: SUBSCRIPTION, variables: { seat } },
      {
        next: (result) => {
          if (result.errors)
            failure = new Error(`An event with errors: ${JSON.stringify(result.errors).slice(0, 300)}`);
          received.push(JSON.stringify(result.data));
        },
        error: (error) => {
          failure = error instanceof Error ? error : new Error(`A subscription failed: ${describe(error)}`);
        },
        complete: () => {},
      },
    );
    return client;
  });
}

/** Waits until the seats have got `count` events together. @throws Error when some are lost, doubled or wrong */
export async function takeEvents({ count }: { count: number }): Promise<Received> {
  const got = () => events.reduce((sum, received) => sum + received.length, 0);
  for (const deadline = Date.now() + SETTLE_MS; got() < count && !failure && Date.now() < deadline; await sleep(5));
  if (failure) throw failure;
  if (got() !== count) throw new Error(`${got()} of ${count} events arrived.`);
  const hash = createHash('sha256');
  for (const received of events) for (const event of received.splice(0)) hash.update(event);
  return { hashes: hash.digest('hex').slice(0, 12) };
}

/** @throws Error when a subscription has failed */
export function checkSeats(): void {
  if (failure) throw failure;
}

export async function closeSeats(): Promise<void> {
  await Promise.all(clients.map((client) => client.dispose()));
}

const describe = (error: unknown): string => {
  const { reason, message } = (error ?? {}) as { reason?: string; message?: string };
  return reason || message || JSON.stringify(error).slice(0, 300);
};
