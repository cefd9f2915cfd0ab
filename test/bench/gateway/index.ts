import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Child } from './child.ts';
import { closeSeats, eventRound, openSeats, queryRound, warmUp } from './measure.ts';
import { type EventSetup, type Options, type QuerySetup, readOptions } from './options.ts';
import { installPeers } from './peers.ts';
import { startProfile, stopProfile } from './profile.ts';
import { eventTable, faults, heading, queryTable, type Results, ratios, summary, verdict } from './report.ts';
import { type Place, type Setup, start, startLoad, startSubgraphs } from './setups.ts';

const problems: string[] = [];

/** Does it and goes on without it when it fails: one set-up that is broken leaves the others to be compared. */
async function attempt(name: string, work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    problems.push(`${name}: ${(error as Error).message}`);
    return false;
  }
}

/** Starts the set-ups, runs the rounds of all in turn, and leaves out what fails. */
async function inTurn<Name extends string>(
  names: readonly Name[],
  { rounds, profiles }: Options,
  begin: (name: Name) => Promise<Setup>,
  round: (name: Name, setup: Setup, number: number) => Promise<void>,
): Promise<void> {
  const setups = new Map<Name, Setup>();
  try {
    for (const name of names) {
      console.log(`  starting ${name} …`);
      await attempt(name, async () => void setups.set(name, await begin(name)));
    }
    if (profiles) await Promise.all([...setups.values()].map(startProfile));
    for (let number = 1; number <= rounds; number++) {
      for (const [name, setup] of setups) {
        console.log(`  round ${number} of ${rounds}: ${name}`);
        if (await attempt(name, () => round(name, setup, number))) continue;
        setups.delete(name);
        await setup.gateway.stop();
      }
    }
    if (profiles) for (const [name, setup] of setups) console.log(`\n${await stopProfile(name, setup, profiles)}`);
  } finally {
    await Promise.all([...setups.values()].map(({ gateway }) => gateway.stop()));
  }
}

async function measure(options: Options, place: Place, load: Child): Promise<Results> {
  const results: Results = { queries: {}, events: {} };
  const begin = async (name: QuerySetup) => {
    const setup = await start(name, place);
    await warmUp(setup, load, options);
    return setup;
  };
  await inTurn(options.queries, options, begin, async (name, setup, number) => {
    results.queries[name] ??= [];
    results.queries[name].push(await queryRound(setup, load, options, number));
  });
  const of: Record<EventSetup, QuerySetup> = { hive: 'hiveRust', ours: 'http' };
  await inTurn(
    options.events,
    options,
    (name) => start(of[name], place),
    async (name, setup, number) => {
      await openSeats(setup, load, options);
      await eventRound(setup, load, { ...options, seconds: 3 }, number * 3, false);
      const apart = await eventRound(setup, load, options, number * 3 + 1, false);
      const together = await eventRound(setup, load, options, number * 3 + 2, true);
      await closeSeats(setup, load);
      results.events[name] ??= { apart: [], together: [] };
      results.events[name].apart.push(apart);
      results.events[name].together.push(together);
    },
  );
  return results;
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  const cache = path.resolve('.hashira/bench');
  const peers = path.join(cache, 'peers');
  const folder = mkdtempSync(path.join(tmpdir(), 'hashira-bench-'));
  mkdirSync(path.join(folder, 'data'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  const needsPeers = options.events.includes('hive') || options.queries.some((name) => /stock|hive/.test(name));
  let versions: string[] = [];
  if (needsPeers)
    await attempt('peers', async () => {
      versions = await installPeers(peers);
    });
  console.log(heading(options, versions));
  const [subgraphs, load] = await Promise.all([startSubgraphs(), startLoad()]);
  try {
    const results = await measure(options, { folder, peers, subgraphs }, load);
    if (options.queries.length) console.log(`\n${queryTable(results, options)}`);
    if (options.events.length) console.log(`\n${eventTable(results, options)}`);
    console.log(`\n${ratios(results)}`);
    problems.push(...faults(results));
    if (problems.length === 0) console.log(verdict(results));
    for (const problem of problems) console.log(`\nFAILED  ${problem}`);
    console.log(summary(results));
  } finally {
    await Promise.all([subgraphs.stop(), load.stop()]);
  }
  process.exitCode = problems.length === 0 ? 0 : 1;
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exit(1);
});
