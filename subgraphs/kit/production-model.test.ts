import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HashiraError } from './errors.ts';
import { createLogger } from './log.ts';
import { ProductionModel } from './production-model.ts';
import type { ModelVersion } from './registry.ts';

/** A registry in memory: what is in production, and the bytes of every version. */
class MemoryRegistry {
  production: ModelVersion | null = null;
  down = false;
  downloads = 0;
  /** What a download does to the bytes on their way. */
  damage: (bytes: string) => string = (bytes) => bytes;

  promote(version: number, runId = `run${version}`): void {
    this.production = {
      name: 'ranker',
      version,
      runId,
      dataVersion: 'aaaa',
      createdAt: new Date(0),
      production: true,
      metrics: { ours: { 'ndcg@10': 0.3 } },
      tags: {},
    };
  }

  async productionVersion(): Promise<ModelVersion | null> {
    if (this.down) throw new HashiraError('REGISTRY_UNAVAILABLE', 'The model registry does not answer.');
    return this.production;
  }

  async download(_name: string, _version: number, dir: string): Promise<void> {
    this.downloads++;
    const bytes = `weights of ${this.production?.runId}`;
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    await mkdir(dir, { recursive: true });
    await writeFile(path.join(dir, 'hashira.json'), JSON.stringify({ files: { 'model.onnx': sha256 } }));
    await writeFile(path.join(dir, 'model.onnx'), this.damage(bytes));
  }
}

class Model {
  disposed = false;
  constructor(readonly bytes: string) {}
  dispose(): void {
    this.disposed = true;
  }
}

let cacheDir: string;
let registry: MemoryRegistry;
let started: ProductionModel<Model>[];

beforeEach(async () => {
  cacheDir = await mkdtemp(path.join(tmpdir(), 'production-model-'));
  registry = new MemoryRegistry();
  started = [];
});

afterEach(async () => {
  await Promise.all(started.map((model) => model.stop()));
  await rm(cacheDir, { recursive: true, force: true });
});

/** By default it polls so rarely that only `refresh` looks at the alias. */
async function start(load?: (dir: string) => Promise<Model>, pollMs = 3_600_000): Promise<ProductionModel<Model>> {
  const model = new ProductionModel<Model>({
    name: 'ranker',
    registry,
    cacheDir,
    load: load ?? (async (dir) => new Model(await readFile(path.join(dir, 'model.onnx'), 'utf8'))),
    log: createLogger('test', 'silent'),
    pollMs,
  });
  started.push(model);
  await model.start();
  return model;
}

const served = (model: ProductionModel<Model>): number | undefined => model.current()?.version.version;

test('serves nothing, with a coded error, until a version is in production', async () => {
  const model = await start();
  await model.refresh();
  expect(model.current()).toBeNull();
  await expect(model.use(() => 1)).rejects.toMatchObject({ code: 'MODEL_NOT_READY' });
});

test('follows the alias forward and back by itself', async () => {
  registry.promote(1);
  const model = await start(undefined, 5);
  await expect.poll(() => served(model)).toBe(1);
  registry.promote(2);
  await expect.poll(() => served(model)).toBe(2);
  registry.promote(1);
  await expect.poll(() => served(model)).toBe(1);
  expect(registry.downloads).toBe(2);
});

test('lets the uses of the old model end before it is disposed, while new uses get the new one', async () => {
  registry.promote(1);
  const model = await start();
  await model.refresh();
  const old = model.current()?.model as Model;
  const gate = Promise.withResolvers<void>();
  const slow = model.use(async (used) => {
    await gate.promise;
    return used.disposed;
  });
  registry.promote(2);
  await model.refresh();
  expect(await model.use((used) => used.bytes)).toBe('weights of run2');
  expect(old.disposed).toBe(false);
  gate.resolve();
  expect(await slow).toBe(false);
  await delay(0);
  expect(old.disposed).toBe(true);
});

