import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildClientSchema, type GraphQLObjectType, getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { signDevelopmentToken } from '../../../gateway/development-key.ts';
import type { Scope } from '../../../subgraphs/kit/auth.ts';
import { GatewayProcess } from '../../support/gateway-process.ts';
import { QUERY, reviews, supergraph, swords } from './shop.ts';

interface Span {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
}

let dir: string;
let gateway: GatewayProcess;
let collector: Server;
const exported: string[] = [];

const spans = (): Span[] =>
  exported.flatMap((body) =>
    JSON.parse(body).resourceSpans.flatMap((resource: { scopeSpans: { spans: Span[] }[] }) =>
      resource.scopeSpans.flatMap((scope) => scope.spans),
    ),
  );

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'hashira-sight-'));
  await swords.start();
  await reviews.start();
  collector = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    exported.push(body);
    response.end('{}');
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  const file = path.join(dir, 'supergraph.graphql');
  await writeFile(file, supergraph('v0'));
  gateway = await GatewayProcess.start({
    SUPERGRAPH_FILE: file,
    HASHIRA_DATA: dir,
    SUBGRAPH_SECRET: 's'.repeat(32),
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
  });
});

afterAll(async () => {
  await gateway?.kill();
  await swords.stop();
  await reviews.stop();
  collector.closeAllConnections();
  await new Promise((resolve) => collector.close(resolve));
  await rm(dir, { recursive: true });
});

async function ask(query: string, headers: Record<string, string> = {}, variables = { id: '7' }) {
  const response = await fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query, variables }),
  });
  // biome-ignore lint/suspicious/noExplicitAny: the shape follows from the query text
  return { headers: response.headers, body: (await response.json()) as any };
}

const as = async (scope: Scope) => ({ authorization: `Bearer ${await signDevelopmentToken(dir, 'u-secret', scope)}` });

describe('an operator', () => {
  it('finds one request everywhere by its id and its trace', async () => {
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const { headers } = await ask(QUERY, { 'x-request-id': 'find-me', traceparent });
    expect(headers.get('x-request-id')).toBe('find-me');
    expect([swords.headers['x-request-id'], reviews.headers['x-request-id']]).toEqual(['find-me', 'find-me']);
    await vi.waitFor(() => expect(spans().map(({ name }) => name)).toContain('query Sword'), { timeout: 10_000 });
    const request = spans().find(({ name }) => name === 'query Sword') as Span;
    expect([request.traceId, request.parentSpanId]).toEqual(['a'.repeat(32), 'b'.repeat(16)]);
    for (const subgraph of [swords, reviews]) {
      const fetch = spans().find(({ name }) => name === `fetch ${subgraph.name}`) as Span;
      expect(fetch.parentSpanId).toBe(request.spanId);
      expect(subgraph.headers.traceparent).toBe(`00-${'a'.repeat(32)}-${fetch.spanId}-01`);
    }
  });

  it('sees what operations and subgraphs do', async () => {
    const series = 'hashira_request_duration_seconds_count{operation="Seen",kind="query",outcome="ok"}';
    const misses = await gateway.metric('hashira_cache_lookups_total{cache="operation",result="miss"}');
    for (let i = 0; i < 3; i++) await ask('query Seen { sword(id: "1") { name } }');
    expect(await gateway.metric(series)).toBe(3);
    expect((await gateway.metric('hashira_cache_lookups_total{cache="operation",result="miss"}')) - misses).toBe(1);
    expect(
      await gateway.metric('hashira_subgraph_fetch_duration_seconds_count{subgraph="swords",outcome="ok"}'),
    ).toBeGreaterThanOrEqual(3);
    await ask('query Bad { nonsense }');
    expect(await gateway.metric('hashira_refused_total{code="GRAPHQL_VALIDATION_FAILED"}')).toBe(1);
    expect(await gateway.metric('hashira_supergraph_loaded_timestamp_seconds')).toBeGreaterThan(1e9);
  });

  it('reads one line of each request that failed, and of nobody', async () => {
    await reviews.stop();
    await ask(QUERY, { 'x-request-id': 'failed-1', ...(await as('customer')) }, { id: 'p-secret-4711' });
    await reviews.start();
    await gateway.says(/"requestId":"failed-1","operation":"Sword"/, 5_000);
    const lines = gateway.output.split('\n').filter((line) => line.includes('failed-1') && line.includes('"outcome"'));
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      {
        operation: 'Sword',
        kind: 'query',
        outcome: 'partial',
        codes: ['SUBGRAPH_UNAVAILABLE'],
        cost: expect.any(Number),
      },
    ]);
    expect(gateway.output).not.toMatch(/p-secret|u-secret|Bearer|eyJ/);
    expect(gateway.output).not.toContain('"find-me"');
    expect(exported.join()).not.toMatch(/p-secret|u-secret|Bearer|eyJ/);
  });

  it('is shown plan and cost as an admin, and nobody else is', async () => {
    const wish = { 'x-hashira-explain': '1' };
    const { body } = await ask(QUERY, { ...wish, ...(await as('admin')) });
    expect(body.extensions.explain).toEqual({ cost: expect.any(Number), plan: expect.stringContaining('"reviews"') });
    expect((await ask(QUERY, { ...wish, ...(await as('customer')) })).body).not.toHaveProperty('extensions');
    expect((await ask(QUERY, wish)).body).not.toHaveProperty('extensions');
  });

  it('finds the schema in an explorer', async () => {
    const { body } = await ask(getIntrospectionQuery());
    const sword = buildClientSchema(body.data).getType('Sword') as GraphQLObjectType;
    expect(Object.keys(sword.getFields()).sort()).toEqual(['id', 'name', 'stars']);
  });

  it('gets the last spans when the process ends', async () => {
    await ask('query Last { sword(id: "1") { name } }');
    expect((await gateway.terminate()).code).toBe(0);
    expect(spans().map(({ name }) => name)).toContain('query Last');
  });
});
