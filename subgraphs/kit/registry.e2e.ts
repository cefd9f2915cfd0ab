import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MlflowServer } from '../../test/support/mlflow.ts';
import { createLogger } from './log.ts';
import { ProductionModel } from './production-model.ts';
import { createRegistry, type Registry } from './registry.ts';

// A real MLflow server, filled by the real register stage.

let dir: string;
let server: MlflowServer;
let registry: Registry;

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'registry-'));
  server = await MlflowServer.start();
  registry = createRegistry({ MLFLOW_TRACKING_URI: server.url });
  const bundle = (weights: string) => ({ 'model.onnx': weights, 'tables/items.json': '[]' });
  await server.register(0.25, bundle('first'));
  await server.register(0.3, bundle('second'));
  await server.register(0.15, bundle('worse than a baseline'));
}, 60_000);

afterAll(async () => {
  await server?.stop();
  await rm(dir, { recursive: true, force: true });
});

describe('the registry client', () => {
  test('lists versions with metrics, lineage and which one is in production', async () => {
    const versions = await registry.list('recommender');
    expect(versions.map(({ version, production }) => [version, production])).toEqual([
      [3, false],
      [2, true],
      [1, false],
    ]);
    expect(versions[1]).toMatchObject({
      name: 'recommender',
      dataVersion: 'aaaa',
      tags: { commit: 'c0ffee', gate: 'passed' },
    });
    expect(versions[1]?.metrics.ours).toEqual({ 'ndcg@10': 0.3 });
    expect(versions[1]?.createdAt.getTime()).toBeGreaterThan(Date.now() - 120_000);
    expect(await registry.list()).toEqual(versions);
    expect(await registry.version('recommender', 2)).toEqual(versions[1]);
    expect(await registry.productionVersion('recommender')).toEqual(versions[1]);
  });

  test('gives null for what does not exist, in the order asked', async () => {
    expect(await registry.version('recommender', 99)).toBeNull();
    expect(await registry.version("x' OR name = 'recommender", 1)).toBeNull();
    expect(await registry.productionVersion('nothing')).toBeNull();
    expect(await registry.productionVersion('forecaster')).toBeNull();
    expect(await registry.list('nothing')).toEqual([]);
    const many = await registry.getMany([
      { name: 'recommender', version: 3 },
      { name: 'nothing', version: 1 },
      { name: 'recommender', version: 1 },
    ]);
    expect(many.map((version) => version?.version ?? null)).toEqual([3, null, 1]);
  });

  test('promotes what passed the gate, and nothing else', async () => {
    await expect(registry.setProduction('recommender', 3)).rejects.toMatchObject({ code: 'GATE_NOT_PASSED' });
    await expect(registry.setProduction('recommender', 99)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect((await registry.productionVersion('recommender'))?.version).toBe(2);
    expect(await registry.setProduction('recommender', 1)).toMatchObject({ version: 1, production: true });
    expect((await registry.productionVersion('recommender'))?.version).toBe(1);
    await registry.setProduction('recommender', 2);
  });

  test('splits the traffic between production and another version, until something is promoted', async () => {
    expect(await registry.split('recommender')).toBeNull();
    expect(await registry.setSplit('recommender', 1, 0.25)).toMatchObject({ version: 1, production: false });
    expect(await registry.split('recommender')).toMatchObject({ challenger: { version: 1 }, share: 0.25, against: 2 });
    await registry.setSplit('recommender', 1, 0.5);
    expect(await registry.split('recommender')).toMatchObject({ share: 0.5 });
    await registry.setSplit('recommender', 1, 0);
    expect(await registry.split('recommender')).toBeNull();

    await registry.setSplit('recommender', 1, 0.5);
    await registry.setProduction('recommender', 1);
    expect(await registry.split('recommender')).toBeNull();
    await registry.setProduction('recommender', 2);
    // What ended does not come back with the version that was in production then.
    expect(await registry.split('recommender')).toBeNull();
  });

  test('refuses a split with what may not answer', async () => {
    await expect(registry.setSplit('recommender', 99, 0.5)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(registry.setSplit('recommender', 3, 0.5)).rejects.toMatchObject({ code: 'GATE_NOT_PASSED' });
    await expect(registry.setSplit('recommender', 2, 0.5)).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await registry.split('nothing')).toBeNull();
  });

  test('reads the model card, and null where there is no such text', async () => {
    expect(await registry.text('recommender', 2, 'MODEL_CARD.md')).toContain('| ours | 0.3000 |');
    expect(await registry.text('recommender', 2, 'none.md')).toBeNull();
    expect(await registry.text('recommender', 99, 'MODEL_CARD.md')).toBeNull();
    expect(await registry.text("x' OR name = 'recommender", 1, 'MODEL_CARD.md')).toBeNull();
  });

  test('downloads a bundle whole', async () => {
    const target = path.join(dir, 'downloads', 'two');
    await registry.download('recommender', 2, target);
    expect((await readdir(target, { recursive: true })).sort()).toEqual([
      'hashira.json',
      'model.onnx',
      'tables',
      'tables/items.json',
    ]);
    expect(await readFile(path.join(target, 'model.onnx'), 'utf8')).toBe('second');
    // A second download of the same version is not an error.
    await registry.download('recommender', 2, target);
    expect(await readdir(path.dirname(target))).toEqual(['two']);
    await expect(registry.download('recommender', 99, path.join(dir, 'downloads', 'none'))).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  test('leaves nothing behind when a stored file was changed', async () => {
    const { runId } = (await registry.version('recommender', 3)) ?? {};
    const artifacts = path.join(server.dir, 'mlflow', 'artifacts');
    const stored = (await readdir(artifacts, { recursive: true })).find(
      (file) => file.includes(runId as string) && file.endsWith('model.onnx'),
    );
    await writeFile(path.join(artifacts, stored as string), 'something else');
    const target = path.join(dir, 'tampered', 'three');
    await expect(registry.download('recommender', 3, target)).rejects.toMatchObject({ code: 'MODEL_NOT_READY' });
    expect(await readdir(path.dirname(target))).toEqual([]);
  });

  test('says that the registry is away without saying where it is, and lets go when the caller leaves', async () => {
    for (const away of [
      createRegistry({ MLFLOW_TRACKING_URI: 'http://127.0.0.1:9' }),
      createRegistry({ MLFLOW_TRACKING_URI: undefined }),
    ]) {
      const error = await away.list().catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
      expect(String(error)).not.toContain('127.0.0.1');
    }
    const left = new Error('the client left');
    await expect(registry.list(undefined, AbortSignal.abort(left))).rejects.toBe(left);
  });
});

test('a served model follows promotion and rollback, and survives the registry going away', async () => {
  const model = new ProductionModel({
    name: 'recommender',
    registry,
    cacheDir: path.join(dir, 'cache'),
    load: async (bundle) => ({ weights: await readFile(path.join(bundle, 'model.onnx'), 'utf8'), dispose() {} }),
    log: createLogger('test', 'silent'),
    pollMs: 100,
  });
  const weights = () => model.current()?.model.weights;
  await model.start();
  await expect.poll(weights, { timeout: 5000 }).toBe('second');
  await registry.setProduction('recommender', 1);
  await expect.poll(weights, { timeout: 5000 }).toBe('first');
  server.child.kill('SIGSTOP');
  await delay(300);
  expect(await model.use(({ weights }) => weights)).toBe('first');
  server.child.kill('SIGCONT');
  await registry.setProduction('recommender', 2);
  await expect.poll(weights, { timeout: 5000 }).toBe('second');
  await model.stop();
});
