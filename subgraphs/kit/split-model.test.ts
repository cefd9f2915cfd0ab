import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createLogger } from './log.ts';
import type { ModelVersion, Split } from './registry.ts';
import { isChallenged, SplitModel } from './split-model.ts';

const version = (number: number) =>
  ({ name: 'ranker', version: number, runId: `run${number}`, tags: {}, metrics: {} }) as unknown as ModelVersion;
const USERS = Array.from({ length: 4_000 }, (_, n) => `user-${n}`);

let cacheDir: string;
let production: number;
let split: Split | null;
let models: SplitModel<{ version: number; dispose(): void }>;
let disposed: number[];

const registry = {
  productionVersion: async () => version(production),
  split: async () => split,
  download: async (_name: string, number: number, dir: string) => {
    await mkdir(dir, { recursive: true });
    const files = { weights: createHash('sha256').update(`${number}`).digest('hex') };
    await writeFile(path.join(dir, 'hashira.json'), JSON.stringify({ files }));
    await writeFile(path.join(dir, 'weights'), `${number}`);
  },
};

beforeEach(async () => {
  cacheDir = await mkdtemp(path.join(tmpdir(), 'split-model-'));
  [production, split, disposed] = [1, null, []];
  models = new SplitModel({
    name: 'ranker',
    registry,
    cacheDir,
    load: async (_dir, { version }) => ({ version, dispose: () => void disposed.push(version) }),
    log: createLogger('test', 'silent'),
    pollMs: 10,
  });
  await models.start();
  await expect.poll(() => models.production.current()?.version.version).toBe(1);
});
afterEach(async () => {
  await models.stop();
  await rm(cacheDir, { recursive: true, force: true });
});

const answeredBy = (user: string) => models.answering(user).use(({ version }) => version);
const shareOf2 = async () => (await Promise.all(USERS.map(answeredBy))).filter((by) => by === 2).length / USERS.length;

test('without a split, production answers all', async () => {
  expect(await shareOf2()).toBe(0);
});

test('a challenger answers its share of the users, the same ones every time and when the share grows', async () => {
  split = { challenger: version(2), share: 0.2, against: 1 };
  await expect.poll(shareOf2).toBeGreaterThan(0);
  expect(await shareOf2()).toBeCloseTo(0.2, 1);
  const before = USERS.filter((user) => isChallenged(split as Split, user));
  const more = { ...split, share: 0.4 };
  expect(before.every((user) => isChallenged(more, user))).toBe(true);
  expect(
    before.filter((user) => isChallenged({ ...more, challenger: version(3) }, user)).length / before.length,
  ).toBeLessThan(0.5);
});

test('a split ends with what is promoted, and the challenger is let go', async () => {
  split = { challenger: version(2), share: 1, against: 1 };
  await expect.poll(shareOf2).toBe(1);
  production = 3;
  await expect.poll(() => models.production.current()?.version.version).toBe(3);
  // The registry has not been asked for the split again, or is a moment behind.
  expect(await answeredBy('user-1')).toBe(3);
  split = null;
  await expect.poll(() => disposed).toContain(2);
});
