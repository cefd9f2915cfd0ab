import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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

/** The same graph with the catalog as a process of its own, reached by URL. */
const SUBGRAPH_SECRET = 's'.repeat(32);
const log = createLogger('test', 'silent');

let database: Database;
let catalog: ChildProcess;
let catalogUrl: string;
let dataDir: string;

beforeAll(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'hashira-remote-'));
  database = await createDatabase(...subgraphs.map(({ name }) => name));
  const port = await freePort();
  catalogUrl = `http://127.0.0.1:${port}/graphql`;
  const env = { ...process.env, ...settings(), PORT: String(port) };
  catalog = spawn(process.execPath, ['--import', 'tsx', 'subgraphs/catalog/index.ts'], {
    cwd: root,
    env,
    stdio: 'ignore',
  });
  const up = () => fetch(catalogUrl).then(Boolean, () => false);
  for (let tries = 0; !(await up()); tries++) {
    if (tries === 200) throw new Error('The catalog did not come up within 20 s.');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
});

afterAll(async () => {
  const ended = new Promise((resolve) => catalog.once('exit', resolve));
  catalog.kill('SIGTERM');
  await ended;
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
