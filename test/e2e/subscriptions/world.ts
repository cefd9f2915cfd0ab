import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { importJWK, SignJWT } from 'jose';
import { type Gateway, startGateway } from '../../../gateway/gateway.ts';
import { loadConfig } from '../../../subgraphs/kit/config.ts';
import type { Database } from '../../../subgraphs/kit/database.ts';
import { createLogger } from '../../../subgraphs/kit/log.ts';
import type { Registry } from '../../../subgraphs/kit/registry.ts';
import type { RequestContext, Subgraph } from '../../../subgraphs/kit/subgraph.ts';
import { FEDERATION, type SubgraphParts, schemaOf, supergraphOf } from '../../support/graph.ts';
import { Feed } from './feed.ts';

export interface World {
  url: string;
  feed: Feed;
  /** How many entities each fetch asked for, by subgraph, since the start. */
  fetches: Record<'shops' | 'prices', number[]>;
  /** A token of an admin. @param seconds until the gateway takes it for expired */
  token(subject: string, seconds?: number): Promise<string>;
  gateway: Gateway;
  stop(): Promise<void>;
}

/** Tokens are good for a little longer than they say. */
const CLOCK_TOLERANCE_S = 5;

/** A gateway with three subgraphs in its process: one has the events, two what belongs to them. */
export async function startWorld(env: Record<string, string> = {}): Promise<World> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'hashira-subscriptions-'));
  const feed = new Feed();
  const fetches: World['fetches'] = { shops: [], prices: [] };
  const parts = partsOf(feed);
  const supergraph = path.join(dataDir, 'supergraph.graphql');
  await writeFile(supergraph, supergraphOf(parts));
  const subgraphs = Object.entries(parts).map(([name, part]) => subgraphOf(name, part, fetches));
  const config = loadConfig({
    HASHIRA_DATA: dataDir,
    PORT: '0',
    LOG_LEVEL: 'silent',
    RATE_LIMIT_PER_MINUTE: '0',
    RATE_LIMIT_ADDRESS_PER_MINUTE: '0',
    MAX_SUBSCRIPTIONS_PER_USER: '2000',
    ...env,
  });
  const log = createLogger('test', 'silent');
  // These subgraphs keep nothing.
  const nothing = { database: {} as Database, registry: {} as Registry };
  const gateway = await startGateway(subgraphs, { config, log, ...nothing }, supergraph);
  return {
    url: `${gateway.url}/graphql`,
    feed,
    fetches,
    gateway,
    token: async (subject, seconds = 3_600) => {
      const jwk = JSON.parse(await readFile(path.join(dataDir, 'development-key.json'), 'utf8'));
      return new SignJWT({ scope: 'admin' })
        .setProtectedHeader({ alg: 'ES256', kid: 'development' })
        .setSubject(subject)
        .setExpirationTime(Math.ceil(Date.now() / 1000) + seconds - CLOCK_TOLERANCE_S)
        .sign(await importJWK(jwk, 'ES256'));
    },
    stop: async () => {
      await gateway.stop();
      await rm(dataDir, { recursive: true });
    },
  };
}

function partsOf(feed: Feed): Record<string, SubgraphParts> {
  const listen = (_: unknown, { seat, last }: { seat: string; last: number }, { signal }: RequestContext) =>
    feed.listen(seat, last, signal);
  const resolve = (n: number) => ({ n, product: { upc: `p${n}` } });
  return {
    feed: [
      `type Query { any: Int }
       type Subscription {
         sale(seat: String!, last: Int!): Sale!
         shared(seat: String!, last: Int!): Sale! @tag(name: "shared-stream")
         secret(seat: String!, last: Int!): Sale @requiresScopes(scopes: [["admin"]])
       }
       type Sale { n: Int! product: Product! }
       type Product @key(fields: "upc", resolvable: false) { upc: ID! }`,
      {
        Subscription: {
          sale: {
            subscribe: listen,
            resolve: (n: number, { seat }: { seat: string }) => ({ n, product: { upc: `${seat}-${n}` } }),
          },
          shared: { subscribe: listen, resolve },
          secret: { subscribe: listen, resolve },
        },
      },
    ],
    shops: [
      `type Product @key(fields: "upc") { upc: ID! name: String! shop: Shop! }
       type Shop @key(fields: "id", resolvable: false) { id: ID! }`,
      {
        Product: {
          __resolveReference: ({ upc }: { upc: string }) => ({ upc, name: `Product ${upc}`, shop: { id: `s-${upc}` } }),
        },
      },
    ],
    prices: [
      `type Shop @key(fields: "id") { id: ID! rating: Int! }`,
      { Shop: { __resolveReference: ({ id }: { id: string }) => ({ id, rating: id.length }) } },
    ],
  };
}

function subgraphOf(name: string, [sdl, resolvers]: SubgraphParts, fetches: World['fetches']): Subgraph {
  const schema = schemaOf([sdl, resolvers]);
  const entities = schema.getQueryType()?.getFields()._entities;
  const resolve = entities?.resolve;
  if (entities && resolve) {
    entities.resolve = (source, args, context, info) => {
      fetches[name as keyof typeof fetches].push(args.representations.length);
      return resolve(source, args, context, info);
    };
  }
  return {
    name,
    schema: async () => ({ schema, sdl: FEDERATION + sdl }),
    migrations: '',
    start: async () => ({ context: (request) => ({ ...request }) }),
  };
}
