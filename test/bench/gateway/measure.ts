import type { Child } from './child.ts';
import type { LoadOrder, LoadResult } from './load.ts';
import type { Options } from './options.ts';
import type { Usage } from './probe.ts';
import type { Setup } from './setups.ts';
import type { Received } from './subscribers.ts';

export interface QueryRound extends LoadResult {
  cpuMs: number;
  rssMb: number;
  /** Of the subgraphs' process; 0 where they are in the gateway's. */
  subgraphMs: number;
  fetches: number;
  /** Of the round at a fixed rate. */
  openP99: number;
  openHashes: string;
}

export interface EventRound extends Received {
  cpuMs: number;
  fetches: number;
}

const WARM_UP_SECONDS = 4;
/** Numbers of requests, and of events, that one round may use up. */
const ROUND = 1_000_000;

/** Queries before the first round, so that every gateway is compiled and has its plan. */
export async function warmUp(setup: Setup, load: Child, { connections }: Options): Promise<void> {
  const order: LoadOrder = { url: setup.url, connections, seconds: WARM_UP_SECONDS, first: 0 };
  await load.ask<LoadResult>('run', order);
}

/**
 * One round: a closed loop, which gives throughput and CPU, then an open loop at a rate that every set-up can carry.
 * In a closed loop a gateway that is twice as fast gets twice the load, and latency there is little more than connections ÷
 * throughput; so the p99 that is compared is the open loop's, where all get the same requests at the same times.
 */
export async function queryRound(setup: Setup, load: Child, options: Options, round: number): Promise<QueryRound> {
  const { connections, seconds, rate } = options;
  const order: LoadOrder = { url: setup.url, connections, seconds, first: round * ROUND };
  await setup.subgraphs.ask('takeFetches');
  const before = await usages(setup);
  const closed = await load.ask<LoadResult>('run', order);
  const after = await usages(setup);
  const fetches = await setup.subgraphs.ask<number>('takeFetches');
  const open = await load.ask<LoadResult>('run', { ...order, rate, first: (round + 0.5) * ROUND });
  return {
    ...closed,
    cpuMs: (after.gateway.cpuMs - before.gateway.cpuMs) / closed.answers,
    subgraphMs:
      setup.subgraphs === setup.gateway ? 0 : (after.subgraphs.cpuMs - before.subgraphs.cpuMs) / closed.answers,
    rssMb: after.gateway.rssMb,
    fetches: fetches / closed.answers,
    openP99: open.p99,
    openHashes: open.hashes,
  };
}

async function usages({ gateway, subgraphs }: Setup) {
  return { gateway: await gateway.ask<Usage>('usage'), subgraphs: await subgraphs.ask<Usage>('usage') };
}

/** Opens the seats and waits until all are subscribed at the subgraph. */
export async function openSeats(setup: Setup, load: Child, { seats }: Options): Promise<void> {
  await load.ask('openSeats', { url: setup.url, seats });
  for (const deadline = Date.now() + 10_000; ; ) {
    await load.ask('checkSeats');
    const open = await setup.subgraphs.ask<number>('open');
    if (open === seats) return;
    if (Date.now() > deadline) throw new Error(`${open} of ${seats} subscriptions reached the subgraph.`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Events at a fixed rate: to each seat in its turn, or to all at one moment. */
export async function eventRound(
  setup: Setup,
  load: Child,
  { seats, eventRate, seconds }: Options,
  round: number,
  together: boolean,
): Promise<EventRound> {
  const count = Math.ceil((eventRate * seconds) / seats) * seats;
  await setup.subgraphs.ask('takeFetches');
  const before = await setup.gateway.ask<Usage>('usage');
  await setup.subgraphs.ask('emit', { seats, perSecond: eventRate, count, first: round * ROUND, together });
  const { hashes } = await load.ask<Received>('takeEvents', { count });
  const after = await setup.gateway.ask<Usage>('usage');
  const fetches = await setup.subgraphs.ask<number>('takeFetches');
  return { cpuMs: (after.cpuMs - before.cpuMs) / count, fetches: fetches / count, hashes };
}

/** Ends the subscriptions and waits until the subgraph knows. */
export async function closeSeats(setup: Setup, load: Child): Promise<void> {
  await load.ask('closeSeats');
  for (let tries = 0; (await setup.subgraphs.ask<number>('open')) > 0; tries++) {
    if (tries === 100) throw new Error('The subscriptions at the subgraph outlived their clients by 5 s.');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
