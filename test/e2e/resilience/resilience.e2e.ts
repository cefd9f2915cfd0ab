import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, createClient } from 'graphql-ws';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import type { RequestContext } from '../../../subgraphs/kit/subgraph.ts';
import { post } from '../../support/instance.ts';
import { RemoteGraph } from './remote-graph.ts';

const TIMEOUT_MS = 700;

/** What the subgraphs do and what they have seen. */
const state = { hang: false, asked: 0, left: 0, written: 0, opened: 0, closed: 0 };

const swords = [
  `type Query { sword(id: ID!): Sword swords: [Sword!]! }
   type Mutation { forge: Sword }
   type Subscription { forged(ms: Int!): Sword @tag(name: "shared-stream") quiet: Sword }
   type Sword @key(fields: "id") { id: ID! name: String }`,
  {
    Query: {
      sword: (_: unknown, { id }: { id: string }) => ({ id, name: `Sword ${id}` }),
      swords: () => ['1', '2'].map((id) => ({ id, name: `Sword ${id}` })),
    },
    Mutation: {
      forge: () => {
        state.written++;
        return { id: '1', name: 'Sword 1' };
      },
    },
    Subscription: {
      forged: {
        subscribe: (_: unknown, { ms }: { ms: number }, { signal }: RequestContext) =>
          counted(async function* () {
            for (let id = 1; ; id++) {
              yield { forged: { id: String(id), name: `Sword ${id}` } };
              await sleep(ms, undefined, { signal });
            }
          }),
      },
      quiet: {
        subscribe: (_: unknown, __: unknown, { signal }: RequestContext) =>
          // biome-ignore lint/correctness/useYield: it never has anything to say
          counted(async function* () {
            await sleep(600_000, undefined, { signal, ref: false });
          }),
      },
    },
  },
] as const;

const reviews = [
  'type Sword @key(fields: "id") { id: ID! stars: Int }',
  {
    Sword: {
      stars: async ({ id }: { id: string }, _: unknown, { signal }: RequestContext) => {
        state.asked++;
        if (state.hang) {
          await sleep(600_000, undefined, { signal, ref: false }).catch(() => {
            state.left++;
          });
        }
        return Number(id) % 6;
      },
    },
  },
] as const;

async function* counted<T>(events: () => AsyncIterable<T>) {
  state.opened++;
  try {
    yield* events();
  } finally {
    state.closed++;
  }
}

let graph: RemoteGraph;
beforeEach(async () => {
  Object.assign(state, { hang: false, asked: 0, left: 0, written: 0, opened: 0, closed: 0 });
  graph = await RemoteGraph.start({ swords, reviews }, { SUBGRAPH_TIMEOUT_MS: String(TIMEOUT_MS) });
});
afterEach(() => graph.stop());

const ask = (query: string) => post<Record<string, unknown>>(graph.url, query);
const SWORD = '{ sword(id: "7") { name stars } }';
const WHOLE = { data: { sword: { name: 'Sword 7', stars: 1 } } };

async function timed<T>(work: Promise<T>): Promise<{ ms: number; result: T }> {
  const began = performance.now();
  const result = await work;
  return { ms: performance.now() - began, result };
}

describe('a subgraph that hangs', () => {
  it('costs its own fields and the time limit, then no time at all, until it is back', async () => {
    expect(await ask(SWORD)).toEqual(WHOLE);
    state.hang = true;
    const answers = await Promise.all(Array.from({ length: 20 }, () => timed(ask(SWORD))));
    for (const { ms, result } of answers) {
      expect(ms).toBeLessThan(TIMEOUT_MS + 1_500);
      expect(result.data).toEqual({ sword: { name: 'Sword 7', stars: null } });
      expect(result.errors).toMatchObject([{ path: ['sword'], extensions: { code: 'SUBGRAPH_TIMEOUT' } }]);
    }
    await vi.waitFor(() => expect(state.left).toBe(20));

    const { ms, result } = await timed(ask(SWORD));
    expect(ms).toBeLessThan(TIMEOUT_MS / 2);
    expect(result).toMatchObject({
      data: { sword: { stars: null } },
      errors: [{ extensions: { code: 'SUBGRAPH_UNAVAILABLE' } }],
    });
    expect(await graph.metric('hashira_subgraph_breaker_state{subgraph="reviews"}')).toBe(2);
    expect(await ask('{ swords { name } }')).toEqual({ data: { swords: [{ name: 'Sword 1' }, { name: 'Sword 2' }] } });

    state.hang = false;
    await vi.waitFor(async () => expect(await ask(SWORD)).toEqual(WHOLE), { timeout: 10_000, interval: 100 });
    expect(await graph.metric('hashira_subgraph_breaker_state{subgraph="reviews"}')).toBe(0);
  });

  it('is left at once by who leaves a WebSocket', async () => {
    state.hang = true;
    const client = subscriber();
    const asking = client.iterate({ query: SWORD });
    void asking.next().catch(() => {});
    await vi.waitFor(() => expect(state.asked).toBe(1));
    await asking.return?.();
    await vi.waitFor(() => expect(state.left).toBe(1), { timeout: TIMEOUT_MS - 200 });
    await client.dispose();
  });
});

