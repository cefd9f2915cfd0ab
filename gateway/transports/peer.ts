import type { WebSocket as GraphQLSocket } from 'graphql-ws';
import type { WebSocket } from 'ws';
import type { Logger } from '../../subgraphs/kit/log.ts';

/** Bytes not yet taken by a client that goes on sending. Beyond it is not slow but hostile. */
const MOST_BUFFERED = 16_000_000;

/** How graphql-ws calls a message that is well formed and comes from the wrong side. */
const UNEXPECTED = /^Error: Unexpected message of type \w+ received/;

/** The other end of one socket: what graphql-ws needs of `ws`, and the operations that are open on it. */
export class Peer implements GraphQLSocket {
  readonly protocol: string;
  /** When the socket is closed. */
  readonly gone: Promise<void>;
  readonly #socket: WebSocket;
  readonly #log: Logger;
  readonly #operations = new Map<string, { payload: object; controller: AbortController }>();
  readonly #cleanups: (() => void)[] = [];
  #leaving: (() => void) | null = null;
  #alive = true;
  #closed = false;

  constructor(socket: WebSocket, log: Logger) {
    this.#socket = socket;
    this.#log = log;
    this.protocol = socket.protocol;
    this.gone = new Promise((resolve) => socket.once('close', () => resolve()));
    // What breaks a socket also closes it.
    socket.on('error', (err) => log.debug({ err }, 'a socket broke'));
    socket.on('ping', () => this.#check());
    socket.on('pong', () => {
      this.#alive = this.#check();
    });
  }

  /** Resolves when the message has left this process, so that a stream goes no faster than its reader. */
  send(data: string): Promise<void> {
    return new Promise((resolve) => {
      if (this.#socket.readyState !== this.#socket.OPEN) return resolve();
      this.#socket.send(data, () => resolve());
    });
  }

  close(code?: number, reason?: string): void {
    this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }

  onMessage(handle: (data: string) => Promise<void>): void {
    this.#socket.on('message', async (data) => {
      if (!this.#check()) return;
      const text = String(data);
      this.#abortCompleted(text);
      try {
        await handle(text);
      } catch (err) {
        // What only a server says.
        if (UNEXPECTED.test(String(err))) return this.close(4400, 'Invalid message received');
        this.#log.error({ err }, 'a message could not be handled');
        this.close(4500, 'Internal server error');
      }
    });
  }

  /** A new operation; its signal aborts when the client no longer wants it. */
  begin(id: string, payload: object): AbortSignal {
    const controller = new AbortController();
    if (this.#closed) controller.abort();
    else this.#operations.set(id, { payload, controller });
    return controller.signal;
  }

  /** An operation has ended. Its id may already be that of another one, whose payload is not the same. */
  forget(id: string, payload: object): void {
    if (this.#operations.get(id)?.payload === payload) this.#operations.delete(id);
    this.#leaving?.();
  }

  /** Closes as soon as no operation is open, or after so many ms. */
  leave(code: number, reason: string, within?: number): void {
    const late = within === undefined ? undefined : setTimeout(() => this.close(code, reason), within).unref();
    this.onClose(() => clearTimeout(late));
    this.#leaving = () => {
      // That an operation has ended is told to the client right after it is forgotten here.
      if (this.#operations.size === 0) setImmediate(() => this.close(code, reason));
    };
    this.#leaving();
  }

  ping(): void {
    if (!this.#alive) this.terminate();
    this.#alive = false;
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping();
  }

  onClose(cleanup: () => void): void {
    if (this.#closed) cleanup();
    else this.#cleanups.push(cleanup);
  }

  closed(): void {
    this.#closed = true;
    for (const cleanup of this.#cleanups) cleanup();
    for (const { controller } of this.#operations.values()) controller.abort();
    this.#operations.clear();
  }

  /** graphql-ws ends the streams of completed operations; those that have not begun to answer it leaves to run. */
  #abortCompleted(text: string): void {
    if (text.length > 1_000 || !text.includes('"complete"')) return;
    try {
      const { type, id } = JSON.parse(text) as { type?: unknown; id?: unknown };
      if (type !== 'complete' || typeof id !== 'string') return;
      this.#operations.get(id)?.controller.abort();
      this.#operations.delete(id);
      this.#leaving?.();
    } catch {
      // graphql-ws says so.
    }
  }

  #check(): boolean {
    if (this.#socket.bufferedAmount <= MOST_BUFFERED) return true;
    this.#log.info('a socket that does not read was cut off');
    this.terminate();
    return false;
  }
}
