import { describe, expect, it } from 'vitest';
import { GraphUnderTest } from '../../test/support/graph.ts';

const product = { __typename: 'Product', id: '1', name: 'Nichirin', stock: 4, cost: 9, margin: 3 };
const user = { __typename: 'User', id: 'u', name: 'Tanjiro', mail: 'a@b' };
const asked: string[] = [];

const graph = new GraphUnderTest({
  shop: [
    `type Query {
       product: Product products: [Product!]! strict: Product! me: User @authenticated any: Node nodes: [Node!]! report: Report
     }
     type Mutation { start(id: ID): Report! @requiresScopes(scopes: [["admin"]]) }
     interface Node { id: ID! name: String }
     type Product implements Node @key(fields: "id") {
       id: ID! name: String
       stock: Int @requiresScopes(scopes: [["admin"]])
       cost: Int! @requiresScopes(scopes: [["admin"], ["analyst", "support"]])
       margin: Int @authenticated @policy(policies: [["finance"]])
     }
     type User implements Node { id: ID! name: String @requiresScopes(scopes: [["support"]]) mail: String @authenticated }
     type Report @requiresScopes(scopes: [["analyst"]]) { units: Int }`,
    {
      Query: {
        product: () => product,
        products: () => [product, product],
        strict: () => product,
        me: () => user,
        any: () => user,
        nodes: () => [product, user],
        report: () => ({ units: 3 }),
      },
      Mutation: {
        start: () => {
          asked.push('start');
          return { units: 1 };
        },
      },
    },
  ],
  reviews: [
    `type Product @key(fields: "id") { id: ID! stars: Int secretStars: Int @authenticated }`,
    {
      Product: {
        __resolveReference: ({ id }: { id: string }) => {
          asked.push('reviews');
          return { id, stars: 5, secretStars: 1 };
        },
      },
    },
  ],
});

/** Runs a query as somebody with these scopes, null for a visitor. */
async function ask(query: string, scopes: string[] | null, variables = {}, policies?: string[]) {
  const { data, errors = [] } = await graph.ask(
    query,
    scopes && { subject: 'u', scopes, policies: policies ?? [] },
    variables,
  );
  return { data, errors: errors.map(({ extensions, path }) => `${extensions?.code} ${path?.join('.')}`) };
}

describe('access per field', () => {
  it('gives null with FORBIDDEN for a field whose scope is missing and leaves the rest intact', async () => {
    expect(await ask('{ product { id stock name } }', ['customer'])).toEqual({
      data: { product: { id: '1', stock: null, name: 'Nichirin' } },
      errors: ['FORBIDDEN product.stock'],
    });
    expect(await ask('{ product { stock } }', ['admin'])).toEqual({ data: { product: { stock: 4 } }, errors: [] });
  });

  it('tells a visitor to sign in', async () => {
    expect(await ask('{ me { id } product { name } }', null)).toEqual({
      data: { me: null, product: { name: 'Nichirin' } },
      errors: ['UNAUTHENTICATED me'],
    });
  });

  it('takes any alternative, each of which needs all of its scopes', async () => {
    expect((await ask('{ product { cost } }', ['analyst', 'support'])).data).toEqual({ product: { cost: 9 } });
    expect((await ask('{ product { cost } }', ['analyst'])).errors).toEqual(['FORBIDDEN product.cost']);
  });

  it('asks for the policies of the token beside its scopes', async () => {
    expect((await ask('{ product { margin } }', ['admin'])).errors).toEqual(['FORBIDDEN product.margin']);
    expect((await ask('{ product { margin } }', [], {}, ['finance'])).data).toEqual({ product: { margin: 3 } });
  });

  it('bubbles a null of a non-null field up to the nearest nullable parent', async () => {
    expect((await ask('{ product { id cost } }', [])).data).toEqual({ product: null });
    expect((await ask('{ strict { cost } product { id } }', [])).data).toBeNull();
    expect((await ask('{ products { cost } }', [])).data).toBeNull();
  });

  it('reports each item of a list at its own path', async () => {
    const { errors } = await ask('{ products { s: stock } }', []);
    expect(errors).toEqual(['FORBIDDEN products.0.s', 'FORBIDDEN products.1.s']);
  });

  it('decides by the type that comes back, not by the interface it comes as', async () => {
    expect(await ask('{ nodes { id name } }', null)).toEqual({
      data: {
        nodes: [
          { id: '1', name: 'Nichirin' },
          { id: 'u', name: null },
        ],
      },
      errors: ['UNAUTHENTICATED nodes.1.name'],
    });
  });

  it('sees through fragments, aliases and abstract types', async () => {
    const query = `query { nodes { ...N ... on Product { left: stock } } } fragment N on Node { id ... on User { mail } }`;
    expect(await ask(query, null)).toEqual({
      data: {
        nodes: [
          { id: '1', left: null },
          { id: 'u', mail: null },
        ],
      },
      errors: ['UNAUTHENTICATED nodes.0.left', 'UNAUTHENTICATED nodes.1.mail'],
    });
  });

  it('holds the rule of a type for every field that returns it', async () => {
    expect((await ask('{ report { units } }', ['admin'])).errors).toEqual(['FORBIDDEN report']);
    expect((await ask('{ report { units } }', ['analyst'])).data).toEqual({ report: { units: 3 } });
  });

  it('never runs a mutation that is denied', async () => {
    expect((await ask('mutation { start { units } }', ['analyst'])).errors).toEqual(['FORBIDDEN start']);
    expect(asked).toEqual([]);
  });

  it('asks no subgraph for a field that is denied', async () => {
    expect((await ask('{ product { secretStars } }', null)).errors).toEqual(['UNAUTHENTICATED product.secretStars']);
    expect(asked).toEqual([]);
    expect((await ask('{ product { secretStars } }', [])).data).toEqual({ product: { secretStars: 1 } });
  });

  it('does not complain of a field that is skipped', async () => {
    const query = 'query($no: Boolean!) { product { id stock @include(if: $no) } }';
    expect(await ask(query, [], { no: false })).toEqual({ data: { product: { id: '1' } }, errors: [] });
  });
});
