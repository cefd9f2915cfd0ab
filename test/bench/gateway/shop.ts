import { EventEmitter, on } from 'node:events';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { type GraphQLResolveInfo, parse } from 'graphql';
import type { Subgraph } from '../../../subgraphs/kit/subgraph.ts';

const LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])\n';

/** Fetches answered in this process since it was asked last. */
let fetches = 0;
export function takeFetches(): number {
  const taken = fetches;
  fetches = 0;
  return taken;
}

/** Finds an entity and counts: all representations of a fetch are looked up one after the other, with one `info`. */
function reference<Key>(find: (key: Key) => object) {
  let last: GraphQLResolveInfo | undefined;
  return (key: Key, _: unknown, info: GraphQLResolveInfo) => {
    if (info !== last) fetches++;
    last = info;
    return find(key);
  };
}

/** Events of the subscription: the name is the seat, the value the user's number. */
export const feed = new EventEmitter().setMaxListeners(0);

const user = (number: number) => ({ id: `u${number}`, name: `User ${number}` });

/** Everything follows from the ids, so no two requests share an entity and no store has to be kept. */
const order = (id: string) => ({
  id,
  total: 10 + (id.length % 7) + 0.5,
  items: [1, 2, 3].map((item) => ({ upc: `${id}-${item}` })),
});
const product = (upc: string) => {
  const code = upc.charCodeAt(upc.length - 1) + upc.charCodeAt(upc.length - 3) * 3;
  return { upc, name: `Product number ${upc}`, price: code + 0.25, inStock: code % 3 !== 0 };
};

const sources: Record<string, [sdl: string, resolvers: object]> = {
  users: [
    `type Query { users(first: Int!, after: Int!): [User!]! }
     type Subscription { userChanged(seat: Int!): User! }
     type User @key(fields: "id") { id: ID! name: String! }`,
    {
      Query: {
        users: (_: unknown, { first, after }: { first: number; after: number }) => {
          fetches++;
          return Array.from({ length: first }, (_, index) => user(after + index + 1));
        },
      },
      Subscription: {
        userChanged: {
          subscribe: (_: unknown, { seat }: { seat: number }) => on(feed, String(seat)),
          resolve: ([number]: [number]) => user(number),
        },
      },
      User: { __resolveReference: reference(({ id }: { id: string }) => user(Number(id.slice(1)))) },
    },
  ],
  orders: [
    `type User @key(fields: "id") { id: ID! orders: [Order!]! }
     type Order { id: ID! total: Float! items: [Product!]! }
     type Product @key(fields: "upc", resolvable: false) { upc: ID! }`,
    {
      User: {
        __resolveReference: reference(({ id }: { id: string }) => ({
          id,
          orders: [order(`${id}-1`), order(`${id}-2`)],
        })),
      },
    },
  ],
  products: [
    `type Product @key(fields: "upc") { upc: ID! name: String! price: Float! inStock: Boolean! }`,
    { Product: { __resolveReference: reference(({ upc }: { upc: string }) => product(upc)) } },
  ],
};

/** users → orders → products: three fetches in sequence. The same code runs by HTTP and in the gateway's process. */
export const shop: readonly (Subgraph & { sdl: string })[] = Object.entries(sources).map(
  ([name, [types, resolvers]]) => {
    const sdl = LINK + types;
    return {
      name,
      sdl,
      migrations: '',
      schema: async () => ({
        sdl,
        schema: buildSubgraphSchema({ typeDefs: parse(sdl), resolvers: resolvers as never }),
      }),
      start: async () => ({ context: (request) => request }),
    };
  },
);

export const QUERY =
  'query Shop($first: Int!, $after: Int!) { users(first: $first, after: $after) ' +
  '{ id name orders { id total items { upc name price inStock } } } }';

export const SUBSCRIPTION =
  'subscription Changes($seat: Int!) { userChanged(seat: $seat) ' +
  '{ id name orders { id total items { upc name price inStock } } } }';

/** Three fetches answer QUERY; users per request. */
export const FETCHES_PER_REQUEST = 3;
export const USERS_PER_REQUEST = 5;
