import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { badInput, HashiraError, notFound } from '../../../subgraphs/kit/errors.ts';
import { differences } from './compare.ts';
import { type Federated, federate } from './federated.ts';
import { ask, compared } from './support.ts';
import { by, fed2, monolithSchema, type Part, type Row, reference, type World } from './world.ts';

const orders: Row[] = [
  { id: 'o1', total: 10, buyer: 'u1', lines: ['l1', 'l2'] },
  { id: 'o2', total: 20, buyer: 'u2', lines: ['l3'] },
  { id: 'o3', total: 30, buyer: 'u3', lines: [] },
];
const users: Row[] = [
  { id: 'u1', name: 'Ann', email: 'a@x' },
  { id: 'u2', name: null, email: 'b@x' },
];
const lines: Row[] = [
  { id: 'l1', sku: 's1', count: 2, gift: false },
  { id: 'l2', sku: 's2', count: null, gift: false },
  { id: 'l3', sku: 's9', count: 1, gift: true },
];
const goods: Row[] = [
  { sku: 's1', title: 'Tea', price: 3, origin: { country: 'IN', region: null } },
  { sku: 's2', title: null, price: 5, origin: { country: null, region: 'X' } },
];

const fail = (error: Error) => () => {
  throw error;
};
const taxed = ({ id }: Row) => {
  if (id === 'o2') throw badInput('No tax is known for this order.');
  return id.length;
};
const friends = ({ id }: Row) =>
  id === 'u1' ? [by(users, 'id', 'u2'), notFound('friend', 'u7'), by(users, 'id', 'u1')] : [];
/** Fields of both sides; the last say on what fails. */
const userFields = {
  friends,
  phone: fail(new HashiraError('FORBIDDEN', 'The phone is private.')),
  mail: ({ id, email }: Row) =>
    id === 'u2' ? fail(new HashiraError('DATABASE_UNAVAILABLE', 'No database.'))() : email,
};

const world: World = {
  subgraphs: {
    orders: {
      sdl: fed2(`
        type Query { orders: [Order!]! order(id: ID!): Order maybe: [Order] page: Page! broken: Order }
        type Mutation { pay(id: ID!): Order! }
        type Page { orders: [Order!] count: Int! }
        type Order @key(fields: "id") { id: ID! total: Int! buyer: User strict: User! lines: [Line!]! tax: Int taxStrict: Int! }
        type User @key(fields: "id", resolvable: false) { id: ID! }
        type Line @key(fields: "id") { id: ID! count: Int! good: Good gift: Boolean! }
        type Good @key(fields: "sku", resolvable: false) { sku: ID! }`),
      resolvers: {
        Query: {
          orders: () => orders,
          order: (_, { id }) => by(orders, 'id', id),
          maybe: () => [orders[0], null, orders[1]],
          page: () => ({ orders, count: 3 }),
          broken: fail(new HashiraError('MODEL_NOT_READY', 'Not yet.')),
        },
        Mutation: { pay: (_, { id }) => by(orders, 'id', id) },
        Order: {
          ...reference(orders),
          buyer: ({ buyer }) => ({ id: buyer }),
          strict: ({ buyer }) => ({ id: buyer }),
          lines: (order) => order.lines.map((id: string) => by(lines, 'id', id)),
          tax: taxed,
          taxStrict: taxed,
        },
        Line: { ...reference(lines), good: ({ sku }) => ({ sku }) },
      },
    },
    users: {
      sdl: fed2(`
        type Query { users: [User!]! }
        type User @key(fields: "id") { id: ID! name: String! nick: String mail: String phone: String friends: [User] closest: [User!] }`),
      resolvers: {
        Query: { users: () => users },
        User: { ...reference(users), ...userFields, nick: ({ name }) => name, closest: friends },
      },
    },
    goods: {
      sdl: fed2(`
        type Good @key(fields: "sku") { sku: ID! title: String! label: String price: Int! origin: Origin }
        type Origin { country: String! region: String }`),
      resolvers: { Good: { ...reference(goods, 'sku'), label: ({ title }) => title } },
    },
    points: {
      sdl: fed2(`
        type User @key(fields: "id") { id: ID! name: String! @external points: Int! @requires(fields: "name") level: Int @requires(fields: "name") }
        type Good @key(fields: "sku") { sku: ID! price: Int! @external points: Int @requires(fields: "price") }`),
      resolvers: {
        User: { points: ({ name }) => name.length, level: ({ name }) => name.length },
        Good: { points: ({ price }) => price * 2 },
      },
    },
  },
  monolith: {
    sdl: `
      type Query { orders: [Order!]! order(id: ID!): Order maybe: [Order] page: Page! broken: Order users: [User!]! }
      type Mutation { pay(id: ID!): Order! }
      type Page { orders: [Order!] count: Int! }
      type Order { id: ID! total: Int! buyer: User strict: User! lines: [Line!]! tax: Int taxStrict: Int! }
      type User { id: ID! name: String! nick: String mail: String phone: String friends: [User] closest: [User!] points: Int! level: Int }
      type Line { id: ID! count: Int! good: Good gift: Boolean! }
      type Good { sku: ID! title: String! label: String price: Int! origin: Origin points: Int }
      type Origin { country: String! region: String }`,
    resolvers: {
      Query: {
        orders: () => orders,
        order: (_, { id }) => by(orders, 'id', id),
        maybe: () => [orders[0], null, orders[1]],
        page: () => ({ orders, count: 3 }),
        broken: fail(new HashiraError('MODEL_NOT_READY', 'Not yet.')),
        users: () => users,
      },
      Mutation: { pay: (_, { id }) => by(orders, 'id', id) },
      Order: {
        buyer: ({ buyer }) => by(users, 'id', buyer) ?? { id: buyer },
        strict: ({ buyer }) => by(users, 'id', buyer) ?? { id: buyer },
        lines: (order) => order.lines.map((id: string) => by(lines, 'id', id)),
        tax: taxed,
        taxStrict: taxed,
      },
      Line: { good: ({ sku }) => by(goods, 'sku', sku) ?? { sku } },
      User: {
        ...userFields,
        nick: ({ name }) => name ?? null,
        closest: friends,
        points: ({ name }) => name?.length,
        level: ({ name }) => name?.length,
      },
      Good: { label: ({ title }) => title, points: ({ price }) => price && price * 2 },
    },
  },
};

