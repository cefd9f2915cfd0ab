import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLogger } from '../../subgraphs/kit/log.ts';
import { supergraphOf } from '../../test/support/graph.ts';
import { Graph } from '../graph/graph.ts';
import { PreparedOperations } from '../graph/prepared.ts';
import { RemoteSource } from '../sources/remote.ts';

const log = createLogger('test', 'silent');
const limits = { tokens: 10_000, depth: 20, aliases: 100, rootFields: 20 };
const QUERY = '{ product { name stars tags } }';
const PRODUCT = { data: { product: { __typename: 'Product', id: '1', name: 'Sword' } } };
const STARS = { data: { _entities: [{ __typename: 'Product', stars: 3 }] } };

/** What each subgraph answers; a text as it is. */
const answers: Record<string, unknown> = {};
let server: Server;
let operations: PreparedOperations;
let sources: Map<string, RemoteSource>;

beforeAll(async () => {
  server = createServer((request, response) => {
    const answer = answers[request.url?.slice(1) ?? ''];
    request.resume().once('end', () => {
      response.setHeader('content-type', 'application/json');
      response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = (name: string) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/${name}`;
  const sdl = supergraphOf(
    {
      shop: ['type Query { product: Product other: Int } type Product @key(fields: "id") { id: ID! name: String }', {}],
      reviews: ['type Product @key(fields: "id") { id: ID! stars: Int tags: [String!] }', {}],
    },
    url,
  );
  const breaker = { inARow: Number.MAX_SAFE_INTEGER, ratio: 2 };
  sources = new Map(['shop', 'reviews'].map((name) => [name, new RemoteSource({ name, url: url(name), breaker })]));
  const graph = new Graph(sdl, { sources, log });
  operations = new PreparedOperations(graph, { limits, introspection: true, defaultListSize: 10 });
});

afterAll(async () => {
  for (const source of sources.values()) await source.stop();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function ask(shop: unknown, reviews: unknown = STARS, query = QUERY) {
  Object.assign(answers, { shop, reviews });
  const { operation } = operations.prepare(query, undefined);
  const result = await operation.execute({}, { identity: null, requestId: 'r', log, subgraphContexts: new Map() });
  return JSON.parse(JSON.stringify(result));
}

describe('a subgraph that answers nonsense', () => {
  const unusable: Record<string, unknown> = {
    'a text cut off': '{"data":{"product":{"id":',
    nothing: '',
    null: 'null',
    'what is no JSON': '{"data":{"product":{"id":NaN}}}',
    'errors that are no list': { data: null, errors: {} },
    'errors that are none': { data: null, errors: ['boom', null] },
  };
  for (const [what, answer] of Object.entries(unusable)) {
    it(`costs its own fields: ${what}`, async () => {
      const { data, errors } = await ask(answer);
      expect(data).toEqual({ product: null });
      expect(errors).toMatchObject([{ extensions: { code: 'SUBGRAPH_UNAVAILABLE' } }]);
      expect((await ask(PRODUCT, answer)).data).toEqual({ product: { name: 'Sword', stars: null, tags: null } });
    });
  }

  it('gives each entity its own fields or none', async () => {
    for (const _entities of [[], [{ stars: 1 }, { stars: 2 }], {}, 'a', null]) {
      const { data, errors } = await ask(PRODUCT, { data: { _entities } });
      expect(data).toEqual({ product: { name: 'Sword', stars: null, tags: null } });
      expect(errors).toMatchObject([{ path: ['product'], extensions: { code: 'SUBGRAPH_UNAVAILABLE' } }]);
    }
    for (const _entities of [['abc'], [5], [[1]], [null]]) {
      expect((await ask(PRODUCT, { data: { _entities } })).data.product.stars).toBeNull();
    }
  });

  it('gives null where it should have given an object of another kind', async () => {
    const others = [
      'abc',
      7,
      [1, [2]],
      { __typename: 'Nothing', id: '1' },
      { __typename: 'Query', id: '1' },
      { __typename: {} },
    ];
    for (const product of others) expect((await ask({ data: { product } })).data).toEqual({ product: null });
    for (const data of [[], 'abc', 5]) expect((await ask({ data })).data).toEqual({ product: null });
  });

  it('changes no object but its answer', async () => {
    const { data } = await ask(
      '{"data":{"__proto__":{"owned":1},"product":{"__typename":"Product","id":"1","name":"Sword","__proto__":{"owned":1}}}}',
      '{"data":{"_entities":[{"stars":3,"__proto__":{"owned":1}}]}}',
    );
    expect(data).toEqual({ product: { name: 'Sword', stars: 3, tags: null } });
    expect(({} as { owned?: number }).owned).toBeUndefined();
  });

  it('has errors of the one shape that errors have, whatever it sends', async () => {
    const { errors } = await ask({
      data: null,
      errors: [
        { message: 5, path: 'abc', extensions: 'text' },
        { path: [{ a: 1 }, null] },
        { message: 'no such column "secret"', path: ['product'] },
        { message: 'Away.', path: ['product'], extensions: { code: 'AWAY' } },
      ],
    });
    const hidden = {
      message: 'Something went wrong on our side. It has been logged.',
      extensions: { code: 'INTERNAL_SERVER_ERROR' },
    };
    const away = { message: 'Away.', path: ['product'], extensions: { code: 'AWAY' } };
    expect(errors).toEqual([hidden, hidden, { ...hidden, path: ['product'] }, away]);
    const { data } = await ask(PRODUCT, { data: null, errors: [{ message: 'x', path: 'abc' }, { path: 5 }] });
    expect(data.product.name).toBe('Sword');
  });

  it('does not show where in its code it failed', async () => {
    const extensions = { code: 'ODD', stacktrace: ['at app.js:1'], exception: { sql: 'SELECT' } };
    const { errors } = await ask({
      data: { product: null },
      errors: [{ message: 'x', path: ['product'], extensions }],
    });
    expect(errors).toEqual([{ message: 'x', path: ['product'], extensions: { code: 'ODD' } }]);
  });
});

it('gives null under an alias by a name that every object has', async () => {
  const query = '{ toString: other constructor: other valueOf: other product { hasOwnProperty: name } }';
  const own = { __typename: 'Product', id: '1', hasOwnProperty__as: 'Sword' };
  const { data } = await ask({ data: { product: own } }, STARS, query);
  expect(JSON.stringify(data)).toBe(
    '{"toString":null,"constructor":null,"valueOf":null,"product":{"hasOwnProperty":"Sword"}}',
  );
});
