import os from 'node:os';
import { markdownTable } from '../markdown.ts';
import type { EventRound, QueryRound } from './measure.ts';
import { EVENT_SETUPS, type EventSetup, type Options, QUERY_SETUPS, type QuerySetup } from './options.ts';
import { TITLES } from './setups.ts';
import { FETCHES_PER_REQUEST } from './shop.ts';

export interface EventRounds {
  apart: EventRound[];
  together: EventRound[];
}

export interface Results {
  queries: Partial<Record<QuerySetup, QueryRound[]>>;
  events: Partial<Record<EventSetup, EventRounds>>;
}

const EVENT_TITLES: Record<EventSetup, string> = { hive: TITLES.hiveRust, ours: TITLES.http };

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** Median of one figure of all rounds; null when there are none. */
function of<Round>(rounds: Round[] | undefined, figure: keyof Round & string): number | null {
  return rounds?.length ? median(rounds.map((round) => round[figure] as number)) : null;
}

const digits = (value: number | null, places: number) => (value === null ? '–' : value.toFixed(places));
const ratio = (a: number | null, b: number | null) => (a === null || b === null ? '–' : `1/${(b / a).toFixed(1)}`);

export function heading(options: Options, versions: readonly string[]): string {
  const cpus = os.cpus();
  return [
    `${new Date().toISOString()} · Node ${process.version} · ${os.platform()} ${os.release()} · ${cpus.length} × ${cpus[0]?.model} · ` +
      `${Math.round(os.totalmem() / 2 ** 30)} GB · load before: ${os
        .loadavg()
        .map((load) => load.toFixed(1))
        .join(' ')}`,
    `${versions.join(' · ')}`,
    `${options.rounds} rounds of ${options.seconds} s, set-ups in turn, medians. Load generator, gateway and subgraphs share the machine: ` +
      'CPU per request is the figure that does not depend on that.',
    'All run with NODE_ENV=production and their defaults. Ours has every protection on; its rate limits count, but allow 1e9 requests per minute.',
  ].join('\n');
}

export function queryTable({ queries }: Results, { connections, rate }: Options): string {
  const rows = QUERY_SETUPS.filter((name) => queries[name]).map((name) => {
    const rounds = queries[name];
    return [
      TITLES[name],
      digits(of(rounds, 'perSecond'), 0),
      digits(of(rounds, 'p50'), 1),
      digits(of(rounds, 'p99'), 1),
      digits(of(rounds, 'openP99'), 1),
      digits(of(rounds, 'cpuMs'), 3),
      digits(of(rounds, 'subgraphMs') || null, 3),
      digits(of(rounds, 'rssMb'), 0),
      digits(of(rounds, 'fetches'), 2),
    ];
  });
  const head = [
    'query',
    'requests/s',
    'p50 ms',
    'p99 ms',
    `p99 ms at ${rate}/s`,
    'CPU ms/request',
    'of subgraphs',
    'RSS MB',
    'fetches',
  ];
  return `Closed loop over ${connections} connections; p99 also at ${rate} requests/s for all (p99Ms).\n${markdownTable(head, rows)}`;
}

export function eventTable({ events }: Results, { seats, eventRate }: Options): string {
  const rows = EVENT_SETUPS.filter((name) => events[name]).map((name) => [
    EVENT_TITLES[name],
    digits(of(events[name]?.apart, 'cpuMs'), 3),
    digits(of(events[name]?.apart, 'fetches'), 2),
    digits(of(events[name]?.together, 'cpuMs'), 3),
    digits(of(events[name]?.together, 'fetches'), 2),
  ]);
  const head = ['subscription', 'CPU ms/event', 'fetches', 'CPU ms/event, all at once', 'fetches'];
  return (
    `${seats} subscribers over graphql-ws, ${eventRate} events/s in all, two entity hops each, no entity twice; ` +
    `evenly spaced (eventCpuMs), or all subscribers at one moment.\n${markdownTable(head, rows)}`
  );
}

