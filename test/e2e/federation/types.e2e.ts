import { GraphQLError, GraphQLScalarType, Kind } from 'graphql';
import { compared } from './support.ts';
import { by, fed2, type Row, reference, type World } from './world.ts';

/** Tenths as a decimal text: serialised, read from a variable and read from a literal differ, so each use must convert once. */
const Tenths = () =>
  new GraphQLScalarType({
    name: 'Tenths',
    serialize: (value) => `${Number(value) / 10}`,
    parseValue: (value) => Number(value) * 10,
    parseLiteral: (node) => {
      if (node.kind !== Kind.STRING) throw new GraphQLError('Tenths are a text.');
      return Number(node.value) * 10;
    },
  });

const items: Row[] = [
  {
    id: 'i1',
    name: 'Nut',
    state: 'NEW',
    kind: 'SMALL',
    weight: 25,
    grid: [['a', 'b'], ['c']],
    note: 'n1',
    secret: 's1',
    more: { any: [1, 'x', null] },
  },
  {
    id: 'i2',
    name: 'Bolt',
    state: 'USED',
    kind: 'LARGE',
    weight: 130,
    grid: [[], null],
    note: null,
    secret: 's2',
    more: null,
  },
];
/** In alphabetical order: executors differ in the order in which they gather arguments. */
const echo = (_: Row, args: Row) =>
  JSON.stringify(args, (_key, value) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => a.localeCompare(b)))
      : value,
  );
const marks = ({ id }: Row, { mark }: Row) => id.length + mark.length;
const matching = (_: Row, { where }: Row) => items.filter((item) => matches(item, where));
function matches(item: Row, where: Row | null | undefined): boolean {
  if (!where) return true;
  const { states, minWeight, name, not, any } = where;
  return (
    (!states || states.includes(item.state)) &&
    (minWeight === undefined || minWeight === null || item.weight >= minWeight) &&
    (!name || item.name === name) &&
    (!not || !matches(item, not)) &&
    (!any || any.some((one: Row) => matches(item, one)))
  );
}

