import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { GatewayProcess } from '../../support/gateway-process.ts';
import { reviews, supergraph, swords } from '../lifecycle/shop.ts';

let dir: string;
let gateway: GatewayProcess;

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'hashira-hostile-'));
  await swords.start();
  await reviews.start();
  const file = path.join(dir, 'supergraph.graphql');
  await writeFile(file, supergraph('v0'));
  gateway = await GatewayProcess.start({
    SUPERGRAPH_FILE: file,
    HASHIRA_DATA: dir,
    SUBGRAPH_SECRET: 's'.repeat(32),
    MAX_SUBSCRIPTIONS_PER_USER: '5',
  });
});

afterAll(async () => {
  await gateway?.kill();
  await swords.stop();
  await reviews.stop();
  await rm(dir, { recursive: true });
});

/** Sends bytes as they are; what came back until the connection closed, or 2 s were over. */
const raw = (...lines: string[]) =>
  new Promise<string>((resolve) => {
    const socket = net.connect(Number(new URL(gateway.url).port), '127.0.0.1');
    let received = '';
    const late = setTimeout(() => socket.destroy(), 2_000);
    socket.on('data', (chunk) => {
      received += chunk;
    });
    socket.on('error', () => {});
    socket.once('close', () => {
      clearTimeout(late);
      resolve(received);
    });
    socket.write(lines.join('\r\n'));
  });

/** Sends messages over a new WebSocket, all but the first when that is answered; the code it was closed with, or what came within a second. */
const over = (...messages: unknown[]) =>
  new Promise<{ code: number | null; received: { type: string; id?: string; payload?: unknown }[] }>((resolve) => {
    const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    const received: { type: string; id?: string; payload?: unknown }[] = [];
    const late = setTimeout(() => {
      resolve({ code: null, received });
      socket.terminate();
    }, 1_000);
    const [first, ...rest] = messages.map((message) =>
      typeof message === 'string' ? message : JSON.stringify(message),
    );
    socket.on('message', (data) => {
      received.push(JSON.parse(String(data)));
      if (received.length === 1) for (const message of rest) socket.send(message);
    });
    socket.on('error', () => {});
    socket.once('close', (code) => {
      clearTimeout(late);
      resolve({ code, received });
    });
    socket.once('open', () => socket.send(first ?? ''));
  });

const INIT = { type: 'connection_init' };
const subscribe = (id: string, query = 'subscription { ticks }') => ({ id, type: 'subscribe', payload: { query } });

describe('a hostile client', () => {
  it('is answered over HTTP/1.1 when it offers HTTP/2', async () => {
    const body = '{"query":"{ v0 }"}';
    const offer = 'connection: close, upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__';
    const length = `content-type: application/json\r\ncontent-length: ${body.length}`;
    expect(await raw('POST /graphql HTTP/1.1', 'host: x', offer, length, '', body)).toContain('{"data":{"v0":null}}');
    expect(await raw('GET /health/live HTTP/1.1', 'host: x', offer, '', '')).toContain('{"status":"ok"}');
  });

  it('smuggles no second request into the first', async () => {
    const head = 'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json';
    const inner = 'GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n';
    for (const both of ['content-length: 4\r\ntransfer-encoding: chunked', 'content-length: 4\r\ncontent-length: 40']) {
      const answer = await raw(head, both, '', `0\r\n\r\n${inner}`);
      expect(answer).toMatch(/^HTTP\/1.1 400/);
      expect(answer).not.toContain('"status":"ok"');
    }
  });

  it('loses its own socket by what the protocol does not allow', async () => {
    const { code: uninvited } = await over(subscribe('1'));
    expect(uninvited).toBe(4401);
    expect((await over(INIT, INIT)).code).toBe(4429);
    expect((await over(INIT, '{{')).code).toBe(4400);
    expect((await over(INIT, { id: '1', type: 'next', payload: {} })).code).toBe(4400);
    expect((await over(INIT, subscribe('1'), subscribe('1'))).code).toBe(4409);
    expect((await over(INIT, subscribe('1', `{ v0 } #${'x'.repeat(1_000_000)}`))).code).toBe(1009);
    expect((await over({ ...INIT, payload: { authorization: 'Bearer x' } })).code).toBe(4403);
  });

  it('has as many subscriptions as are allowed, whatever its ids', async () => {
    const ids = ['__proto__', 'toString', ...Array.from({ length: 300 }, (_, index) => String(index))];
    const { code, received } = await over(INIT, ...ids.map((id) => subscribe(id)));
    expect(code).toBeNull();
    const refused = received.filter(({ payload }) => JSON.stringify(payload)?.includes('TOO_MANY_SUBSCRIPTIONS'));
    expect(refused).toHaveLength(ids.length - 5);
    for (let tries = 0; tries < 50 && (await gateway.metric('hashira_subscriptions_open')) > 0; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(await gateway.metric('hashira_subscriptions_open')).toBe(0);
  });

  it('has not made the gateway call anything an error of its own', () => {
    expect(gateway.output).not.toContain('"level":50');
    expect(gateway.output).not.toContain('UnhandledPromise');
  });
});
