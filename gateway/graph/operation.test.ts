import { describe, expect, it } from 'vitest';
import { GraphUnderTest } from '../../test/support/graph.ts';

const asked: Record<string, unknown>[][] = [];
const names: Record<string, string> = { a: 'Akaza', b: 'Benizakura', c: 'Crow' };
const price = (currency?: string) => (currency === 'EUR' ? 2 : currency === 'USD' ? 3 : 5);

/** A shop whose parts need what others know, with arguments. */
const graph = new GraphUnderTest({
  catalog: [
    `type Query { products: [Product!]! same: [Product] first: Product wrong: [Broken!] }
     type Product @key(fields: "id") { id: ID! name: String price(currency: String): Float }
     type Broken { must: String! }`,
    {
      Query: {
        products: () => ['a', 'b', 'c'].map((id) => ({ id, name: names[id] })),
        same: () => [{ id: 'a' }, null, { id: 'a' }, { id: 'gone' }],
        first: () => ({ id: 'a', name: names.a }),
        wrong: () => [{ must: 'x' }],
      },
      Product: {
        __resolveReference: ({ id }: { id: string }) => ({ id, name: names[id] }),
        price: (_: unknown, { currency }: { currency?: string }) => price(currency),
      },
    },
  ],
  shipping: [
    `type Product @key(fields: "id") {
       id: ID!
       price(currency: String): Float @external
       cost: Float @requires(fields: "price(currency: \\"USD\\")")
       costInEuro: Float @requires(fields: "price(currency: \\"EUR\\")")
       costPlain: Float @requires(fields: "price")
       days: Int!
     }`,
    {
      Product: {
        __resolveReference: (reference: Record<string, unknown>) => reference,
        cost: ({ price }: { price: number }) => price * 100,
        costInEuro: ({ price }: { price: number }) => price * 100,
        costPlain: ({ price }: { price: number }) => price * 100,
        days: ({ id }: { id: string }) => (id === 'c' ? Promise.reject(new Error('no days')) : 1),
      },
    },
  ],
  reviews: [
    `type Product @key(fields: "id") { id: ID! stars: Int best: Int! }`,
    {
      Product: {
        __resolveReference: (reference: Record<string, unknown>) => {
          asked.at(-1)?.push(reference);
          if (reference.id === 'gone') return null;
          return { ...reference, stars: 5, best: 1 };
        },
      },
    },
  ],
});

const errorsOf = ({ errors = [] }: Awaited<ReturnType<GraphUnderTest['ask']>>) =>
  errors.map(({ path, extensions }) => `${extensions?.code} ${path?.join('.')}`);

describe('an operation', () => {
  it('keeps what one field requires, what another requires and what the client asks apart', async () => {
    const query = '{ first { yen: price cost costInEuro costPlain price(currency: "USD") } }';
    expect(await graph.ask(query)).toEqual({
      data: { first: { yen: 5, cost: 300, costInEuro: 200, costPlain: 500, price: 3 } },
    });
  });

  it('finds an entity by its key though the client gives that name to another field', async () => {
    expect(await graph.ask('{ first { id: name name: id stars __typename: name } }')).toEqual({
      data: { first: { id: 'Akaza', name: 'a', stars: 5, __typename: 'Akaza' } },
    });
  });

  it('gives the answer under whatever name the client chose', async () => {
    const { data } = await graph.ask('{ first { __proto__: name constructor: stars } }');
    expect(JSON.stringify(data)).toBe('{"first":{"__proto__":"Akaza","constructor":5}}');
  });

  it('asks a subgraph once for an entity that is in many places', async () => {
    asked.push([]);
    expect((await graph.ask('{ same { id stars } }')).data).toEqual({
      same: [{ id: 'a', stars: 5 }, null, { id: 'a', stars: 5 }, { id: 'gone', stars: null }],
    });
    expect(asked.at(-1)?.map(({ id }) => id)).toEqual(['a', 'gone']);
  });

  it('reports an error at the path of the client, by the client’s names', async () => {
    const answer = await graph.ask('{ products { id: name days } }');
    expect(answer.data).toBeNull();
    expect(errorsOf(answer)).toEqual(['INTERNAL_SERVER_ERROR products.2.days']);
  });

  it('says where null came to be that must not be, when no subgraph did', async () => {
    const answer = await graph.ask('{ same { id best } }');
    expect(answer.data).toEqual({ same: [{ id: 'a', best: 1 }, null, { id: 'a', best: 1 }, null] });
    expect(errorsOf(answer)).toEqual(['INTERNAL_SERVER_ERROR same.3.best']);
  });

  it('leaves out what is skipped, on every level, and fetches nothing for it', async () => {
    asked.push([]);
    const query =
      'query ($no: Boolean = false) { first @include(if: true) { id stars @include(if: $no) ... @skip(if: true) { name } } }';
    expect(await graph.ask(query)).toEqual({ data: { first: { id: 'a' } } });
    expect(asked.at(-1)).toEqual([]);
  });

  it('answers introspection beside data, with variables and fragments', async () => {
    const query = `query ($type: String!) { __typename t: __type(name: $type) { ...T } first { id } }
      fragment T on __Type { name fields { name } }`;
    const { data } = (await graph.ask(query, null, { type: 'Product' })) as { data: never };
    expect(data).toMatchObject({ __typename: 'Query', t: { name: 'Product' }, first: { id: 'a' } });
    const fields = (data as { t: { fields: { name: string }[] } }).t.fields.map(({ name }) => name);
    expect(fields.sort()).toEqual(['best', 'cost', 'costInEuro', 'costPlain', 'days', 'id', 'name', 'price', 'stars']);
  });
});