test('disposes the old model also when its last use throws', async () => {
  registry.promote(1);
  const model = await start();
  await model.refresh();
  const old = model.current()?.model as Model;
  const gate = Promise.withResolvers<void>();
  const failing = model.use(() => gate.promise);
  registry.promote(2);
  await model.refresh();
  gate.reject(new Error('bad row'));
  await expect(failing).rejects.toThrow('bad row');
  await expect.poll(() => old.disposed).toBe(true);
});

test('keeps the old model when the new one does not load, and tries again later', async () => {
  let loadable = false;
  registry.promote(1);
  const model = await start(async (dir) => {
    const bytes = await readFile(path.join(dir, 'model.onnx'), 'utf8');
    if (bytes.endsWith('2') && !loadable) throw new Error('unsupported opset');
    return new Model(bytes);
  });
  await model.refresh();
  registry.promote(2);
  await model.refresh();
  expect(served(model)).toBe(1);
  expect(await model.use((used) => used.disposed)).toBe(false);
  loadable = true;
  await model.refresh();
  expect(served(model)).toBe(2);
});

test('never serves a download that does not have its hash', async () => {
  registry.promote(1);
  const model = await start();
  await model.refresh();
  registry.damage = (bytes) => bytes.slice(1);
  registry.promote(2);
  await model.refresh();
  expect(served(model)).toBe(1);
  registry.damage = (bytes) => bytes;
  await model.refresh();
  expect(served(model)).toBe(2);
});

test('does not download a failing version at every look at the alias', async () => {
  registry.damage = () => 'damaged';
  registry.promote(1);
  await start(undefined, 20);
  await delay(500);
  // Tries after about 0, 40, 120, 280 ms; without waiting longer each time there would be 25.
  expect(registry.downloads).toBeGreaterThan(1);
  expect(registry.downloads).toBeLessThan(8);
});

test('serves the cached version at once after a restart, without the registry', async () => {
  registry.promote(1);
  const first = await start();
  await first.refresh();
  await first.stop();
  registry.down = true;
  const second = await start();
  expect(second.current()?.version).toEqual(registry.production);
  await second.refresh();
  expect(served(second)).toBe(1);
});

test('does not serve a cached version that was damaged on disk, and downloads it again', async () => {
  registry.promote(1);
  const first = await start();
  await first.refresh();
  await first.stop();
  const [dir] = (await readdir(path.join(cacheDir, 'ranker'))).filter((entry) => entry.startsWith('1-'));
  await writeFile(path.join(cacheDir, 'ranker', dir as string, 'model.onnx'), 'half a fi');
  registry.down = true;
  const second = await start();
  expect(second.current()).toBeNull();
  registry.down = false;
  await second.refresh();
  expect(await second.use((model) => model.bytes)).toBe('weights of run1');
});

test('tells the same version number of another registry apart', async () => {
  registry.promote(1);
  const model = await start();
  await model.refresh();
  registry.promote(1, 'another');
  await model.refresh();
  expect(await model.use((used) => used.bytes)).toBe('weights of another');
});

test('keeps at most three versions on disk', async () => {
  const model = await start();
  for (const version of [1, 2, 3, 4, 5]) {
    registry.promote(version);
    await model.refresh();
    await delay(5);
  }
  const kept = (await readdir(path.join(cacheDir, 'ranker'))).sort();
  expect(kept).toEqual(['3-run3', '4-run4', '5-run5', 'current.json']);
});

test('keeps serving when nothing is in production any more', async () => {
  registry.promote(1);
  const model = await start();
  await model.refresh();
  registry.production = null;
  await model.refresh();
  expect(served(model)).toBe(1);
});

test('disposes the model when stopped, after the last use', async () => {
  registry.promote(1);
  const model = await start();
  await model.refresh();
  const loaded = model.current()?.model as Model;
  const gate = Promise.withResolvers<void>();
  const use = model.use(() => gate.promise);
  const stopped = model.stop();
  await delay(5);
  expect(loaded.disposed).toBe(false);
  gate.resolve();
  await Promise.all([use, stopped]);
  expect(loaded.disposed).toBe(true);
  expect(model.current()).toBeNull();
});
