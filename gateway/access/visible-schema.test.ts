import { getIntrospectionQuery } from 'graphql';
import { describe, expect, it } from 'vitest';
import { GraphUnderTest } from '../../test/support/graph.ts';

const graph = new GraphUnderTest(
  {
    shop: [
      `type Query { product: Product report: Report any: Node secret(by: Filter): Int @requiresScopes(scopes: [["admin"]]) }
       type Mutation { reset: Boolean @authenticated }
       interface Node { id: ID! cost: Int }
       type Product implements Node { id: ID! name: String cost: Int @requiresScopes(scopes: [["admin"]]) }
       type Report @authenticated { units: Units }
       type Units { sold: Int }
       input Filter { name: String }`,
      {},
    ],
  },
  { introspectsAllowed: true },
);

/** The types that somebody sees, with their fields. */
async function sees(scopes: string[] | null): Promise<Record<string, string[]>> {
  const { data } = await graph.ask(getIntrospectionQuery(), scopes && { subject: 'u', scopes });
  const { types } = (data as { __schema: { types: { name: string; fields?: { name: string }[] }[] } }).__schema;
  return Object.fromEntries(
    types
      .filter(({ name }) => !name.startsWith('__'))
      .map(({ name, fields }) => [name, fields?.map((field) => field.name) ?? []]),
  );
}

describe('introspection of what is allowed', () => {
  it('shows a visitor neither fields nor types that are denied, nor what only those lead to', async () => {
    const visible = await sees(null);
    expect(visible.Query).toEqual(['product', 'any']);
    expect(visible.Product).toEqual(['id', 'name']);
    expect(Object.keys(visible)).not.toEqual(expect.arrayContaining(['Report']));
    expect(Object.keys(visible)).not.toEqual(expect.arrayContaining(['Units']));
    expect(Object.keys(visible)).not.toEqual(expect.arrayContaining(['Filter']));
    expect(visible.Mutation ?? []).toEqual([]);
  });

  it('shows more to who may see more, whoever asked before', async () => {
    expect((await sees(['admin'])).Query).toEqual(['product', 'report', 'any', 'secret']);
    expect((await sees([])).Product).toEqual(['id', 'name']);
    expect(await sees(['admin'])).toMatchObject({ Units: ['sold'], Filter: [], Product: ['id', 'name', 'cost'] });
  });

  it('says of a hidden type that there is none', async () => {
    expect((await graph.ask('{ __type(name: "Report") { name } }')).data).toEqual({ __type: null });
    expect((await graph.ask('{ __type(name: "Product") { name } }')).data).toEqual({ __type: { name: 'Product' } });
  });
});