const FILTER = `{ states: [State!] minWeight: Tenths name: String not: Filter any: [Filter!] limit: Int! = 10 }`;
const world: World = {
  subgraphs: {
    stock: {
      sdl: fed2(`
        scalar Tenths
        scalar Json
        type Query {
          items(where: Filter): [Item!]!
          item(id: ID!): Item
          echo(filter: Filter, list: [[Int]], flag: Boolean = true, kind: Kind = SMALL, json: Json, id: ID): String!
          latest: Item @shareable
          value: Value!
        }
        enum State { NEW USED }
        enum Kind { SMALL LARGE HUGE }
        enum Mark { GOOD BAD }
        enum Tone { SOFT }
        input Filter { states: [State!] minWeight: Tenths name: String not: Filter any: [Filter!] limit: Int! = 10 onlyHere: Int }
        type Item @key(fields: "id") {
          id: ID! name: String! state: State! kind: Kind weight: Tenths! grid: [[String!]] secret: String! @inaccessible more: Json
          marks(mark: Mark!): Int! tone: Tone!
        }
        type Value { text: String! @shareable hidden: Int @inaccessible }`),
      resolvers: {
        Tenths: Tenths(),
        Query: {
          items: matching,
          item: (_, { id }) => by(items, 'id', id),
          echo,
          latest: () => items[0],
          value: () => ({ text: 'v', hidden: 1 }),
        },
        Item: { ...reference(items), marks, tone: () => 'SOFT' },
      },
    },
    notes: {
      sdl: fed2(`
        scalar Tenths
        type Query { noted(where: Filter): [Item!]! latest: Item @shareable heavier(than: Tenths!): [Item!]! }
        enum State { NEW USED }
        enum Mark { GOOD BAD WORSE }
        enum Tone { LOUD SHRILL }
        input Filter { states: [State!] minWeight: Tenths name: String not: Filter any: [Filter!] limit: Int! = 10 }
        type Item @key(fields: "id") {
          id: ID!
          note: String
          worse(mark: Mark = BAD): Int!
          noise: Tone!
          similar(where: Filter): [Item!]!
          was(states: [State!]! = [NEW]): Boolean!
          heavier(than: Tenths!): Boolean!
          secret: String! @external
          digest: String! @requires(fields: "secret")
          weight: Tenths! @external
          freight: Tenths! @requires(fields: "weight")
        }`),
      resolvers: {
        Tenths: Tenths(),
        Query: {
          noted: matching,
          latest: () => items[0],
          heavier: (_, { than }) => items.filter(({ weight }) => weight > than),
        },
        Item: {
          __resolveReference: (ref) => ({ ...by(items, 'id', ref.id), secret: ref.secret, sent: ref.weight }),
          worse: marks,
          noise: () => 'SHRILL',
          similar: matching,
          was: ({ state }, { states }) => states.includes(state),
          heavier: ({ weight }, { than }) => weight > than,
          digest: ({ secret }) => `#${secret}`,
          // A representation carries scalars as the other subgraph serialised them.
          freight: ({ sent }) => Number(sent) * 20,
        },
      },
    },
    old: {
      // Of Federation 1: everything is shareable, stubs extend what others own.
      sdl: `
        type Query { oldest: Item }
        extend type Item @key(fields: "id") { id: ID! @external name: String! @external age: Int! label: String! @requires(fields: "name") maker: Maker }
        type Maker @key(fields: "id") { id: ID! city: String! }`,
      resolvers: {
        Query: { oldest: () => ({ id: 'i2' }) },
        Item: {
          age: ({ id }) => Number(id.slice(1)) * 10,
          label: ({ name }) => `old ${name}`,
          maker: () => ({ id: 'k1', city: 'Rome' }),
        },
        Maker: { __resolveReference: ({ id }) => ({ id, city: 'Rome' }) },
      },
    },
    firms: {
      sdl: `extend type Maker @key(fields: "id") { id: ID! @external staff: Int }`,
      resolvers: { Maker: { __resolveReference: ({ id }) => ({ id, staff: 4 }) } },
    },
  },
  monolith: {
    sdl: `
      scalar Tenths
      scalar Json
      type Query {
        items(where: Filter): [Item!]! item(id: ID!): Item
        echo(filter: Filter, list: [[Int]], flag: Boolean = true, kind: Kind = SMALL, json: Json, id: ID): String!
        latest: Item value: Value! noted(where: Filter): [Item!]! heavier(than: Tenths!): [Item!]! oldest: Item
      }
      enum State { NEW USED }
      enum Kind { SMALL LARGE HUGE }
      enum Mark { GOOD BAD }
      enum Tone { SOFT LOUD SHRILL }
      input Filter ${FILTER}
      type Item {
        id: ID! name: String! state: State! kind: Kind weight: Tenths! grid: [[String!]] more: Json marks(mark: Mark!): Int! tone: Tone! noise: Tone! worse(mark: Mark = BAD): Int!
        note: String similar(where: Filter): [Item!]! was(states: [State!]! = [NEW]): Boolean! heavier(than: Tenths!): Boolean!
        digest: String! freight: Tenths! age: Int! label: String! maker: Maker
      }
      type Value { text: String! }
      type Maker { id: ID! city: String! staff: Int }`,
    resolvers: {
      Tenths: Tenths(),
      Query: {
        items: matching,
        item: (_, { id }) => by(items, 'id', id),
        echo,
        latest: () => items[0],
        value: () => ({ text: 'v' }),
        noted: matching,
        heavier: (_, { than }) => items.filter(({ weight }) => weight > than),
        oldest: () => items[1],
      },
      Item: {
        marks,
        worse: marks,
        tone: () => 'SOFT',
        noise: () => 'SHRILL',
        similar: matching,
        was: ({ state }, { states }) => states.includes(state),
        heavier: ({ weight }, { than }) => weight > than,
        digest: ({ secret }) => `#${secret}`,
        freight: ({ weight }) => weight * 2,
        age: ({ id }) => Number(id.slice(1)) * 10,
        label: ({ name }) => `old ${name}`,
        maker: () => ({ id: 'k1', city: 'Rome', staff: 4 }),
      },
    },
  },
};

