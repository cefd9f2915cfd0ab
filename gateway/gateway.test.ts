import { mkdtemp, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { composeServices } from '@apollo/composition';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { parse } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../subgraphs/kit/config.ts';
import { Database } from '../subgraphs/kit/database.ts';
import { HashiraError } from '../subgraphs/kit/errors.ts';
import { createLogger } from '../subgraphs/kit/log.ts';
import type { Subgraph } from '../subgraphs/kit/subgraph.ts';
import { signDevelopmentToken } from './development-key.ts';
import { type Gateway, startGateway } from './gateway.ts';

const LINK =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@requiresScopes"])';

/** A subgraph from SDL and resolvers, counting the contexts made for it. */
function subgraph(name: string, sdl: string, resolvers: object): Subgraph & { contexts: number; typeDefs: string } {
  const typeDefs = `${LINK}\n${sdl}`;
  return {
    name,
    typeDefs,
    contexts: 0,
    schema: async () => ({
      sdl: typeDefs,
      schema: buildSubgraphSchema({ typeDefs: parse(typeDefs), resolvers: resolvers as never }),
    }),
    migrations: '',
    async start() {
      return {
        context: (request) => {
          this.contexts++;
          return request;
        },
      };
    },
  };
}

const swords = subgraph(
  'swords',
  `type Query { sword(id: ID!): Sword whoami: String boom: String busy: String cancellable: Boolean }
   type Mutation { cancellable: Boolean }
   type Sword @key(fields: "id") { id: ID! name: String secret: String @requiresScopes(scopes: [["admin"]]) }`,
  {
    Query: {
      sword: (_: unknown, { id }: { id: string }) => ({ id, name: `Sword ${id}`, secret: 'ore' }),
      whoami: (_: unknown, __: unknown, { identity }: { identity: { subject: string } | null }) => identity?.subject,
      cancellable: (_: unknown, __: unknown, { signal }: { signal?: AbortSignal }) => signal instanceof AbortSignal,
      boom: () => {
        throw new Error('password=hunter2 at /srv/app');
      },
      busy: () => {
        throw new HashiraError('MODEL_NOT_READY', 'Not yet.');
      },
    },
    Mutation: { cancellable: (_: unknown, __: unknown, { signal }: { signal?: AbortSignal }) => signal !== undefined },
    Sword: { __resolveReference: ({ id }: { id: string }) => ({ id, name: `Sword ${id}`, secret: 'ore' }) },
  },
);
const reviews = subgraph('reviews', `type Query { best: Sword } type Sword @key(fields: "id") { id: ID! stars: Int }`, {
  Query: { best: () => ({ id: '7' }) },
  Sword: { __resolveReference: ({ id }: { id: string }) => ({ id }), stars: () => 5 },
});

let gateway: Gateway;
let dataDir: string;
const database = new Database('postgres://nobody@127.0.0.1:1/none');

beforeAll(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'hashira-gateway-'));
  const services = [swords, reviews].map(({ name, typeDefs }) => ({
    name,
    url: `local://${name}`,
    typeDefs: parse(typeDefs),
  }));
  const { supergraphSdl, errors } = composeServices(services);
  if (!supergraphSdl) throw new Error(String(errors));
  const file = path.join(dataDir, 'supergraph.graphql');
  await writeFile(file, supergraphSdl);
  const config = loadConfig({
    WEB_DIR: 'nowhere',
    HASHIRA_DATA: dataDir,
    PORT: '0',
  });
  const log = createLogger('test', 'silent');
  gateway = await startGateway(
    [swords, reviews],
    { config, database, log, registry: {} as never },
    pathToFileURL(file),
  );
});

afterAll(async () => {
  await gateway?.stop();
  await database.close();
});

