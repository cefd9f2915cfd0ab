import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadConfig } from '../subgraphs/kit/config.ts';
import type { Database } from '../subgraphs/kit/database.ts';
import { openLake } from '../subgraphs/kit/storage/open.ts';
import { createDatabase } from '../test/support/database.ts';
import { firstRun } from './first-run.ts';

let database: Database;
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'hashira-first-run-'));
  database = await createDatabase('pipeline');
});
afterAll(async () => {
  await database?.close();
  await rm(dir, { recursive: true, force: true });
});

const titles = async (env: NodeJS.ProcessEnv) =>
  (await firstRun(loadConfig({ HASHIRA_DATA: dir, ...env }), database)).map(({ title }) => title);

it('generates a shop where there is no complete batch yet', async () => {
  const lake = openLake(loadConfig({ HASHIRA_DATA: dir }));
  await lake.write('raw/generated-1/events/part-0.parquet', 'half');
  expect((await titles({}))[0]).toBe('Generate a shop');
  await lake.write('raw/generated-1/_SUCCESS', '');
  expect((await titles({}))[0]).toBe('Prepare datasets');
});

it("generates nothing into an operator's own lake", async () => {
  expect(await titles({ LAKE_URI: 'hdfs://127.0.0.1:9/lake', WEBHDFS_URL: 'http://127.0.0.1:9' })).toEqual([]);
  expect(await titles({ LAKE_URI: 's3://shop/lake', S3_ENDPOINT: 'http://127.0.0.1:9' })).toEqual([]);
});
