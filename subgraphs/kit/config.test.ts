import path from 'node:path';
import { expect, it } from 'vitest';
import { loadConfig, settings } from './config.ts';

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

it('needs no setting to protect the door', () => {
  expect(loadConfig({})).toMatchObject({
    PRODUCTION: 'off',
    INTROSPECTION: 'auto',
    MAX_BODY_BYTES: 1_000_000,
    MAX_TOKENS: 10_000,
    MAX_DEPTH: 20,
    MAX_COST: 10_000,
    TRUSTED_DOCUMENTS: 'off',
    RATE_LIMIT_PER_MINUTE: 6_000,
    TRUST_PROXY: 0,
    CORS_ORIGINS: '',
    METRICS: 'on',
  });
});

it.each(['shop.example', 'https://shop.example/', 'https://shop.example/path', 'https://a.example;https://b.example'])(
  'takes %j for no origin',
  (CORS_ORIGINS) => {
    expect(() => loadConfig({ CORS_ORIGINS })).toThrow(/CORS_ORIGINS/);
  },
);

it('says of every setting what it means', () => {
  for (const [name, setting] of Object.entries(settings)) expect(setting.description, name).toMatch(/^.{10,}[.:]/);
});
