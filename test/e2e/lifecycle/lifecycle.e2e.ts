import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { GatewayProcess } from '../../support/gateway-process.ts';
import { post } from '../../support/instance.ts';
import { Load } from './load.ts';
import { QUERY, reviews, supergraph, swords, VERSIONS } from './shop.ts';

const DRAIN_SECONDS = 4;

let dir: string;
let file: string;
let gateway: GatewayProcess;

async function replaceSupergraph(sdl: string): Promise<void> {
  await writeFile(`${file}.next`, sdl);
  await rename(`${file}.next`, file);
}

const ask = (query: string) => post(`${gateway.url}/graphql`, query);
const serves = (version: string) =>
  vi.waitFor(async () => expect(await ask(`{ ${version} }`)).toEqual({ data: { [version]: null } }), {
    timeout: 10_000,
    interval: 50,
  });

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'hashira-lifecycle-'));
  file = path.join(dir, 'supergraph.graphql');
  await swords.start();
  await reviews.start();
});

beforeEach(async () => {
  await replaceSupergraph(supergraph('v0'));
  gateway = await GatewayProcess.start({
    SUPERGRAPH_FILE: file,
    HASHIRA_DATA: dir,
    SUBGRAPH_SECRET: 's'.repeat(32),
    DRAIN_SECONDS: String(DRAIN_SECONDS),
  });
});

afterEach(() => gateway.kill());

afterAll(async () => {
  await swords.stop();
  await reviews.stop();
  await rm(dir, { recursive: true });
});

function expectAllAnswered(load: Load): void {
  expect([load.lost, load.answers.length]).toEqual([[], load.asked]);
  expectNoErrors(load);
}

function expectNoErrors(load: Load): void {
  for (const { data, errors } of load.answers) {
    expect(errors).toBeUndefined();
    const id = /\d+$/.exec(String(data?.sword.name))?.[0];
    expect(data).toEqual({ sword: { name: `Sword ${id}`, stars: Number(id) % 6 } });
  }
}

describe('a gateway whose supergraph changes', () => {
  it('loses no request over thirty swaps under load, and ends with the last one', async () => {
    const load = new Load(gateway.url, QUERY, 8, 5);
    const subscriber = await subscribe();
    const slow = ask('{ slow(ms: 6000) }');
    for (const version of VERSIONS.slice(1)) {
      await replaceSupergraph(supergraph(version));
      await sleep(250);
    }
    await serves('v30');
    await load.stop();
    expectAllAnswered(load);
    expect(await slow).toEqual({ data: { slow: 'done' } });
    const ticks = subscriber.ticks();
    await vi.waitFor(() => expect(subscriber.ticks()).toBeGreaterThan(ticks), { timeout: 2_000 });
    expect(load.asked).toBeGreaterThan(500);
    expect((await ask('{ v0 }')).errors?.[0]?.extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
    expect(await gateway.metric('hashira_supergraph_reloads_total{outcome="served"}')).toBeGreaterThan(15);
  });

  it.each([
    ['that is no GraphQL', () => 'type Query {'],
    ['that is no supergraph', () => 'type Query { sword: String }'],
    ['that names a subgraph nobody knows', () => supergraph('v1').replace(reviews.url, 'local://nowhere')],
  ])('refuses one %s, says so, and serves on', async (_, bad) => {
    const load = new Load(gateway.url, QUERY, 4, 5);
    await replaceSupergraph(bad());
    await gateway.says(/supergraph is refused/, 10_000);
    expect(await gateway.metric('hashira_supergraph_reloads_total{outcome="refused"}')).toBe(1);
    expect((await fetch(`${gateway.url}/health/ready`)).status).toBe(200);
    await serves('v0');
    await replaceSupergraph(supergraph('v2'));
    await serves('v2');
    await load.stop();
    expectAllAnswered(load);
  });
});

describe('a gateway that gets SIGTERM', () => {
  it('finishes what is in flight, refuses what is new, ends WebSockets with 1001 and exits with 0', async () => {
    const before = await Promise.all(Array.from({ length: 5 }, () => subscribe()));
    const load = new Load(gateway.url, QUERY, 4, 5);
    const inFlight = Array.from({ length: 20 }, () => ask('{ slow(ms: 1500) }'));
    await sleep(300);
    const ended = gateway.terminate();
    await vi.waitFor(async () => expect(await codeOfConnecting()).toBe('ECONNREFUSED'), {
      timeout: 1_000,
      interval: 20,
    });
    expect(await Promise.all(inFlight)).toEqual(inFlight.map(() => ({ data: { slow: 'done' } })));
    expect(await Promise.all(before.map(({ closed }) => closed))).toEqual(before.map(() => 1001));
    await load.stop();
    expectNoErrors(load);
    for (const error of load.lost) expect(causeOf(error)).toBe('ECONNREFUSED');
    const { code, ms } = await ended;
    expect(code).toBe(0);
    expect(ms).toBeGreaterThan(1_000);
    expect(ms).toBeLessThan(2_500);
  });

  it('exits in time though a request hangs and an idle connection is kept', async () => {
    const hung = ask('{ slow(ms: 60000) }').then(
      (answer) => answer.errors?.[0]?.extensions.code,
      () => 'cut off',
    );
    await ask('{ v0 }');
    await sleep(300);
    const { code, ms } = await gateway.terminate();
    expect([code, ms < (DRAIN_SECONDS + 1) * 1_000]).toEqual([0, true]);
    expect(['cut off', 'SHUTTING_DOWN']).toContain(await hung);
  });

  it('exits at once when nothing is in flight', async () => {
    const { code, ms } = await gateway.terminate();
    expect([code, ms < 1_500]).toEqual([0, true]);
  });
});

describe('a client that leaves', () => {
  it('takes its request to the subgraph with it', async () => {
    const { aborted } = swords;
    const left = new AbortController();
    const request = fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ slow(ms: 20000) }' }),
      signal: left.signal,
    });
    await sleep(500);
    left.abort();
    await expect(request).rejects.toThrow();
    await vi.waitFor(() => expect(swords.aborted - aborted).toBe(1), { timeout: 2_000 });
  });
});

