import path from 'node:path';
import { expect, it } from 'vitest';
import { loadConfig } from './config.ts';

it('fills in defaults, with absolute paths below the data folder', () => {
  const config = loadConfig({ HASHIRA_DATA: 'x', PORT: '4100' });
  expect(config.PORT).toBe(4100);
  expect(config.LAKE_URI).toBe(path.resolve('x/lake'));
  expect(config.STORE_URI).toBe(path.resolve('x/store'));
});

it('takes an empty variable as not set', () => {
  expect(loadConfig({ DATABASE_URL: '', PORT: '' }).PORT).toBe(4000);
});

it('reports all problems at once and no value', () => {
  const wrong = { PORT: 'four', DATABASE_URL: 'mysql://root:hunter2@db', SUBGRAPH_SECRET: 'short' };
  expect(() => loadConfig(wrong)).toThrow(
    /PORT[\s\S]*DATABASE_URL[\s\S]*SUBGRAPH_SECRET|DATABASE_URL[\s\S]*SUBGRAPH_SECRET/,
  );
  expect(() => loadConfig(wrong)).not.toThrow(/hunter2|short/);
});
