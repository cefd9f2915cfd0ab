import { Agent, createServer, get, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDrain } from './drain.ts';

let server: Server;
let drain: (withinMs: number) => Promise<void>;
let port: number;
const agent = new Agent({ keepAlive: true });

beforeEach(async () => {
  server = createServer(async (request, response) => {
    await sleep(Number(request.url?.slice(1)));
    response.end('done');
  });
  drain = createDrain(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});

afterEach(() => server.closeAllConnections());

/** Asks for an answer after so many ms. @returns its Connection header, or the code of the error */
const ask = (ms: number): Promise<string | undefined> =>
  new Promise((resolve) => {
    get({ port, path: `/${ms}`, agent }, (response: IncomingMessage) => {
      response.resume().once('end', () => resolve(response.headers.connection));
    }).once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
  });

async function drained(withinMs: number): Promise<number> {
  const began = performance.now();
  await drain(withinMs);
  return performance.now() - began;
}

describe('a server that drains', () => {
  it('answers what is in flight, tells its clients to go, and ends right after', async () => {
    expect(await ask(0)).toBe('keep-alive');
    const answers = Promise.all([ask(500), ask(500)]);
    await sleep(50);
    const ms = drained(10_000);
    expect(await answers).toEqual(['close', 'close']);
    expect(await ms).toBeLessThan(1_000);
  });

  it('takes no new connection', async () => {
    const answer = ask(300);
    await sleep(50);
    const ended = drain(10_000);
    expect(await ask(0)).toBe('ECONNREFUSED');
    await answer;
    await ended;
  });

  it('answers a request that crosses its end on a kept connection', async () => {
    await ask(0);
    const ended = drain(10_000);
    await sleep(50);
    expect(await ask(0)).toBe('close');
    await ended;
  });

  it('does not wait for connections on which nothing is asked', async () => {
    await ask(0);
    const silent = connect(port, '127.0.0.1');
    await new Promise((resolve) => silent.once('connect', resolve));
    const closed = new Promise((resolve) => silent.once('close', resolve));
    expect(await drained(10_000)).toBeLessThan(1_000);
    await closed;
  });

  it('cuts off at the end of its time what still hangs', async () => {
    const answer = ask(60_000);
    await sleep(50);
    expect(await drained(400)).toBeLessThan(1_000);
    expect(await answer).toBe('ECONNRESET');
  });
});
