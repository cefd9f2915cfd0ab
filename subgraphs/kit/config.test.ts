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

it('takes a folder, HDFS or S3 for the lake and the store, and folders as absolute paths', () => {
  const given = {
    LAKE_URI: 'hdfs://namenode:8020/lake',
    WEBHDFS_URL: 'http://namenode:9870',
    STORE_URI: 's3://shop/store',
  };
  expect(loadConfig(given)).toMatchObject({ ...given, S3_REGION: 'us-east-1', S3_PATH_STYLE: 'auto' });
  expect(loadConfig({ LAKE_URI: 'file:///my%20lake', STORE_URI: 'store' })).toMatchObject({
    LAKE_URI: '/my lake',
    STORE_URI: path.resolve('store'),
  });
});

it('reports what an address lacks together with all else', () => {
  const wrong = { LAKE_URI: 'hdfs://namenode:8020/lake', STORE_URI: 'ftp://key:hunter2@host/store', PORT: 'four' };
  expect(() => loadConfig(wrong)).toThrow(
    /PORT[\s\S]*STORE_URI: must be a folder, .*s3:\/\/[\s\S]*WEBHDFS_URL: is required for the HDFS of LAKE_URI/,
  );
  expect(() => loadConfig(wrong)).not.toThrow(/hunter2/);
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