const BREAKER = 'hashira_subgraph_breaker_state{subgraph="reviews"}';

describe('a subgraph that is killed under load', () => {
  it('costs its own fields until it is back, and no request', async () => {
    const load = new Load(gateway.url, QUERY, 8, 20);
    await sleep(500);
    await reviews.stop();
    await sleep(2_000);
    const ready = (await (await fetch(`${gateway.url}/health/ready`)).json()) as { status: string };
    expect([ready.status, await gateway.metric(BREAKER)]).toEqual(['degraded', 2]);
    await reviews.start();
    await vi.waitFor(() => expect(load.answers.at(-1)?.errors).toBeUndefined(), { timeout: 20_000, interval: 100 });
    await load.stop();
    expect([load.lost, load.answers.length]).toEqual([[], load.asked]);
    expect(await gateway.metric(BREAKER)).toBe(0);
    const failed = load.answers.filter(({ errors }) => errors);
    expect(failed.length).toBeGreaterThan(0);
    for (const { data, errors } of failed) {
      expect(data).toEqual({ sword: { name: expect.stringMatching(/^Sword \d+$/), stars: null } });
      expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['SUBGRAPH_UNAVAILABLE']);
    }
  });
});

/** A subscriber by graphql-ws's protocol, bare: what counts is the code with which the server closes. */
async function subscribe(): Promise<{ closed: Promise<number>; ticks: () => number }> {
  const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  let ticks = 0;
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.once('open', () => socket.send('{"type":"connection_init"}'));
    socket.on('message', (data) => {
      const message = JSON.parse(String(data)) as { type: string };
      if (message.type === 'connection_ack') {
        socket.send('{"id":"1","type":"subscribe","payload":{"query":"subscription { ticks }"}}');
      }
      if (message.type === 'next' && ++ticks === 1) resolve();
      if (message.type === 'error') reject(new Error(String(data)));
    });
  });
  return { closed, ticks: () => ticks };
}

const causeOf = (error: unknown): unknown => ((error as Error).cause as { code?: string } | undefined)?.code ?? error;

/** Why a new connection fails, by its code; `open` when it does not. */
function codeOfConnecting(): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
    socket.once('connect', () => resolve('open'));
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
    socket.once('close', () => socket.destroy());
  });
}