async function post(body: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

describe('queries', () => {
  it('are answered across subgraphs, each subgraph seeing one context per request', async () => {
    const before = swords.contexts;
    const query = '{ best { name stars } sword(id: "1") { name stars } }';
    expect((await post({ query })).body).toEqual({
      data: { best: { name: 'Sword 7', stars: 5 }, sword: { name: 'Sword 1', stars: 5 } },
    });
    expect(swords.contexts - before).toBe(1);
  });

  it('know who asks', async () => {
    const token = await signDevelopmentToken(dataDir, 'u-9', 'customer');
    expect((await post({ query: '{ whoami }' }, { authorization: `Bearer ${token}` })).body.data).toEqual({
      whoami: 'u-9',
    });
    expect((await post({ query: '{ whoami }' })).body.data).toEqual({ whoami: null });
  });

  it('get the same plan right for askers with different rights, in any order', async () => {
    const admin = { authorization: `Bearer ${await signDevelopmentToken(dataDir, 'a', 'admin')}` };
    const query = '{ best { secret stars } }';
    for (const headers of [{}, admin, {}, admin]) {
      const { body } = await post({ query }, headers as Record<string, string>);
      const secret = headers === admin ? 'ore' : null;
      expect(body.data).toEqual({ best: { secret, stars: 5 } });
      if (headers !== admin) {
        expect(body.errors).toEqual([
          { message: expect.any(String), path: ['best', 'secret'], extensions: { code: 'UNAUTHENTICATED' } },
        ]);
      }
    }
  });

  it('end when their client leaves, but a mutation that has begun is done', async () => {
    expect((await post({ query: '{ cancellable }' })).body).toEqual({ data: { cancellable: true } });
    expect((await post({ query: 'mutation { cancellable }' })).body).toEqual({ data: { cancellable: false } });
  });

  it('carry the request id back', async () => {
    expect((await post({ query: '{ whoami }' }, { 'x-request-id': 'abc-1' })).headers.get('x-request-id')).toBe(
      'abc-1',
    );
    expect((await post({ query: '{ whoami }' }, { 'x-request-id': 'a b' })).headers.get('x-request-id')).toMatch(
      /^[\w-]{36}$/,
    );
  });
});

describe('errors', () => {
  it('of ours keep code, message and path', async () => {
    const { body } = await post({ query: '{ busy sword(id: "1") { name } }' });
    expect(body.data).toEqual({ busy: null, sword: { name: 'Sword 1' } });
    expect(body.errors).toMatchObject([
      { message: 'Not yet.', path: ['busy'], extensions: { code: 'MODEL_NOT_READY' } },
    ]);
  });

  it('that nobody expected show nothing of the inside', async () => {
    const { body } = await post({ query: '{ boom }' });
    expect(JSON.stringify(body)).not.toMatch(/hunter2|srv|stack|swords/);
    expect(body.errors[0].extensions).toEqual({ code: 'INTERNAL_SERVER_ERROR' });
  });

  it('of the request have a status and a code', async () => {
    const cases: [unknown, Record<string, string>, number, string][] = [
      ['{', {}, 400, 'BAD_REQUEST'],
      [{ query: '{ nonsense }' }, {}, 200, 'GRAPHQL_VALIDATION_FAILED'],
      [{ query: '{ nonsense }' }, { accept: 'application/graphql-response+json' }, 400, 'GRAPHQL_VALIDATION_FAILED'],
      [{ query: '{' }, {}, 200, 'GRAPHQL_PARSE_FAILED'],
      [{ query: `{ whoami } #${'x'.repeat(1_100_000)}` }, {}, 413, 'BODY_TOO_LARGE'],
      [{ query: '{ whoami }' }, { authorization: 'Bearer x.y.z' }, 401, 'UNAUTHENTICATED'],
      [[{ query: '{ whoami }' }], {}, 400, 'BAD_REQUEST'],
    ];
    for (const [body, headers, status, code] of cases) {
      const answer = await post(body, headers);
      expect([answer.status, answer.body.errors[0].extensions.code]).toEqual([status, code]);
    }
  });

  it('include a cross-site form post', async () => {
    const form = { 'content-type': 'text/plain' };
    expect((await post('{"query":"{ whoami }"}', form)).status).toBeGreaterThanOrEqual(400);
  });
});

describe('other addresses', () => {
  const get = (where: string, headers = {}) =>
    fetch(gateway.url + where, { headers: { accept: 'text/html', ...headers } });

  it('live while the database is away, but not ready', async () => {
    expect((await get('/health/live')).status).toBe(200);
    const ready = await get('/health/ready');
    expect([ready.status, await ready.json()]).toEqual([
      503,
      { status: 'unavailable', parts: { database: 'unavailable' } },
    ]);
  });

  it('show the explorers, and cost little a second time', async () => {
    expect(await (await get('/graphql')).text()).toMatch(/sandbox/i);
    const graphiql = await get('/graphiql');
    expect(await graphiql.text()).toContain('graphiql');
    expect((await get('/graphiql', { 'if-none-match': graphiql.headers.get('etag') })).status).toBe(304);
    expect(await (await get('/')).text()).toContain('href="/graphiql"');
  });

  it('outlive a request target that is no URL', async () => {
    const status = await new Promise((resolve, reject) => {
      const { port } = new URL(gateway.url);
      request({ host: '127.0.0.1', port, path: '//', method: 'GET' }, (response) =>
        resolve(response.resume().statusCode),
      )
        .once('error', reject)
        .end();
    });
    expect(status).toBe(404);
  });
});
