import { spawn } from 'node:child_process';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { signDevelopmentToken } from '../../../gateway/development-key.ts';
import { type Gateway, startGateway } from '../../../gateway/gateway.ts';
import { freePort } from '../../../scripts/postgres.ts';
import { subgraphs } from '../../../subgraphs/index.ts';
import { IDENTITY_HEADER, signIdentity } from '../../../subgraphs/kit/auth.ts';
import { loadConfig } from '../../../subgraphs/kit/config.ts';
import type { Database } from '../../../subgraphs/kit/database.ts';
import { createLogger } from '../../../subgraphs/kit/log.ts';
import { createRegistry } from '../../../subgraphs/kit/registry.ts';
import { createDatabase } from '../../support/database.ts';
import { post, root } from '../../support/instance.ts';

/** The same graph with the catalog and the pipeline as processes of their own, reached by URL. */
const SUBGRAPH_SECRET = 's'.repeat(32);
const log = createLogger('test', 'silent');

let database: Database;
let catalog: Standalone;
let pipeline: Standalone;
let catalogUrl: string;
let dataDir: string;

interface Standalone {
  url: string;
  /** Sends SIGTERM. @returns the exit code, and after how many ms */
  stop(): Promise<{ code: number | null; ms: number }>;
}

async function start(name: string): Promise<Standalone> {
  const port = await freePort();
  const child = spawn(process.execPath, ['--import', 'tsx', `subgraphs/${name}/index.ts`], {
    cwd: root,
    env: { ...process.env, ...settings(), PORT: String(port) },
    stdio: 'ignore',
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const origin = `http://127.0.0.1:${port}`;
  const up = () => fetch(`${origin}/health/live`).then(Boolean, () => false);
  for (let tries = 0; !(await up()); tries++) {
    if (tries === 200) throw new Error(`The subgraph ${name} did not come up within 20 s.`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    url: `${origin}/graphql`,
    stop: async () => {
      const began = performance.now();
      child.kill('SIGTERM');
      return { code: await ended, ms: performance.now() - began };
    },
  };
}

beforeAll(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'hashira-remote-'));
  database = await createDatabase(...subgraphs.map(({ name }) => name));
  [catalog, pipeline] = await Promise.all([start('catalog'), start('pipeline')]);
  catalogUrl = catalog.url;
});

afterAll(async () => {
  await Promise.all([catalog.stop(), pipeline.stop()]);
  await database.close();
});

const settings = () => ({
  DATABASE_URL: database.url,
  MLFLOW_TRACKING_URI: 'http://127.0.0.1:1',
  HASHIRA_DATA: dataDir,
  SUBGRAPH_SECRET,
  LOG_LEVEL: 'silent',
});

async function withGateway(
  env: Record<string, string>,
  supergraphSdl: string,
  work: (gateway: Gateway) => Promise<void>,
): Promise<void> {
  const file = path.join(dataDir, 'supergraph.graphql');
  await writeFile(file, supergraphSdl);
  const config = loadConfig({ ...settings(), PORT: '0', ...env });
  const services = { config, database, log, registry: createRegistry(config) };
  const gateway = await startGateway(subgraphs, services, pathToFileURL(file));
  try {
    await work(gateway);
  } finally {
    await gateway.stop();
  }
}

/** A query that starts in the remote catalog as somebody, and goes on in a subgraph of the gateway's process. */
async function crossesTheBorder({ url }: Gateway): Promise<void> {
  const token = await signDevelopmentToken(dataDir, 'u-1', 'customer');
  const query = '{ me { id name recommendations(first: 1) { model { name } } } categories { id } }';
  expect(await post(`${url}/graphql`, query, { token })).toEqual({
    data: { me: { id: 'u-1', name: expect.any(String), recommendations: { model: null } }, categories: [] },
  });
}

const committed = () => readFile(path.join(root, 'schema/supergraph.graphql'), 'utf8');

