import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';
import { createClient } from 'graphql-ws';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { type Gateway, startGateway } from '../../../gateway/gateway.ts';
import { catalog } from '../../../subgraphs/catalog/index.ts';
import { loadShop, productRow } from '../../../subgraphs/catalog/testing.ts';
import { loadConfig } from '../../../subgraphs/kit/config.ts';
import type { Database } from '../../../subgraphs/kit/database.ts';
import { createRegistry } from '../../../subgraphs/kit/registry.ts';
import { type SubgraphServer, startSubgraphServer } from '../../../subgraphs/kit/subgraph-server.ts';
import { LockedTable } from '../../../subgraphs/kit/testing.ts';
import { createDatabase } from '../../support/database.ts';
import { post } from '../../support/instance.ts';

// A page and a search: each is a statement of its own.
const QUERY = '{ products { edges { node { id } } } search(query: "katana") { edges { node { id } } } }';
const PAGE = { edges: [{ node: { id: 'p1' } }] };
const ANSWER = { data: { products: PAGE, search: PAGE } };
const STATEMENTS = 2;
const SUBGRAPH_SECRET = 's'.repeat(32);

let dir: string;
let database: Database;
let locked: LockedTable;

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'hashira-cancellation-'));
  database = await createDatabase('catalog');
  await loadShop(database, [productRow('p1', { name: 'Katana' })]);
});
afterAll(async () => {
  await database?.close();
  await rm(dir, { recursive: true, force: true });
});
beforeEach(async () => {
  locked = await LockedTable.lock(database, 'catalog.products');
});
afterEach(() => locked.release());

describe.each(['in the gateway’s process', 'by URL'])('with the catalog %s', (where) => {
  const logged: { level: number; outcome?: string }[] = [];
  const log = pino({ level: 'debug' }, { write: (line) => logged.push(JSON.parse(line)) });
  let server: SubgraphServer | undefined;
  let gateway: Gateway;

  beforeAll(async () => {
    const config = loadConfig({ HASHIRA_DATA: dir, PORT: '0', SUBGRAPH_SECRET, LOG_REQUESTS: 'all' });
    const services = { config, database, log, registry: createRegistry(config) };
    const { schema, sdl } = await catalog.schema();
    if (where === 'by URL') {
      const running = await catalog.start(services);
      const own = { name: 'catalog', schema, running, secret: SUBGRAPH_SECRET, log, host: '127.0.0.1', port: 0 };
      server = await startSubgraphServer(own);
    }
    const url = server?.url ?? 'local://catalog';
    const { supergraphSdl, errors } = composeServices([{ name: 'catalog', url, typeDefs: parse(sdl) }]);
    if (!supergraphSdl) throw new Error(String(errors));
    const file = path.join(dir, `${server ? 'remote' : 'local'}.graphql`);
    await writeFile(file, supergraphSdl);
    gateway = await startGateway([catalog], services, file);
  });
  afterAll(async () => {
    await gateway?.stop();
    await server?.stop();
  });

  it('what a client waits for ends in PostgreSQL within a second when its connection breaks', async () => {
    const client = request(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    });
    client.on('error', () => {});
    client.end(JSON.stringify({ query: QUERY }));
    await locked.until(STATEMENTS);
    client.destroy();
    await locked.until(0, 1_000);
  });

  it('a WebSocket that breaks ends what was asked over it', async () => {
    const client = createClient({
      url: `${gateway.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
    });
    client.subscribe({ query: QUERY }, { next: () => {}, error: () => {}, complete: () => {} });
    await locked.until(STATEMENTS);
    client.terminate();
    await locked.until(0, 1_000);
  });

  it('others who ask the same at the same time get their answer', async () => {
    const left = new AbortController();
    const body = JSON.stringify({ query: QUERY });
    const leaving = fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      signal: left.signal,
    });
    const gone = expect(leaving).rejects.toThrow();
    const staying = post(`${gateway.url}/graphql`, QUERY);
    await locked.until(2 * STATEMENTS);
    left.abort();
    await gone;
    await locked.until(STATEMENTS, 1_000);
    await locked.release();
    expect(await staying).toEqual(ANSWER);
  });

  it('connections that were cancelled serve on', async () => {
    await locked.release();
    const answers = await Promise.all(Array.from({ length: 8 }, () => post(`${gateway.url}/graphql`, QUERY)));
    for (const answer of answers) expect(answer).toEqual(ANSWER);
  });

  it('a client that left is noted as such, and nothing as an error', async () => {
    logged.length = 0;
    const left = new AbortController();
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ query: QUERY });
    const leaving = fetch(`${gateway.url}/graphql`, { method: 'POST', headers, body, signal: left.signal });
    const gone = expect(leaving).rejects.toThrow();
    await locked.until(STATEMENTS);
    left.abort();
    await gone;
    await vi.waitFor(() => expect(logged.find(({ outcome }) => outcome)).toMatchObject({ outcome: 'aborted' }));
    expect(logged.filter(({ level }) => level >= 40)).toEqual([]);
  });
});
