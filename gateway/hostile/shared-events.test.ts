import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'graphql';
import { expect, it } from 'vitest';
import { createLogger } from '../../subgraphs/kit/log.ts';
import { supergraphOf } from '../../test/support/graph.ts';
import type { SubscriptionPlan } from '../answer.types.ts';
import type { GatewayContext } from '../context.ts';
import { Graph } from '../graph/graph.ts';
import type { Source, SubgraphResult, Variables } from '../sources/source.ts';
import { SharedEvent } from '../subscriptions/shared-event.ts';

const log = createLogger('test', 'silent');
const context: GatewayContext = { identity: null, requestId: 'r', log, subgraphContexts: new Map() };
const sdl = supergraphOf({
  jobs: [
    'type Query { a: Int } type Subscription { job: Job @tag(name: "shared-stream") } type Job @key(fields: "id") { id: ID! }',
    {},
  ],
  names: ['type Job @key(fields: "id") { id: ID! name: String owner: String }', {}],
  clock: ['type Job @key(fields: "id") { id: ID! late: Int }', {}],
});
/** What the second subgraph knows now, by field. */
let known: Record<string, string | null> = {};
const source = (name: string): Source => ({
  name,
  prepare: ({ text }) => ({
    execute: async (_: Variables): Promise<SubgraphResult> => {
      if (name === 'clock') await sleep(10);
      const entity: Record<string, unknown> = name === 'clock' ? { late: 1 } : {};
      for (const [, key = '', field = ''] of text.matchAll(/(\w+):(name|owner)/g)) entity[key] = known[field];
      for (const field of ['name', 'owner'])
        if (new RegExp(`[{ ]${field}[ }]`).test(text)) entity[field] = known[field];
      return { data: { _entities: [entity] } };
    },
    subscribe: async () => Promise.reject(new Error('not here')),
  }),
  stop: async () => {},
});
const graph = new Graph(sdl, { sources: new Map(['jobs', 'names', 'clock'].map((name) => [name, source(name)])), log });
const plan = (text: string) => graph.operation(parse(text)).subscription({}, context) as SubscriptionPlan;
const event = (): SubgraphResult => ({ data: { job: { __typename: 'Job', id: '1' } } });

it('gives each subscriber of a shared event the fields by its own names', async () => {
  known = { name: 'train', owner: 'Ubuyashiki' };
  const shared = new SharedEvent(event(), context);
  const names = plan('subscription { job { id x: name late } }');
  const owners = plan('subscription { job { id x: owner } }');
  expect(names.text).toBe(owners.text);
  const answers = await Promise.all([shared.answer(names), shared.answer(owners)]);
  expect(answers.map(({ data }) => data)).toEqual([
    { job: { id: '1', x: 'train', late: 1 } },
    { job: { id: '1', x: 'Ubuyashiki' } },
  ]);
});

it('tells a late subscriber what is now, also where that is nothing', async () => {
  known = { name: 'train', owner: null };
  const shared = new SharedEvent(event(), context);
  const names = plan('subscription { job { id name } }');
  await shared.answer(names);
  known = { name: null };
  expect((await shared.again().answer(names)).data).toEqual({ job: { id: '1', name: null } });
});
