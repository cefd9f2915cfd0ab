import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GatewayProcess } from '../../support/gateway-process.ts';
import { reviews, supergraph, swords } from '../lifecycle/shop.ts';

let dir: string;
let file: string;
let gateway: GatewayProcess;

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'hashira-protection-'));
  file = path.join(dir, 'supergraph.graphql');
  await swords.start();
  await reviews.start();
  await writeFile(file, supergraph('v0'));
  gateway = await start({});
});

afterAll(async () => {
  await gateway?.kill();
  await swords.stop();
  await reviews.stop();
  await rm(dir, { recursive: true });
});

const start = (env: Record<string, string>) =>
  GatewayProcess.start({ SUPERGRAPH_FILE: file, HASHIRA_DATA: dir, SUBGRAPH_SECRET: 's'.repeat(32), ...env });

async function send(body: string, headers: Record<string, string> = {}, url = gateway.url) {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json', ...headers },
    body,
  });
  const { data, errors } = (await response.json()) as { data?: unknown; errors?: { extensions: { code: string } }[] };
  return { status: response.status, data, code: errors?.[0]?.extensions.code, headers: response.headers };
}

const query = (text: string, more: object = {}) => JSON.stringify({ query: text, ...more });
const well = async () => expect((await send(query('{ __typename }'))).data).toEqual({ __typename: 'Query' });
const many = (count: number, make: (index: number) => string) =>
  Array.from({ length: count }, (_, i) => make(i)).join(' ');

describe('what a stranger can send', () => {
  const tooLarge: [what: string, text: string][] = [
    ['20,000 aliases', `{ ${many(20_000, (i) => `a${i}: v0`)} }`],
    ['a few hundred aliases', `{ ${many(300, (i) => `a${i}: v0`)} }`],
    ['a depth of 50', `{ ${'__schema { types { fields { type { '.repeat(12)} name ${'} } } } '.repeat(12)} }`],
    [
      'fragments that double twenty times',
      `{ ...F0 } ${many(20, (i) => `fragment F${i} on Query { ...F${i + 1} ...F${i + 1} }`)} fragment F20 on Query { v0 }`,
    ],
    ['a thousand directives', `{ v0 ${'@skip(if: false) '.repeat(1000)} }`],
  ];
  for (const [what, text] of tooLarge) {
    it(`is refused as too large: ${what}`, async () => {
      expect(await send(query(text))).toMatchObject({ status: 400, data: undefined, code: 'QUERY_TOO_LARGE' });
      await well();
    });
  }

  it('is not read beyond the largest body: 10 MB', async () => {
    expect(await send(query(`{ v0 } #${'x'.repeat(10_000_000)}`))).toMatchObject({
      status: 413,
      code: 'BODY_TOO_LARGE',
    });
    await well();
  });

  it('costs a refusal each: 10,000 malformed documents, while others are answered', async () => {
    const broken = [
      '{',
      '{ a(',
      'query ($a: ) { v0 }',
      '{ v0 } }',
      '"""',
      '{ nothing }',
      'fragment F on Query { ...F } { ...F }',
      '\u0000',
    ];
    let next = 0;
    const codes = new Map<string, number>();
    const worker = async () => {
      while (next < 10_000) {
        const { code = 'none' } = await send(query(`${broken[next % broken.length]} # ${next++}`));
        codes.set(code, (codes.get(code) ?? 0) + 1);
      }
    };
    const healthy = (async () => {
      for (let i = 0; i < 20; i++) await well();
    })();
    await Promise.all([...Array.from({ length: 16 }, worker), healthy]);
    expect([...codes.keys()].sort()).toEqual(['GRAPHQL_PARSE_FAILED', 'GRAPHQL_VALIDATION_FAILED']);
    expect([...codes.values()].reduce((a, b) => a + b)).toBeGreaterThanOrEqual(10_000);
  });

  it('is no list of requests, no form and no other site’s page', async () => {
    expect((await send(`[${query('{ v0 }')}]`)).code).toBe('BAD_REQUEST');
    expect((await send('query={v0}', { 'content-type': 'application/x-www-form-urlencoded' })).status).toBe(415);
    const crossSite = { 'content-type': 'text/plain', 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' };
    expect((await send(query('{ v0 }'), crossSite)).code).toBe('CSRF_BLOCKED');
  });
});

describe('the configured door', () => {
  it('tells who asks too often when to come back', async () => {
    const strict = await start({ RATE_LIMIT_ADDRESS_PER_MINUTE: '5' });
    try {
      const answers = [];
      for (let i = 0; i < 7; i++) answers.push(await send(query('{ __typename }'), {}, strict.url));
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 429, 429]);
      expect(answers[5]?.code).toBe('RATE_LIMITED');
      expect(Number(answers[5]?.headers.get('retry-after'))).toBeGreaterThan(0);
    } finally {
      await strict.kill();
    }
  });

  it('runs nothing but trusted documents, and shows no schema and no explorer, when told so', async () => {
    const closed = await start({ TRUSTED_DOCUMENTS: 'only', PRODUCTION: 'on' });
    try {
      expect((await send(query('{ __typename }'), {}, closed.url)).code).toBe('DOCUMENT_NOT_TRUSTED');
      expect((await fetch(`${closed.url}/graphiql`)).status).toBe(404);
    } finally {
      await closed.kill();
    }
    const production = await start({ PRODUCTION: 'on' });
    try {
      expect((await send(query('{ __schema { types { name } } }'), {}, production.url)).code).toBe(
        'GRAPHQL_VALIDATION_FAILED',
      );
    } finally {
      await production.kill();
    }
  });

  it('learns a query by its hash', async () => {
    const { createHash } = await import('node:crypto');
    const text = '{ __typename again: __typename }';
    const extensions = { persistedQuery: { version: 1, sha256Hash: createHash('sha256').update(text).digest('hex') } };
    expect((await send(JSON.stringify({ extensions }))).code).toBe('PERSISTED_QUERY_NOT_FOUND');
    expect((await send(query(text, { extensions }))).data).toBeDefined();
    expect((await send(JSON.stringify({ extensions }))).data).toEqual({ __typename: 'Query', again: 'Query' });
  });
});
