import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import type pg from 'pg';

/** Reaches one server process of PostgreSQL; pg knows it and does not type it. */
interface BackendKey {
  processID: number;
  secretKey: number;
  host: string;
  port: number;
}

const TRIES = 5;
const TRY_MS = 1_000;

/**
 * Runs one statement and has PostgreSQL cancel it when the signal aborts meanwhile. Settles only when neither the statement nor a
 * cancel request is under way, so that no request ever meets the connection's next statement.
 * @throws the reason of the signal, or the error of the statement
 */
export async function cancellable<R extends pg.QueryResultRow>(
  client: pg.ClientBase,
  text: string,
  values: readonly unknown[],
  signal: AbortSignal,
): Promise<R[]> {
  signal.throwIfAborted();
  const statement = client.query<R>(text, [...values]);
  let cancelling: Promise<void> | undefined;
  const onAbort = () => {
    cancelling = cancel(client, statement);
  };
  signal.addEventListener('abort', onAbort);
  try {
    return (await statement).rows;
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener('abort', onAbort);
    await cancelling;
  }
}

/** Asks again while the statement runs: a request that came before the statement was begun had no effect. */
async function cancel(client: pg.ClientBase, statement: Promise<unknown>): Promise<void> {
  let running = true;
  const stop = () => {
    running = false;
  };
  const ended = statement.then(stop, stop);
  for (let tries = 0; running && tries < TRIES; tries++) {
    await sendCancelRequest(client as unknown as BackendKey);
    const waited = new AbortController();
    await Promise.race([ended, setTimeout(TRY_MS, undefined, waited)]);
    waited.abort();
  }
  if (running) await (client as pg.Client).end();
}

/**
 * PostgreSQL's CancelRequest: a connection of its own, which the server closes once it has told the process. Unlike pg_cancel_backend
 * it takes no connection of the pool and finds its way through a pooler.
 */
function sendCancelRequest({ processID, secretKey, host, port }: BackendKey): Promise<void> {
  const request = Buffer.alloc(16);
  request.writeInt32BE(16, 0);
  request.writeInt32BE(80_877_102, 4);
  request.writeInt32BE(processID, 8);
  request.writeInt32BE(secretKey, 12);
  const socket = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
  return new Promise((resolve) => {
    socket.once('close', () => resolve());
    socket.on('error', () => {});
    socket.setTimeout(TRY_MS, () => socket.destroy());
    // Not ended: a pooler would forget the request of who has left.
    socket.write(request);
    socket.resume();
  });
}
