import { buildSubgraphSchema } from '@apollo/subgraph';
import { execute, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { resolveEntitiesAtOnce } from './entities.ts';

const typeDefs = parse(`
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
  type Query { any: Int }
  interface Media @key(fields: "id") { id: ID! title: String }
  type Book implements Media @key(fields: "id") { id: ID! title: String }
  type Film implements Media @key(fields: "id") { id: ID! title: String }
  interface Shape @key(fields: "id") { id: ID! }
  type Circle implements Shape @key(fields: "id") { id: ID! size: Int }
  type Plain @key(fields: "id") { id: ID! }
`);
const frozen = Object.freeze({ id: 'frozen', title: 'Kept' });
class Row {
  constructor(readonly id: string) {}
  get title() {
    return `Row ${this.id}`;
  }
}
const resolvers = {
  Media: {
    __resolveReference: ({ id }: { id: string }) => ({ id, title: `T${id}`, __typename: id === 'f' ? 'Film' : 'Book' }),
  },
  Book: {
    __resolveReference: ({ id }: { id: string }) => {
      if (id === 'throws') throw new Error('broken');
      if (id === 'none') return null;
      if (id === 'late') return Promise.resolve({ id, title: 'Late' });
      if (id === 'rejects') return Promise.reject(new Error('broken late'));
      return id === 'frozen' ? frozen : new Row(id);
    },
  },
  Shape: { __resolveType: () => 'Circle' },
  Circle: { __resolveReference: ({ id }: { id: string }) => ({ id, size: 3 }) },
};

const query = parse(`query ($r: [_Any!]!) { _entities(representations: $r) {
  __typename ... on Book { id title } ... on Film { id title } ... on Circle { size } ... on Plain { id }
} }`);
const of = (name: string, id: string) => ({ __typename: name, id });

async function entities(schema: ReturnType<typeof buildSubgraphSchema>, representations: unknown[]) {
  const { data, errors } = await execute({ schema, document: query, variableValues: { r: representations } });
  return { data: JSON.parse(JSON.stringify(data)), errors: errors?.map(({ message, path }) => ({ message, path })) };
}

describe('entities', () => {
  const ours = buildSubgraphSchema({ typeDefs, resolvers: resolvers as never });
  const theirs = buildSubgraphSchema({ typeDefs, resolvers: resolvers as never });
  resolveEntitiesAtOnce(ours);

  const cases: Record<string, unknown[]> = {
    'objects and instances of classes': [of('Book', '1'), of('Plain', 'p')],
    'those found later, or not at all': [of('Book', 'late'), of('Book', 'none')],
    'interfaces with a resolver of their own': [of('Media', 'f'), of('Media', 'b')],
    'interfaces whose objects have one': [of('Shape', 'c')],
  };
  for (const [what, representations] of Object.entries(cases)) {
    it(`are resolved as @apollo/subgraph resolves them: ${what}`, async () => {
      const expected = await entities(theirs, representations);
      expect(expected.errors).toBeUndefined();
      expect(await entities(ours, representations)).toEqual(expected);
    });
  }

  it('that cannot be found cost their own place only', async () => {
    const { data, errors } = await entities(ours, [
      of('Book', 'throws'),
      of('Book', '1'),
      of('Nothing', 'x'),
      of('Book', 'rejects'),
    ]);
    expect(data._entities).toEqual([null, { __typename: 'Book', id: '1', title: 'Row 1' }, null, null]);
    expect(errors?.map(({ path }) => path)).toEqual([
      ['_entities', 0],
      ['_entities', 2],
      ['_entities', 3],
    ]);
  });

  it('may be objects that nobody can change', async () => {
    const { data } = await entities(ours, [of('Book', 'frozen')]);
    expect(data._entities).toEqual([{ __typename: 'Book', ...frozen }]);
  });

  it('answer at once what is known at once', () => {
    const result = execute({ schema: ours, document: query, variableValues: { r: [of('Circle', 'c')] } });
    expect(result).not.toBeInstanceOf(Promise);
  });
});