export function ratios({ queries, events }: Results): string {
  const cpu = (name: QuerySetup) => of(queries[name], 'cpuMs');
  const event = (name: EventSetup, how: keyof EventRounds) => of(events[name]?.[how], 'cpuMs');
  return [
    `CPU of stock: in process ${ratio(cpu('inProcess'), cpu('stock'))}, by HTTP ${ratio(cpu('http'), cpu('stock'))}`,
    `CPU of Hive Gateway: by HTTP ${ratio(cpu('http'), cpu('hiveRust'))}, in process ${ratio(cpu('inProcess'), cpu('hiveRust'))}`,
    `CPU of an event in Hive Gateway: ${ratio(event('ours', 'apart'), event('hive', 'apart'))}, ` +
      `all at once ${ratio(event('ours', 'together'), event('hive', 'together'))}`,
  ].join('\n');
}

/** Hashes of answers, one string per round, of each set-up that was measured. */
function answers({ queries, events }: Results): [what: string, setups: Record<string, string[]>][] {
  const each = <Round>(rounds: Partial<Record<string, Round[]>>, figure: keyof Round) =>
    Object.fromEntries(
      Object.entries(rounds).map(([name, list]) => [name, (list ?? []).map((round) => String(round[figure]))]),
    );
  const how = (key: keyof EventRounds) =>
    Object.fromEntries(Object.entries(events).map(([name, rounds]) => [name, rounds[key]]));
  return [
    ['Queries, closed loop', each<QueryRound>(queries, 'hashes')],
    ['Queries, fixed rate', each<QueryRound>(queries, 'openHashes')],
    ['Events, evenly spaced', each<EventRound>(how('apart'), 'hashes')],
    ['Events, all at once', each<EventRound>(how('together'), 'hashes')],
  ];
}

/** In a closed loop one may have answered more than another: what both have answered is compared. */
const alike = (a: string, b: string) => a.startsWith(b) || b.startsWith(a);

/** What makes the comparison void: set-ups that answered differently, or with other fetches than planned. */
export function faults({ queries, events }: Results): string[] {
  const found: string[] = [];
  for (const [what, setups] of answers({ queries, events })) {
    const [first, ...others] = Object.keys(setups);
    for (const name of others) {
      const equal = setups[name]?.every((hashes, round) => alike(hashes, setups[first as string]?.[round] ?? ''));
      if (!equal) found.push(`${what}: "${name}" and "${first}" did not answer the same.`);
    }
  }
  for (const name of QUERY_SETUPS) {
    const wrong = queries[name]?.find(({ fetches }) => fetches !== FETCHES_PER_REQUEST);
    if (wrong)
      found.push(`"${name}" took ${wrong.fetches.toFixed(3)} fetches per request, not ${FETCHES_PER_REQUEST}.`);
  }
  return found;
}

/** What holds when nothing is at fault. */
export function verdict({ queries, events }: Results): string {
  const said = [];
  if (Object.keys(queries).length > 1 || Object.keys(events).length > 1)
    said.push('The answers of all set-ups are equal.');
  if (Object.keys(queries).length > 0)
    said.push(`Each request took ${FETCHES_PER_REQUEST}.00 fetches in every set-up.`);
  return said.join(' ');
}

/** The line for a machine: medians; null for what was not measured. */
export function summary({ queries, events }: Results): string {
  const rounded = (value: number | null) => (value === null ? null : Number(value.toFixed(3)));
  const all = (figure: 'cpuMs' | 'openP99') =>
    Object.fromEntries(QUERY_SETUPS.map((name) => [name, rounded(of(queries[name], figure))]));
  const eventCpuMs = Object.fromEntries(EVENT_SETUPS.map((name) => [name, rounded(of(events[name]?.apart, 'cpuMs'))]));
  return JSON.stringify({ cpuMs: all('cpuMs'), p99Ms: all('openP99'), eventCpuMs });
}