describe('a subgraph that is away', () => {
  it('is asked once for a mutation, which is not done twice', async () => {
    await graph.subgraphs.swords?.stop();
    const { data, errors } = await ask('mutation { forge { name } }');
    expect([data, errors?.[0]?.extensions.code]).toEqual([{ forge: null }, 'SUBGRAPH_UNAVAILABLE']);
    await graph.subgraphs.swords?.start();
    expect(await ask('mutation { forge { name } }')).toEqual({ data: { forge: { name: 'Sword 1' } } });
    expect(state.written).toBe(1);
  });

  it('is not missed by a query when it is back soon', async () => {
    expect(await ask(SWORD)).toEqual(WHOLE);
    await graph.subgraphs.reviews?.stop();
    await graph.subgraphs.reviews?.start();
    expect(await ask(SWORD)).toEqual(WHOLE);
  });

  it('says nothing to a gateway with another secret', async () => {
    await graph.subgraphs.reviews?.stop();
    await graph.subgraphs.reviews?.start('f'.repeat(32));
    const { data, errors } = await ask(SWORD);
    expect([data, errors?.length]).toEqual([{ sword: { name: 'Sword 7', stars: null } }, 1]);
  });
});

describe('a subscription to a subgraph', () => {
  const FORGED = 'subscription { forged(ms: 20) { name stars } }';

  it('ends when the subgraph goes away, because asking again might do something twice', async () => {
    const client = subscriber();
    const next = client.iterate({ query: 'subscription { quiet { name } }' }).next();
    await vi.waitFor(() => expect(state.opened).toBe(1));
    await graph.subgraphs.swords?.stop();
    await graph.subgraphs.swords?.start();
    expect((await next).value).toMatchObject({ errors: [{ extensions: { code: 'SUBGRAPH_UNAVAILABLE' } }] });
    expect([state.opened, state.closed]).toEqual([1, 1]);
    await client.dispose();
  });

  it('goes on when the subgraph was away where it is shared, and joins what others know', async () => {
    const client = subscriber();
    const events = client.iterate<{ forged: { name: string; stars: number } }>({ query: FORGED });
    const seen: string[] = [];
    let again = false;
    for await (const { data, errors } of events) {
      expect(errors).toBeUndefined();
      const { name, stars } = data?.forged ?? { name: '', stars: -1 };
      expect(stars).toBe(Number(name.split(' ')[1]) % 6);
      seen.push(name);
      if (seen.length === 5) {
        await graph.subgraphs.swords?.stop();
        await graph.subgraphs.swords?.start();
      }
      again ||= seen.length > 5 && name === 'Sword 1';
      if (again && name === 'Sword 3') break;
    }
    expect(seen.slice(0, 5)).toEqual([1, 2, 3, 4, 5].map((id) => `Sword ${id}`));
    await vi.waitFor(() => expect([state.opened, state.closed]).toEqual([2, 2]));
    await client.dispose();
  });

  it('goes on without the fields of a subgraph that is away', async () => {
    const client = subscriber();
    await graph.subgraphs.reviews?.stop();
    const events = client.iterate({ query: FORGED });
    const { value } = await events.next();
    expect(value).toMatchObject({
      data: { forged: { name: 'Sword 1', stars: null } },
      errors: [{ path: ['forged'], extensions: { code: 'SUBGRAPH_UNAVAILABLE' } }],
    });
    await client.dispose();
  });

  it('is refused when the subgraph is not there', async () => {
    await graph.subgraphs.swords?.stop();
    const client = subscriber();
    const { value } = await client.iterate({ query: FORGED }).next();
    expect(value).toMatchObject({ errors: [{ extensions: { code: 'SUBGRAPH_UNAVAILABLE' } }] });
    await client.dispose();
  });

  it('leaves nothing in the subgraph when three hundred clients are cut off', async () => {
    const clients = Array.from({ length: 300 }, () => subscriber());
    for (const client of clients)
      void client
        .iterate({ query: 'subscription { quiet { name } }' })
        .next()
        .catch(() => {});
    await vi.waitFor(() => expect(state.opened).toBe(300), { timeout: 20_000 });
    for (const client of clients) client.terminate();
    await vi.waitFor(() => expect(state.closed).toBe(300), { timeout: 20_000 });
    expect(await ask(SWORD)).toEqual(WHOLE);
  });
});

function subscriber(): Client {
  return createClient({ url: graph.url.replace('http', 'ws'), webSocketImpl: WebSocket, retryAttempts: 0 });
}
