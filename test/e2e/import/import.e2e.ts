import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../../scripts/postgres.ts';
import { python } from '../../../scripts/stack.ts';
import { Instance, processesWith, root } from '../../support/instance.ts';

/** A shop's own files, from `npm run import` to answers by models made of them. The tests follow one story. */
const SHOP = '--users 1500 --products 120 --days 200 --interactions 120000 --seed 7'.split(' ');

let dir: string;
let dataDir: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'hashira-import-'));
  dataDir = path.join(dir, 'data');
  await mkdir(dataDir);
  const lake = path.join(dir, 'generated');
  const env = { ...process.env, PYTHONPATH: path.join(root, 'ml') };
  const run = (...args: string[]) => promisify(execFile)(python(), args, { cwd: root, env, maxBuffer: 10_000_000 });
  await run('spark/generate.py', '--lake', lake, ...SHOP);
  await run('test/support/shop_files.py', lake, dir);
});
afterAll(() => rm(dir, { recursive: true, force: true }));

function runImport(...args: string[]): { child: ChildProcess; output: () => string; ended: Promise<number | null> } {
  const child = spawn(process.execPath, ['scripts/bootstrap.mjs', 'import', ...args], {
    cwd: root,
    env: { ...process.env, HASHIRA_DATA: dataDir },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk;
    });
  }
  return { child, output: () => output, ended: new Promise((resolve) => child.once('exit', resolve)) };
}

const file = (name: string) => path.join(dir, name);
const own = () => [
  '--events',
  file('events.csv'),
  '--column',
  'events.product_id=articleNo',
  '--sales',
  file('sales.csv'),
];

describe('npm run import', () => {
  it('says of a file that it cannot use what it found and what it needs, and leaves nothing behind', async () => {
    await writeFile(file('wrong.csv'), 'colour,size\nred,3\n');
    const { output, ended } = runImport('--events', file('wrong.csv'));
    expect(await ended).toBe(1);
    expect(output()).toMatch(/wrong\.csv lacks a column for user_id and product_id; found: colour, size/);
    expect(output()).not.toContain(dir);
    expect(await readdir(path.join(dataDir, 'lake/raw')).catch(() => [])).toEqual([]);
  });

  it('reports bad rows with their number, and ends all that it started when it is told to stop', async () => {
    const { child, output, ended } = runImport(...own());
    await expect.poll(output, { timeout: 60_000 }).toContain('check events');
    expect(output()).toContain('events.csv row 2: no product');
    child.kill('SIGTERM');
    expect(await ended).toBe(1);
    await expect.poll(() => processesWith(dataDir), { timeout: 5_000 }).toEqual([]);
  });

  it('goes on when called again, and runs the same jobs to models in production', async () => {
    const { output, ended } = runImport(...own());
    expect(await ended, output()).toBe(0);
    expect(output()).toMatch(
      /product_id = articleNo, user_id = Customer ID|user_id = Customer ID, product_id = articleNo/,
    );
    expect(output()).toContain('were imported before');
    expect(output()).toContain('recommender version 1 is in production');
    expect(output()).toContain('forecaster version 1 is in production');
    expect(await processesWith(dataDir)).toEqual([]);
  });
});

describe('the instance that serves it', () => {
  let shop: Instance;
  beforeAll(async () => {
    shop = new Instance(dataDir, await freePort());
    await shop.says('ready: ', 60_000);
  });
  afterAll(() => shop.stop());

  it('recommends by the model from the first request on, and not just what is popular', async () => {
    interface Answer {
      me: { recommendations: { edges: { node: { product: { id: string } } }[]; model: { name: string } } };
      popular: { product: { id: string } }[];
    }
    const query = `{ me { recommendations(first: 5) { edges { node { product { id } } } model { name } } }
      popular(first: 5) { product { id } } }`;
    const { data } = await shop.ask<Answer>(query, 'customer');
    expect(data?.me.recommendations.model).toEqual({ name: 'recommender' });
    const personal = data?.me.recommendations.edges.map(({ node }) => node.product.id);
    expect(personal).toHaveLength(5);
    expect(personal).not.toEqual(data?.popular.map(({ product }) => product.id));
  });

  it('forecasts from the ledger', async () => {
    const query = '{ salesForecast { granularity points { units } model { name } } }';
    const { data } = await shop.ask<{ salesForecast: { points: unknown[] } }>(query, 'analyst');
    expect(data?.salesForecast).toMatchObject({ granularity: 'DAY', model: { name: 'forecaster' } });
    expect(data?.salesForecast.points).toHaveLength(28);
  });

  it('does not generate a shop beside it', async () => {
    await shop.says('Time of each stage:', 10_000);
    expect(shop.output).not.toContain('Generate a shop');
  });
});
