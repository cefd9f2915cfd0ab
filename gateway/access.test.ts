import { buildSchema, execute, getOperationAST, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { AccessControl } from './access.ts';
import { separateAccessRules } from './supergraph.ts';

const SDL = `
  directive @authenticated on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
  directive @requiresScopes(scopes: [[requiresScopes__Scope!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
  directive @link(url: String, for: String) repeatable on SCHEMA
  scalar requiresScopes__Scope
  schema @link(url: "https://specs.apollo.dev/requiresScopes/v0.1", for: "SECURITY") @link(url: "x") { query: Query mutation: Mutation }
  type Query { product: Product products: [Product!]! strict: Product! me: User @authenticated any: Node report: Report nodes: [Node!]! }
  type Mutation { start(id: ID): Report! @requiresScopes(scopes: [["admin"]]) }
  interface Node { id: ID! }
  type Product implements Node { id: ID! name: String stock: Int @requiresScopes(scopes: [["admin"]]) cost: Int! @requiresScopes(scopes: [["admin"], ["analyst", "support"]]) }
  type User implements Node { id: ID! mail: String @authenticated }
  type Report @requiresScopes(scopes: [["analyst"]]) { units: Int }
`;
const { supergraphSdl, rules } = separateAccessRules(SDL);
const schema = buildSchema(supergraphSdl);
const access = new AccessControl(schema, rules);

const product = { __typename: 'Product', id: '1', name: 'Nichirin', stock: 4, cost: 9 };
const user = { __typename: 'User', id: 'u', mail: 'a@b' };
const asked: string[] = [];
const rootValue = {
  product: () => product,
  products: () => [product, product],
  strict: () => product,
  me: () => user,
  any: () => user,
  nodes: () => [product, user],
  report: () => ({ units: 3 }),
  start: () => {
    asked.push('start');
    return { units: 1 };
  },
};

/** Runs a query as somebody with these scopes, null for a visitor, as the gateway would. */
async function ask(query: string, scopes: string[] | null, variables: Record<string, unknown> = {}) {
  const identity = scopes && { subject: 'u', scopes };
  const document = parse(query);
  const pruned = access.prune(document, identity);
  const result = await execute({ schema, document: pruned, rootValue, variableValues: variables });
  expect(result.errors).toBeUndefined();
  const operation = getOperationAST(document);
  if (!operation) throw new Error('no operation');
  const { data, errors } = access.restore(document, operation, result.data as never, identity, variables);
  return {
    data: JSON.parse(JSON.stringify(data)),
    errors: errors.map((e) => `${e.extensions?.code} ${e.path?.join('.')}`),
  };
}

describe('separateAccessRules', () => {
  it('leaves nothing of the access directives in the supergraph', () => {
    expect(supergraphSdl).not.toMatch(/requiresScopes|authenticated/);
    expect(supergraphSdl).toContain('@link(url: "x")');
  });
});

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

  it('bubbles a null of a non-null field up to the nearest nullable parent', async () => {
    expect((await ask('{ product { id cost } }', [])).data).toEqual({ product: null });
    expect((await ask('{ strict { cost } product { id } }', [])).data).toBeNull();
    expect((await ask('{ products { cost } }', [])).data).toBeNull();
  });

  it('reports each item of a list at its own path', async () => {
    const { errors } = await ask('{ products { s: stock } }', []);
    expect(errors).toEqual(['FORBIDDEN products.0.s', 'FORBIDDEN products.1.s']);
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

  it('does not complain of a field that is skipped', async () => {
    const query = 'query($no: Boolean!) { product { id stock @include(if: $no) } }';
    expect(await ask(query, [], { no: false })).toEqual({ data: { product: { id: '1' } }, errors: [] });
  });
});
