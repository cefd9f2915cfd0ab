import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';
import { type Client, createClient } from 'graphql-ws';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { signDevelopmentToken } from '../../../gateway/development-key.ts';
import { type Gateway, startGateway } from '../../../gateway/gateway.ts';
import { loadConfig } from '../../../subgraphs/kit/config.ts';
import type { Database } from '../../../subgraphs/kit/database.ts';
import { createLogger } from '../../../subgraphs/kit/log.ts';
import { createRegistry } from '../../../subgraphs/kit/registry.ts';
import { pipeline } from '../../../subgraphs/pipeline/index.ts';
import { JobKind, JobStatus } from '../../../subgraphs/pipeline/jobs.ts';
import * as store from '../../../subgraphs/pipeline/store.ts';
import { createDatabase } from '../../support/database.ts';

let dataDir: string;
let database: Database;
let gateway: Gateway;
const sockets: Client[] = [];

beforeAll(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'hashira-job-progress-'));
  database = await createDatabase('pipeline');
  const typeDefs = parse((await pipeline.schema()).sdl);
  const { supergraphSdl } = composeServices([{ name: 'pipeline', url: 'local://pipeline', typeDefs }]);
  const supergraph = path.join(dataDir, 'supergraph.graphql');
  await writeFile(supergraph, supergraphSdl as string);
  const config = loadConfig({ HASHIRA_DATA: dataDir, PORT: '0', LOG_LEVEL: 'silent' });
  const log = createLogger('test', 'silent');
  gateway = await startGateway([pipeline], { config, log, database, registry: createRegistry(config) }, supergraph);
});
beforeEach(() => database.query('DELETE FROM pipeline.jobs'));
afterAll(async () => {
  await Promise.all(sockets.map((socket) => socket.dispose()));
  await gateway.stop();
  await database.close();
  await rm(dataDir, { recursive: true });
});

const PROGRESS = gql`subscription($id: ID!) { jobProgress(id: $id) { id status progress logs } }`;

/** Apollo Client over WebSocket or over HTTP. */
async function client(transport: 'websocket' | 'http', scope: 'admin' | 'customer') {
  const authorization = `Bearer ${await signDevelopmentToken(dataDir, 'ada', scope)}`;
  const uri = `${gateway.url}/graphql`;
  const cache = new InMemoryCache();
  if (transport === 'http') return new ApolloClient({ cache, link: new HttpLink({ uri, headers: { authorization } }) });
  const socket = createClient({
    url: uri.replace('http', 'ws'),
    webSocketImpl: WebSocket,
    connectionParams: { authorization },
  });
  sockets.push(socket);
  return new ApolloClient({ cache, link: new GraphQLWsLink(socket) });
}

interface Progress {
  status: string;
  progress: number;
  logs: string[];
}

/** Watches a job until the stream ends. */
async function watch(transport: 'websocket' | 'http', id: string, scope: 'admin' | 'customer' = 'admin') {
  const seen: Progress[] = [];
  const apollo = await client(transport, scope);
  const ended = new Promise<void>((complete, error) => {
    apollo.subscribe<{ jobProgress: Progress }>({ query: PROGRESS, variables: { id } }).subscribe({
      next: (result) => (result.error ? error(result.error) : seen.push(result.data?.jobProgress as Progress)),
      complete,
      error,
    });
  });
  ended.catch(() => {});
  return { seen, ended };
}

async function running() {
  const kind = JobKind.PREPARE_DATASETS;
  const { id } = await store.insertJob(database, { id: randomUUID(), kind, input: {}, requestedBy: null });
  const claim = await store.claimJob(database, id, 'w1', 2);
  if (claim.decision !== 'run') throw new Error(claim.decision);
  return { id, run: claim.run };
}
const listening = async () => {
  const rows = await database.query(
    "SELECT 1 FROM pg_stat_activity WHERE application_name = 'pipeline_job-listener' AND datname = current_database()",
  );
  return rows.length;
};

test('Apollo Client watches a job to its end, over WebSocket and HTTP', async () => {
  const { id, run } = await running();
  const watched = [await watch('websocket', id), await watch('http', id)];
  for (const { seen } of watched)
    await vi.waitFor(() => expect(seen).toMatchObject([{ status: 'RUNNING', progress: 0 }]));
  await vi.waitFor(async () => expect(await listening()).toBe(1));
  await store.reportRun(database, id, run, { progress: 0.5, stage: 'cleaning', lines: ['half'] });
  for (const { seen } of watched) {
    await vi.waitFor(() => expect(seen.at(-1)).toMatchObject({ progress: 0.5, logs: ['half'] }));
  }
  await store.finishJob(database, id, run, { status: JobStatus.SUCCEEDED, result: {} });
  for (const { seen, ended } of watched) {
    await ended;
    expect(seen.at(-1)).toMatchObject({ status: 'SUCCEEDED', progress: 1 });
  }
  await vi.waitFor(async () => expect(await listening()).toBe(0));
});

test('a late watcher sees at once how far the job is', async () => {
  const { id, run } = await running();
  const early = await watch('websocket', id);
  await store.reportRun(database, id, run, { progress: 0.25, stage: 'cleaning', lines: [] });
  await vi.waitFor(() => expect(early.seen.at(-1)).toMatchObject({ progress: 0.25 }));
  await vi.waitFor(async () => expect(await listening()).toBe(1));
  await sleep(300);
  const before = database.statements;
  const late = await watch('http', id);
  await vi.waitFor(() => expect(late.seen).toMatchObject([{ progress: 0.25 }]));
  // They share what the gateway has of the subgraph.
  expect(database.statements).toBe(before);
  await store.finishJob(database, id, run, { status: JobStatus.SUCCEEDED, result: {} });
  await Promise.all([early.ended, late.ended]);
});

test.each(['websocket', 'http'] as const)(
  'only an admin watches jobs, and none that is not there (%s)',
  async (transport) => {
    const { id } = await running();
    const denied = await watch(transport, id, 'customer');
    await expect(denied.ended).rejects.toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN' } }] });
    const none = await watch(transport, randomUUID());
    await expect(none.ended).rejects.toMatchObject({ errors: [{ extensions: { code: 'NOT_FOUND' } }] });
  },
);
