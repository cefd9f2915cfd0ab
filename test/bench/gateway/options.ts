import { parseArgs } from 'node:util';

/** The set-ups, by their names in the result and on the command line. */
export const QUERY_SETUPS = ['stock', 'hiveRust', 'http', 'inProcess'] as const;
export const EVENT_SETUPS = ['hive', 'ours'] as const;
export type QuerySetup = (typeof QUERY_SETUPS)[number];
export type EventSetup = (typeof EVENT_SETUPS)[number];

export interface Options {
  queries: QuerySetup[];
  events: EventSetup[];
  seconds: number;
  rounds: number;
  connections: number;
  /** Requests per second of the round at a fixed rate. */
  rate: number;
  /** Subscribers, and events per second of all of them together. */
  seats: number;
  eventRate: number;
  /** Folder for CPU profiles; undefined: none. */
  profiles: string | undefined;
}

export const USAGE = `npm run bench:gateway -- [OPTION…]
  --only LIST        of stock,hiveRust,http,inProcess (queries) and hive,ours (subscriptions); default: all
  --seconds N        of each round (3)            --rounds N       of each set-up, medians are shown (7)
  --connections N    of the closed loop (32)      --rate N         requests/s of the open loop (150)
  --seats N          subscribers (50)             --event-rate N   events/s, all subscribers together (500)
  --cpu-prof [DIR]   profiles the rounds: a .cpuprofile per set-up in DIR (.hashira/bench/profiles), and where the time goes`;

/** @throws Error with USAGE when an option is not known or no number */
export function readOptions(args: string[]): Options {
  const number = { type: 'string' } as const;
  const { values, positionals } = parse(() =>
    parseArgs({
      args,
      allowPositionals: true,
      options: {
        only: { type: 'string' },
        'cpu-prof': { type: 'boolean' },
        seconds: number,
        rounds: number,
        connections: number,
        rate: number,
        seats: number,
        'event-rate': number,
      },
    }),
  );
  const all: string[] = [...QUERY_SETUPS, ...EVENT_SETUPS];
  const only = values.only?.split(',') ?? all;
  const unknown = only.filter((name) => !all.includes(name));
  if (unknown.length > 0) throw new Error(`There is no set-up "${unknown.join(', ')}".\n${USAGE}`);
  if (positionals.length > (values['cpu-prof'] ? 1 : 0)) throw new Error(USAGE);
  const positive = (name: Exclude<keyof typeof values, 'only' | 'cpu-prof'>, otherwise: number) => {
    const value = Number(values[name] ?? otherwise);
    if (!(value > 0)) throw new Error(`--${name} must be a positive number.\n${USAGE}`);
    return value;
  };
  return {
    queries: QUERY_SETUPS.filter((name) => only.includes(name)),
    events: EVENT_SETUPS.filter((name) => only.includes(name)),
    seconds: positive('seconds', 3),
    rounds: Math.ceil(positive('rounds', 7)),
    connections: Math.ceil(positive('connections', 32)),
    rate: positive('rate', 150),
    seats: Math.ceil(positive('seats', 50)),
    eventRate: positive('event-rate', 500),
    profiles: values['cpu-prof'] ? (positionals[0] ?? '.hashira/bench/profiles') : undefined,
  };
}

function parse<Parsed>(work: () => Parsed): Parsed {
  try {
    return work();
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${USAGE}`);
  }
}
