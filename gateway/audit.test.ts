import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { serverAudits } from 'graphql-http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../subgraphs/kit/config.ts';
import { createLogger } from '../subgraphs/kit/log.ts';
import { schemaOf, supergraphOf } from '../test/support/graph.ts';
import { type Gateway, startGateway } from './gateway.ts';

let gateway: Gateway;
const parts = ['type Query { hello(name: String): String }', { Query: { hello: () => 'there' } }] as const;

beforeAll(async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'hashira-audit-'));
  const file = path.join(folder, 'supergraph.graphql');
  await writeFile(file, supergraphOf({ hello: parts }));
  const config = loadConfig({ HASHIRA_DATA: folder, PORT: '0' });
  const subgraph = {
    name: 'hello',
    schema: async () => ({ schema: schemaOf(parts), sdl: '' }),
    migrations: '',
    start: async () => ({ context: () => ({}) }),
  };
  const services = { config, log: createLogger('test', 'silent'), database: {} as never, registry: {} as never };
  gateway = await startGateway([subgraph], services, file);
});

afterAll(() => gateway?.stop());

describe('GraphQL over HTTP', () => {
  it('passes every audit of the specification, without a warning', async () => {
    const results = await Promise.all(serverAudits({ url: () => `${gateway.url}/graphql` }).map((audit) => audit.fn()));
    expect(results.length).toBeGreaterThan(50);
    const failed = results.filter(({ status }) => status === 'error' || status === 'warn');
    expect(failed.map(({ name, ...rest }) => `${name}: ${'reason' in rest ? rest.reason : ''}`)).toEqual([]);
  });
});
