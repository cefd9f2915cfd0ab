import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../../scripts/postgres.ts';
import { python, root } from '../../../scripts/stack.ts';
import { storageContract } from '../../../subgraphs/kit/storage/contract.ts';
import { openStorage } from '../../../subgraphs/kit/storage/open.ts';
import { Yarn } from '../../../subgraphs/pipeline/yarn.ts';
import { Instance, processesWith } from '../../support/instance.ts';
import { begin, succeeded, until } from '../../support/jobs.ts';

/** The main job on HDFS, YARN, MinIO, PostgreSQL and Chroma, from nothing to answers. The tests follow one story. */
const SHOP = { users: 1200, products: 80, days: 200, interactions: 60_000, seed: 11, endDate: '2026-11-20' };

let dir: string;
let instance: Instance;
let ports: Record<string, number>;
let yarn: Yarn;

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'hashira-services-'));
  instance = new Instance(path.join(dir, 'data'), await freePort(), { SUMMARY_BATCH_MINUTES: '0' }, [], 'services');
  await instance.says('ready:', 1_200_000);
  ({ ports } = instance);
  yarn = new Yarn(`http://127.0.0.1:${ports.YARN_WEB_PORT}`);
}, 1_260_000);
afterAll(async () => {
  await instance?.stop();
  await rm(dir, { recursive: true, force: true });
});

const applications = async (id: string) => yarn.list(`hashira-${id}`);

/** The same work in folders of this machine. @returns the version of the dataset */
async function locally(): Promise<string> {
  const env = { ...process.env, PYTHONPATH: path.join(root, 'ml'), SPARK_MASTER: 'local[2]' };
  const run = async (...args: string[]) => {
    const { stdout } = await promisify(execFile)(python(), args, { cwd: root, env, maxBuffer: 10_000_000 });
    return JSON.parse(/^@result (.*)$/m.exec(stdout)?.[1] ?? 'null');
  };
  const lake = path.join(dir, 'lake');
  const shop = Object.entries({ ...SHOP, 'end-date': SHOP.endDate }).filter(([name]) => name !== 'endDate');
  await run('spark/generate.py', '--lake', lake, ...shop.flatMap(([name, value]) => [`--${name}`, String(value)]));
  const { dataVersion } = await run('spark/prepare.py', '--lake', lake, '--store', path.join(dir, 'store'));
  return dataVersion;
}

describe('the services profile', () => {
  it('generates a shop into HDFS, as an application of YARN', async () => {
    const input = JSON.stringify(SHOP).replace(/"(\w+)":/g, '$1: ');
    const id = await begin(instance, `generateData(input: ${input})`);
    const job = await until(instance, id, succeeded);
    expect(await applications(id)).toMatchObject([{ state: 'FINISHED', finalStatus: 'SUCCEEDED' }]);
    const listing = await fetch(
      `http://127.0.0.1:${ports.HDFS_WEB_PORT}/webhdfs/v1/lake/raw/${job.result?.batch}?op=LISTSTATUS`,
    );
    const { FileStatuses } = (await listing.json()) as { FileStatuses: { FileStatus: { pathSuffix: string }[] } };
    expect(FileStatuses.FileStatus.map(({ pathSuffix }) => pathSuffix)).toEqual(
      expect.arrayContaining(['_SUCCESS', 'batch.json', 'events', 'products', 'sales', 'users']),
    );
  });

  it('prepares datasets into MinIO, goes on with the application when the worker dies, and makes what folders make', async () => {
    const id = await begin(instance, 'prepareDatasets');
    await until(instance, id, ({ stage }) => stage?.startsWith('check events') ?? false);
    const before = await applications(id);
    expect(before).toHaveLength(1);
    process.kill(await sparkWorker(), 'SIGKILL');
    const job = await until(instance, id, succeeded);
    expect(job.attempts).toBe(2);
    expect((await applications(id)).map((each) => each.id)).toEqual([before[0]?.id]);
    expect(job.logs.join('\n')).toContain(`goes on with ${before[0]?.id}`);
    expect(job.result?.dataVersion).toBe(await locally());
  });

  it('trains on it, promotes, and serves the models from MinIO', async () => {
    const id = await begin(instance, 'trainModels(input: { models: ["recommender", "forecaster"] })');
    const job = await until(instance, id, succeeded, 900);
    expect(job.result?.models).toMatchObject([{ name: 'recommender' }, { name: 'forecaster' }]);
    const query = '{ salesForecast(horizon: 7) { points { units } model { name version } } }';
    const forecast = async () => (await instance.ask<{ salesForecast: object }>(query, 'analyst')).data?.salesForecast;
    await expect.poll(forecast, { timeout: 60_000 }).toMatchObject({ model: { name: 'forecaster', version: 1 } });
    expect(await forecast()).toMatchObject({ points: Array(7).fill({ units: expect.any(Number) }) });
  });

  it('answers what the embedded profile answers: recommendations, search, the assistant', async () => {
    await until(instance, await begin(instance, 'indexCatalog'), succeeded);
    const recommended =
      '{ me { recommendations(first: 10) { edges { node { score product { name } } } model { name version } } } }';
    const { data, errors } = await instance.ask<{ me: { recommendations: { edges: unknown[] } } }>(
      recommended,
      'customer',
    );
    expect(errors).toBeUndefined();
    expect(data?.me.recommendations).toMatchObject({ model: { name: 'recommender', version: 1 } });
    expect(data?.me.recommendations.edges).toHaveLength(10);

    const visitor =
      '{ popular(first: 5) { rank product { name } } search(query: "katana", first: 3) { edges { node { name } } } }';
    const seen = await instance.ask<{ popular: unknown[]; search: { edges: unknown[] } }>(visitor);
    expect(seen.errors).toBeUndefined();
    expect(seen.data?.popular).toHaveLength(5);
    expect(seen.data?.search.edges).toHaveLength(3);

    const question = 'sendMessage(input: { clientMessageId: "1", text: "Which katana is the lightest?" })';
    const asked = await instance.ask<{ sendMessage: object }>(
      `mutation { ${question} { citations { product { name } } } }`,
    );
    expect(asked.errors).toBeUndefined();
    expect(asked.data?.sendMessage).toMatchObject({
      citations: expect.arrayContaining([{ product: { name: expect.any(String) } }]),
    });
  });

  it('a cancelled job ends its application', async () => {
    const id = await begin(instance, 'prepareDatasets');
    await expect.poll(() => applications(id), { timeout: 60_000 }).toMatchObject([{ state: 'RUNNING' }]);
    await begin(instance, `cancelJob(id: "${id}")`);
    await until(instance, id, ({ status }) => status === 'CANCELLED', 60);
    await expect.poll(() => applications(id), { timeout: 30_000 }).toMatchObject([{ state: 'KILLED' }]);
  });

  // Within the same instance: starting it takes longer than the tests.
  storageContract('HDFS', () => openStorage(`hdfs://127.0.0.1:${ports.HDFS_PORT}/contract`, instance.config));
  storageContract('MinIO', () => openStorage('s3://hashira/contract', instance.config));

  it('stops, and leaves nothing behind', async () => {
    expect(await instance.stop()).toBe(0);
    await expect.poll(() => processesWith(dir), { timeout: 20_000 }).toEqual([]);
  });
});

/** The process of the worker that submits to YARN, as it names itself in its log. */
async function sparkWorker(): Promise<number> {
  const log = await readFile(path.join(dir, 'data/logs/spark-worker.log'), 'utf8');
  return Number([...log.matchAll(/"worker":"[^":]*:(\d+):/g)].at(-1)?.[1]);
}
