import { setTimeout as sleep } from 'node:timers/promises';
import { buildSchema, type GraphQLSchema } from 'graphql';
import { HashiraError } from '../../subgraphs/kit/errors.ts';
import { createLogger } from '../../subgraphs/kit/log.ts';
import type { RequestContext } from '../../subgraphs/kit/subgraph.ts';
import { type SubgraphServer, startSubgraphServer } from '../../subgraphs/kit/subgraph-server.ts';

export const SUBGRAPH_SECRET = 's'.repeat(32);

/** What the resolvers of a small subgraph have seen. */
export interface Counts {
  /** Generators of subscriptions begun and ended. */
  opened: number;
  closed: number;
  /** Slow queries whose client left. */
  left: number;
  requestIds: string[];
}

/** A schema that says who asks, waits, fails, and ticks. */
export function smallSchema(counts: Counts): GraphQLSchema {
  const schema = buildSchema(`
    type Query { whoami: String slow(ms: Int!): Boolean missing: String broken: String }
    type Subscription { ticks(ms: Int!, count: Int!): Int waiting: Int whoami: String }
  `);
  const resolvers: Record<string, (args: never, context: RequestContext) => unknown> = {
    whoami: (_, { identity, requestId }) => {
      counts.requestIds.push(requestId);
      return identity ? `${identity.subject} ${identity.scopes.join(' ')}`.trim() : 'a visitor';
    },
    slow: async ({ ms }: { ms: number }, { signal }) => {
      await sleep(ms, undefined, { signal }).catch(() => {
        counts.left++;
      });
      return true;
    },
    missing: () => {
      throw new HashiraError('NOT_FOUND', 'No such thing.');
    },
    broken: () => {
      throw new Error('secret of the inside');
    },
  };
  for (const field of Object.values(schema.getQueryType()?.getFields() ?? {})) {
    field.resolve = (_, args, context) => resolvers[field.name]?.(args as never, context);
  }
  const counted = async function* <T>(events: AsyncIterable<T>) {
    counts.opened++;
    try {
      yield* events;
    } finally {
      counts.closed++;
    }
  };
  const streams: Record<
    string,
    (args: { ms: number; count: number }, context: RequestContext) => AsyncIterable<unknown>
  > = {
    ticks: async function* ({ ms, count }, { signal }) {
      for (let tick = 1; tick <= count; tick++) {
        await sleep(ms, undefined, { signal });
        yield tick;
      }
    },
    // biome-ignore lint/correctness/useYield: it never has anything to say
    waiting: async function* (_, { signal }) {
      await sleep(600_000, undefined, { signal, ref: false });
    },
    whoami: async function* (_, context) {
      yield resolvers.whoami?.({} as never, context);
    },
  };
  for (const field of Object.values(schema.getSubscriptionType()?.getFields() ?? {})) {
    field.subscribe = (_, args, context) =>
      counted((streams[field.name] as (typeof streams)[string])(args as never, context));
    field.resolve = (event) => event;
  }
  return schema;
}

export const noCounts = (): Counts => ({ opened: 0, closed: 0, left: 0, requestIds: [] });

/** That schema behind a subgraph's real door on loopback. */
export function startSmallSubgraph(
  counts: Counts,
  port = 0,
  options: { drainMs?: number; maxBytes?: number } = {},
): Promise<SubgraphServer> {
  return startSubgraphServer({
    name: 'small',
    schema: smallSchema(counts),
    running: { context: (request) => request },
    secret: SUBGRAPH_SECRET,
    log: createLogger('test', 'silent'),
    host: '127.0.0.1',
    port,
    ...options,
  });
}

/** @throws Error when it does not hold within the time */
export async function until(holds: () => boolean, withinMs = 5_000): Promise<void> {
  for (const end = Date.now() + withinMs; !holds(); ) {
    if (Date.now() > end) throw new Error(`It did not happen within ${withinMs} ms: ${holds}`);
    await sleep(10);
  }
}