compared('errors and nulls', world, {
  'reports a failed field at its path': { query: '{ orders { id tax } }', errors: 1 },
  'reports it under its alias': { query: '{ o: orders { t: tax id } }', errors: 1 },
  'reports an error of an entity at its place in the answer': {
    query: '{ order(id: "o1") { buyer { phone nick } } }',
    errors: 1,
  },
  'reports it once for each place of the entity': {
    query: '{ a: order(id: "o1") { buyer { phone } } b: order(id: "o1") { buyer { p: phone } } }',
    errors: 2,
  },
  'reports a failed root field': { query: '{ broken { id } orders { id } }', errors: 1 },
  'reports an item of a list that failed': { query: '{ users { id friends { id } } }', errors: 1 },
  'makes a list null for an item that must not be': { query: '{ users { id closest { id nick } } }', errors: 1 },
  'reports errors of two subgraphs together': { query: '{ orders { tax buyer { mail } } }', errors: 2 },
  'makes the nearest nullable parent null': {
    query: '{ order(id: "o2") { id taxStrict } page { count orders { taxStrict } } }',
    errors: 2,
  },
  'makes everything null when nothing may be': { query: '{ orders { id taxStrict } }', errors: 1 },
  'makes the item of a nullable list null': { query: '{ maybe { id taxStrict } }', errors: 1 },
  'makes a nullable entity null for its own null': {
    query: '{ a: order(id: "o1") { buyer { name } } b: order(id: "o2") { id buyer { id name } } }',
    errors: 1,
  },
  'makes more null for an entity that must be': { query: '{ order(id: "o2") { id strict { name } } }', errors: 1 },
  'makes null what a subgraph does not know': { query: '{ order(id: "o3") { id buyer { id nick mail } } }', errors: 0 },
  'makes null an entity that is not there but must have a name': {
    query: '{ order(id: "o3") { id buyer { id name } } }',
    errors: 1,
  },
  'makes null inside lists of entities': {
    query: '{ order(id: "o1") { lines { id good { sku label price origin { region } } } } }',
    errors: 0,
  },
  'makes null an object in an entity': {
    query: '{ order(id: "o1") { lines { good { price origin { country region } } } } }',
    errors: 1,
  },
  'makes null an entity in a list': { query: '{ order(id: "o1") { lines { id good { title } } } }', errors: 1 },
  'makes null a whole list': {
    query: '{ order(id: "o1") { lines { count } } order2: order(id: "o2") { lines { count gift } } }',
    errors: 1,
  },
  'does not ask what requires an entity that is not there': {
    query: '{ order(id: "o2") { lines { good { sku points } } } }',
    errors: 0,
  },
  'reports an error of a mutation': {
    query: 'mutation { a: pay(id: "o1") { tax } b: pay(id: "o2") { id tax } }',
    errors: 1,
  },
  'makes all of a mutation null': {
    query: 'mutation { a: pay(id: "o1") { id } b: pay(id: "o2") { taxStrict } }',
    errors: 1,
  },
  'keeps what a condition leaves out from failing': [
    'query ($no: Boolean!) { orders { id taxStrict @include(if: $no) buyer @skip(if: true) { phone } } }',
    { no: false },
  ],
});