compared('enums, input types, scalars, hidden fields, Federation 1', world, {
  'reads enums': '{ items { state kind tone noise } }',
  'sends an enum to the other subgraph':
    '{ items { was a: was(states: [USED]) b: was(states: [NEW, USED]) marks(mark: GOOD) worse } }',
  'refuses a value of an enum that not all know as input': { query: '{ items { worse(mark: WORSE) } }', errors: 1 },
  'refuses a field of an input type that not all know': {
    query: '{ items(where: { onlyHere: 1 }) { id } }',
    errors: 1,
  },
  'sends an input object':
    '{ items(where: { states: [USED], minWeight: "13" }) { name weight } noted(where: { name: "Nut" }) { note name } }',
  'sends nested input objects':
    '{ items(where: { not: { any: [{ name: "Nut" }, { not: { states: [NEW, USED] } }] } }) { name note } }',
  'sends an input object as a variable': [
    'query ($where: Filter, $w: Tenths!) { items(where: $where) { name similar(where: { minWeight: $w, not: $where }) { name note } } heavier(than: $w) { id } }',
    { where: { minWeight: '2', states: ['NEW'] }, w: '12.9' },
  ],
  'uses the defaults of variables':
    'query ($where: Filter = { name: "Bolt" }, $s: [State!]! = USED) { items(where: $where) { name was(states: $s) } }',
  'tells null from nothing': [
    'query ($flag: Boolean, $kind: Kind, $list: [[Int]], $none: ID) { a: echo(flag: $flag, kind: $kind, list: $list) b: echo(id: $none) c: echo(flag: null, kind: null, list: null, json: null) d: echo }',
    { flag: null, list: [[1, null], null, []] },
  ],
  'coerces a single value to a list, and numbers to ids': [
    'query ($list: [[Int]], $id: ID, $filter: Filter) { echo(list: $list, id: $id, filter: $filter) e: echo(list: 3, id: 4, filter: { states: NEW }) }',
    { list: 7, id: 5, filter: { states: 'NEW', any: {} } },
  ],
  'sends texts whole': [
    'query ($name: String, $json: Json) { a: echo(filter: { name: $name }) b: echo(filter: { name: "a\\"b\\\\ \\u00e9 \\n" }) c: echo(filter: { name: """ block "q" """ }) d: echo(json: $json) e: echo(json: { a: [1, "x", null, { b: 1.5 }] }) f: echo(json: [$json, { deep: $json }]) }',
    { name: '"\\ é 😀 \n$x', json: { a: [1, { b: null }], $ref: 'x' } },
  ],
  'refuses a variable of the wrong type': {
    query: 'query ($where: Filter) { items(where: $where) { id } }',
    variables: { where: { states: ['OLD'] } },
    errors: 1,
  },
  'refuses a variable that is missing': { query: 'query ($than: Tenths!) { heavier(than: $than) { id } }', errors: 1 },
  'converts a scalar once on its way out': '{ items { weight heavier(than: "2.5") a: heavier(than: "2.4") freight } }',
  'reads a scalar of any shape': '{ items { more note } }',
  'reads lists of lists': '{ items { grid } }',
  'requires a field that clients may not see': '{ items { digest } latest { digest } }',
  'refuses a field that clients may not see': { query: '{ items { secret } }', errors: 1 },
  'reads around a hidden field of a value': '{ value { text __typename } }',
  'reads an extension of Federation 1': '{ items { name age label maker { city staff } } }',
  'starts from a stub of Federation 1': '{ oldest { name age label note maker { id staff } } }',
  'reads introspection beside data':
    '{ __type(name: "State") { name enumValues { name } } hidden: __type(name: "Value") { fields { name } } latest { name note } }',
  'names the root types': '{ __schema { queryType { name } mutationType { name } } }',
});
