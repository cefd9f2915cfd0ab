import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { importJWK, SignJWT } from 'jose';
import { type Gateway, startGateway } from '../../../gateway/gateway.ts';
import { loadConfig } from '../../../subgraphs/kit/config.ts';
import type { Database } from '../../../subgraphs/kit/database.ts';
import { createLogger, type Logger } from '../../../subgraphs/kit/log.ts';
import type { Registry } from '../../../subgraphs/kit/registry.ts';
import type { RequestContext, Subgraph } from '../../../subgraphs/kit/subgraph.ts';
import { type SubgraphServer, startSubgraphServer } from '../../../subgraphs/kit/subgraph-server.ts';
import { FEDERATION, type SubgraphParts, schemaOf, supergraphOf } from '../../support/graph.ts';
import { Feed } from './feed.ts';

export interface World {
  url: string;
  feed: Feed;
  /** What was asked of each subgraph since the start. */
  asked: Record<'feed' | 'shops' | 'prices', Asked>;
  /** A token of an admin. @param seconds until the gateway takes it for expired */
  token(subject: string, seconds?: number): Promise<string>;
  gateway: Gateway;
  stop(): Promise<void>;
}

export interface Asked {
  /** Each fetch, or batch of fetches, has a context. */
  contexts: number;
  entities: number;
}

/** Tokens are good for a little longer than they say. */
const CLOCK_TOLERANCE_S = 5;

/**
 * A gateway with three subgraphs: one has the events, two what belongs to them.
 * @param byUrl whether the one with the events has a door of its own, in place of being in the gateway's process
 */
export async function startWorld(env: Record<string, string> = {}, byUrl = false): Promise<World> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'hashira-subscriptions-'));
  const feed = new Feed();
  const asked = {
    feed: { contexts: 0, entities: 0 },
    shops: { contexts: 0, entities: 0 },
    prices: { contexts: 0, entities: 0 },
  };
  const parts = partsOf(feed, asked);
  const log = createLogger('test', 'silent');
  const door = byUrl ? await openDoor('feed', parts.feed as SubgraphParts, log) : null;
  const supergraph = path.join(dataDir, 'supergraph.graphql');
  const urlOf = (name: string) => (door && name === 'feed' ? door.url : `local://${name}`);
  await writeFile(supergraph, supergraphOf(parts, urlOf));
  const subgraphs = Object.entries(parts).map(([name, part]) =>
    subgraphOf(name, part, asked[name as keyof typeof asked]),
  );
  const config = loadConfig({
    HASHIRA_DATA: dataDir,
    PORT: '0',
    LOG_LEVEL: 'silent',
    RATE_LIMIT_PER_MINUTE: '0',
    RATE_LIMIT_ADDRESS_PER_MINUTE: '0',
    MAX_SUBSCRIPTIONS_PER_USER: '2000',
    SUBGRAPH_SECRET: SECRET,
    ...env,
  });
  // These subgraphs keep nothing.
  const nothing = { database: {} as Database, registry: {} as Registry };
  const gateway = await startGateway(subgraphs, { config, log, ...nothing }, supergraph);
  return {
    url: `${gateway.url}/graphql`,
    feed,
    asked,
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
      await door?.stop();
      await rm(dataDir, { recursive: true });
    },
  };
}

function partsOf(feed: Feed, asked: Record<'shops' | 'prices', Asked>): Record<string, SubgraphParts> {
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
          __resolveReference: ({ upc }: { upc: string }) => {
            asked.shops.entities++;
            return { upc, name: `Product ${upc}`, shop: { id: `s-${upc}` } };
          },
        },
      },
    ],
    prices: [
      `type Shop @key(fields: "id") { id: ID! rating: Int! }`,
      {
        Shop: {
          __resolveReference: ({ id }: { id: string }) => {
            asked.prices.entities++;
            return { id, rating: id.length };
          },
        },
      },
    ],
  };
}

const SECRET = 's'.repeat(32);

function openDoor(name: string, parts: SubgraphParts, log: Logger): Promise<SubgraphServer> {
  const running = { context: (request: RequestContext) => request };
  return startSubgraphServer({
    name,
    schema: schemaOf(parts),
    running,
    secret: SECRET,
    log,
    host: '127.0.0.1',
    port: 0,
  });
}

function subgraphOf(name: string, [sdl, resolvers]: SubgraphParts, asked: Asked): Subgraph {
  return {
    name,
    schema: async () => ({ schema: schemaOf([sdl, resolvers]), sdl: FEDERATION + sdl }),
    migrations: '',
    start: async () => ({
      context: (request) => {
        asked.contexts++;
        return { ...request };
      },
    }),
  };
}