describe('a subgraph reached by URL', () => {
  it('is part of the graph when the environment names its URL', async () => {
    await withGateway({ CATALOG_URL: catalogUrl }, await committed(), crossesTheBorder);
  });

  it('is part of the graph when supergraph.yaml names its URL', async () => {
    const sdl = (await committed()).replace('local://catalog', catalogUrl);
    expect(sdl).toContain(catalogUrl);
    await withGateway({}, sdl, crossesTheBorder);
  });

  it('keeps its coded errors on the way', async () => {
    await withGateway({ CATALOG_URL: catalogUrl }, await committed(), async ({ url }) => {
      const { errors } = await post(`${url}/graphql`, '{ products(first: 0) { totalCount } }');
      expect(errors?.map(({ extensions, path: at }) => [extensions, at])).toEqual([
        [{ code: 'BAD_USER_INPUT', argument: 'first' }, ['products']],
      ]);
    });
  });

  it('costs only its own fields when it is away', async () => {
    await withGateway({ CATALOG_URL: 'http://127.0.0.1:1/' }, await committed(), async ({ url }) => {
      const token = await signDevelopmentToken(dataDir, 'a', 'admin');
      const { data, errors } = await post(`${url}/graphql`, '{ me { name } jobs { edges { cursor } } }', { token });
      expect(data).toEqual({ me: null, jobs: { edges: [] } });
      expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['SUBGRAPH_UNAVAILABLE']);
    });
  });

  it('refuses whoever is not its gateway, whatever they claim to be', async () => {
    const ask = async (identity?: string) => {
      const headers: Record<string, string> = { 'content-type': 'application/json' };
      if (identity) headers[IDENTITY_HEADER] = identity;
      const response = await fetch(catalogUrl, { method: 'POST', headers, body: '{"query":"{ categories { id } }"}' });
      return (await response.json()) as { data?: unknown; errors?: { extensions: { code: string } }[] };
    };
    const admin = { subject: 'x', scopes: ['admin'] };
    const forged = [
      undefined,
      JSON.stringify(admin),
      await signIdentity(admin, 'catalog', 'f'.repeat(32)),
      await signIdentity(admin, 'pipeline', SUBGRAPH_SECRET),
    ];
    for (const identity of forged) {
      expect((await ask(identity)).errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
    }
    expect((await ask(await signIdentity(null, 'catalog', SUBGRAPH_SECRET))).data).toEqual({ categories: [] });
  });
});

describe('a subscription to a subgraph reached by URL', () => {
  const JOB = 'subscription($job: ID!) { jobProgress(id: $job) { id status requestedBy { id } } }';

  it('streams from the other process, and goes on in the rest of the graph', async () => {
    await withGateway({ PIPELINE_URL: pipeline.url }, await committed(), async ({ url }) => {
      const token = await signDevelopmentToken(dataDir, 'a', 'admin');
      const ask = (query: string) => post<Record<string, { id: string }>>(`${url}/graphql`, query, { token });
      const id = (await ask('mutation { prepareDatasets { id } }')).data?.prepareDatasets?.id;
      const client = subscriber(url, token);
      const statuses: unknown[] = [];
      for await (const { data, errors } of client.iterate<{ jobProgress: { status: string } }>({
        query: JOB,
        variables: { job: id },
      })) {
        expect(errors).toBeUndefined();
        expect(data).toMatchObject({ jobProgress: { id, requestedBy: { id: 'a' } } });
        if (statuses.push(data?.jobProgress.status) === 1) await ask(`mutation { cancelJob(id: "${id}") { id } }`);
      }
      expect([statuses[0], statuses.at(-1)]).toEqual(['QUEUED', 'CANCELLED']);
      await client.dispose();
    });
  });

  it('ends in the other process when its client is cut off', async () => {
    const watching = async () => {
      const [row] = await database.query<{ n: number }>(
        `SELECT count(*)::int AS n FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'pipeline_job-listener'`,
      );
      return row?.n;
    };
    await withGateway({ PIPELINE_URL: pipeline.url }, await committed(), async ({ url }) => {
      const token = await signDevelopmentToken(dataDir, 'a', 'admin');
      const { data } = await post<Record<string, { id: string }>>(`${url}/graphql`, 'mutation { trainModels { id } }', {
        token,
      });
      const client = subscriber(url, token);
      await client.iterate({ query: JOB, variables: { job: data?.trainModels?.id } }).next();
      await vi.waitFor(async () => expect(await watching()).toBe(1));
      client.terminate();
      await vi.waitFor(async () => expect(await watching()).toBe(0), { timeout: 5_000 });
    });
  });
});

it('a subgraph on its own ends within seconds when told to, whoever listens', async () => {
  await withGateway({ PIPELINE_URL: pipeline.url }, await committed(), async ({ url }) => {
    const token = await signDevelopmentToken(dataDir, 'a', 'admin');
    const { data } = await post<Record<string, { id: string }>>(
      `${url}/graphql`,
      'mutation { prepareDatasets { id } }',
      { token },
    );
    const client = subscriber(url, token);
    const query = 'subscription($id: ID!) { jobProgress(id: $id) { id } }';
    const events = client.iterate({ query, variables: { id: data?.prepareDatasets?.id } });
    await events.next();
    const { code, ms } = await pipeline.stop();
    expect([code, ms < 8_000]).toEqual([0, true]);
    await client.dispose();
  });
});

function subscriber(url: string, token: string) {
  return createClient({
    url: `${url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${token}` },
    retryAttempts: 0,
  });
}