/** The monolith where the fields of one subgraph fail: what clients should see when that subgraph is gone. */
const without = (fields: Record<string, readonly string[]>): Part => {
  const resolvers = copyOf(world.monolith.resolvers as Record<string, Record<string, never>>);
  for (const [type, names] of Object.entries(fields)) {
    for (const name of names) {
      const own = resolvers[type] ?? {};
      own[name] = fail(new HashiraError('SUBGRAPH_UNAVAILABLE', 'gone')) as never;
      resolvers[type] = own;
    }
  }
  return { ...world.monolith, resolvers };
};
const copyOf = <T extends Record<string, object>>(resolvers: T): T =>
  Object.fromEntries(Object.entries(resolvers).map(([type, own]) => [type, { ...own }])) as T;

describe('a subgraph that is gone', () => {
  let gateway: Federated;
  const monolith = monolithSchema(
    without({ Query: ['users'], User: ['name', 'nick', 'mail', 'phone', 'friends', 'closest', 'points', 'level'] }),
  );
  beforeAll(async () => {
    gateway = await federate(world, ['users']);
  });
  afterAll(() => gateway?.stop());

  const cases: Record<string, string> = {
    'costs its own fields only': '{ order(id: "o1") { id total buyer { id nick } lines { id good { label price } } } }',
    'makes null what may not be': '{ order(id: "o1") { id buyer { id name } lines { id } } }',
    'costs a root field': '{ users { id } }',
    'leaves other roots': '{ page { count orders { id lines { good { sku } } } } order(id: "o2") { buyer { id } } }',
    'costs what requires its fields': '{ order(id: "o1") { id buyer { level } } }',
    'costs nothing to those who do not ask it': '{ orders { id buyer { id } } }',
  };
  for (const [sentence, query] of Object.entries(cases)) {
    it(sentence, async () => {
      const answer = await gateway.run(query);
      const wanted = await ask(monolith, query);
      // One failed fetch is told once, at the first of its places: where data is null is what counts.
      expect(answer.data).toEqual(JSON.parse(JSON.stringify(wanted.data)));
      expect((answer.errors?.length ?? 0) > 0).toBe((wanted.errors?.length ?? 0) > 0);
      for (const { message, path, extensions } of answer.errors ?? []) {
        expect(message).not.toMatch(/_entities|http/);
        expect(JSON.stringify(path ?? [])).not.toContain('_entities');
        if (extensions?.code !== undefined) expect(extensions.code).toBe('SUBGRAPH_UNAVAILABLE');
      }
    });
  }
  it('tells its error at a place where its field would be', async () => {
    const { errors } = await gateway.run('{ order(id: "o1") { id b: buyer { id nick } } }');
    expect(errors?.map(({ extensions }) => extensions?.code)).toContain('SUBGRAPH_UNAVAILABLE');
    expect(errors?.[0]?.path?.join('.')).toMatch(/^order\.b(\.nick)?$/);
  });
  it('answers the rest alike', async () => {
    const query = '{ orders { id total tax } }';
    expect(differences(await gateway.run(query), await ask(monolith, query))).toEqual([]);
  });
});
