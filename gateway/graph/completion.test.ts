import type { FetchNode } from '@apollo/query-planner';
import { parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { GraphUnderTest } from '../../test/support/graph.ts';

const gift = { __typename: 'Gift', label: 'from Ann' };
const book = {
  __typename: 'Book',
  owner: { id: 'o1' },
  parts: [
    { __typename: 'Cover', color: 'red' },
    { __typename: 'Page', number: 7 },
  ],
};
const box = { id: 'b1', things: [gift, book], best: { __typename: 'Lamp', id: 'l1', watts: 40 } };

const BOX = `
  type Box @key(fields: "id") { id: ID! things(first: Int): [Thing!]! @shareable best: Item @shareable }
  interface Item { id: ID! }
  type Plant implements Item @shareable { id: ID! }`;

/** Both know boxes; what may be in them, each knows in part. */
const graph = new GraphUnderTest({
  shelf: [
    `type Query { box: Box }
     ${BOX}
     union Thing = Gift | Book
     type Gift { label: String! @shareable }
     type Book { title(upper: Boolean, times: Int! = 1): String owner: Owner parts: [Part!]! @shareable }
     type Owner @key(fields: "id") { id: ID! }
     union Part = Cover | Page
     type Cover @shareable { color: String }
     type Page { number: Int }
     type Lamp implements Item { id: ID! @shareable watts: Int }`,
    {
      Query: { box: () => box },
      Box: { things: (_: unknown, { first }: { first?: number }) => box.things.slice(0, first) },
      Book: {
        title: (_: unknown, { upper, times }: { upper?: boolean; times: number }) =>
          (upper ? 'EMMA' : 'Emma').repeat(times),
      },
    },
  ],
  drawer: [
    `type Query { drawer: Box }
     ${BOX}
     union Thing = Gift | Pen
     type Gift { label: String @shareable }
     type Pen { ink: String }
     type Owner @key(fields: "id") { id: ID! name: String }
     type Other { parts: [Part!]! }
     union Part = Cover | Glue
     type Cover @shareable { color: String }
     type Glue { ml: Int }
     type Chair implements Item { id: ID! @shareable legs: Int }`,
    {
      Query: { drawer: () => ({ id: 'b2' }) },
      Box: {
        things: () => [gift, { __typename: 'Pen', ink: 'blue' }],
        best: () => ({ __typename: 'Chair', id: 'c1', legs: 4 }),
      },
      Owner: { __resolveReference: ({ id }: { id: string }) => ({ id, name: 'Ann' }) },
    },
  ],
});

const data = async (query: string, variables = {}) => {
  const { data, errors } = await graph.ask(query, null, variables);
  expect(errors).toBeUndefined();
  return data;
};
const fetchOf = (query: string) => (graph.graph.operation(parse(query)).plan(null).node as FetchNode).operation;

describe('A type that only some subgraphs know where all resolve the field', () => {
  it('is asked of a subgraph that knows it', async () => {
    const things = '{ things { __typename ... on Gift { label } ... on Book { title } ... on Pen { ink } } }';
    expect(await data(`{ box ${things} drawer ${things} }`)).toEqual({
      box: { things: [gift, { __typename: 'Book', title: 'Emma' }] },
      drawer: { things: [gift, { __typename: 'Pen', ink: 'blue' }] },
    });
  });

  it('is asked with arguments, variables, aliases and conditions', async () => {
    const query = `query ($first: Int, $times: Int! = 2, $upper: Boolean, $more: Boolean!) {
      box {
        few: things(first: $first) { ... on Gift { label } ... on Book { title(times: $times) } }
        things { ... on Book @include(if: $more) { name: title(upper: $upper) plain: title @skip(if: $more) } }
      }
    }`;
    expect(await data(query, { first: 2, upper: true, more: true })).toEqual({
      box: { few: [{ label: 'from Ann' }, { title: 'EmmaEmma' }], things: [{}, { name: 'EMMA' }] },
    });
    expect(await data(query, { first: 1, more: false })).toEqual({
      box: { few: [{ label: 'from Ann' }], things: [{}, {}] },
    });
  });

  it('is asked with the types that its own fields return', async () => {
    const query = `{ box { things { ... on Book { parts { __typename ... on Page { number } ...cover ... on Glue { ml } } } } } }
      fragment cover on Cover { color }`;
    expect(await data(query)).toEqual({ box: { things: [{}, { parts: book.parts }] } });
  });

  it('is asked beside the fields of an interface', async () => {
    const best = '{ best { id ... on Lamp { watts } ... on Chair { legs } } }';
    expect(await data(`{ box ${best} drawer ${best} }`)).toEqual({
      box: { best: { id: 'l1', watts: 40 } },
      drawer: { best: { id: 'c1', legs: 4 } },
    });
  });

  it('is not asked for an object of which the subgraph knows half', () => {
    const things = (fields: string) => fetchOf(`{ box { things { ... on Book { title owner { ${fields} } } } } }`);
    expect(things('id')).toContain('owner');
    expect(things('id name')).toContain('title');
    expect(things('id name')).not.toContain('owner');
  });

  it('is left out where the subgraph would refuse it beside the others', async () => {
    const query = '{ box { things { ... on Gift { text: label } ... on Book { text: title } } } }';
    expect(await data(query)).toEqual({ box: { things: [{ text: 'from Ann' }, { text: null }] } });
  });

  it('changes nothing where nothing is left out', () => {
    expect(fetchOf('{ box { things { __typename ... on Gift { label } ... on Pen { ink } } } }')).toBe(
      '{box{things{__typename ...on Gift{label}}}}',
    );
  });
});
