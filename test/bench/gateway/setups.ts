import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { freePort } from '../../../scripts/postgres.ts';
import { Child } from './child.ts';
import type { QuerySetup } from './options.ts';
import { composeShop } from './supergraph.ts';

/** A gateway at work. */
export interface Setup {
  gateway: Child;
  url: string;
  /** The process where its subgraphs are. */
  subgraphs: Child;
}

/** Where set-ups find what they share. */
export interface Place {
  /** For what ends with the run. */
  folder: string;
  peers: string;
  subgraphs: Child;
}

export const TITLES: Record<QuerySetup, string> = {
  stock: 'stock: Apollo Server + Apollo Gateway',
  hiveRust: 'Hive Gateway, Rust planner',
  http: 'ours, subgraphs by URL',
  inProcess: 'ours, subgraphs in process (their work included)',
};

const root = path.resolve(import.meta.dirname, '../../..');
const here = (file: string) => path.join(import.meta.dirname, file);
const tsx = ['--import', 'tsx'];
const probe = ['--import', pathToFileURL(here('probe.ts')).href];

export const startSubgraphs = async () =>
  (
    await Child.start('The process of the subgraphs', {
      args: [...probe, ...tsx, here('subgraphs.ts')],
      ready: /@ready/,
    })
  ).child;

export const startLoad = async () =>
  (await Child.start('The load generator', { args: [...tsx, here('load.ts')], ready: /@ready/ })).child;

/** Everything of ours is at its default but the number of requests one address may send, which counts as always. */
function ourEnvironment({ folder }: Place): NodeJS.ProcessEnv {
  return {
    NODE_ENV: 'production',
    HASHIRA_DATA: path.join(folder, 'data'),
    HOST: '127.0.0.1',
    PORT: '0',
    SUBGRAPH_SECRET: 'a secret of the benchmark, of at least 32 characters',
    RATE_LIMIT_PER_MINUTE: '1000000000',
    RATE_LIMIT_ADDRESS_PER_MINUTE: '1000000000',
  };
}

const starters: Record<QuerySetup, (place: Place, supergraph: string) => Promise<Omit<Setup, 'subgraphs'>>> = {
  async stock({ peers }, supergraph) {
    const { child, match } = await Child.start('Apollo Gateway', {
      args: [...probe, path.join(peers, 'stock.mjs'), supergraph],
      cwd: peers,
      env: { NODE_ENV: 'production', APOLLO_TELEMETRY_DISABLED: '1' },
      ready: /@ready (\S+)/,
    });
    return { gateway: child, url: match[1] as string };
  },

  async hiveRust({ peers }, supergraph) {
    const port = await freePort();
    const program = path.join(peers, 'node_modules/@graphql-hive/gateway/dist/bin.js');
    const options = ['--hive-router-runtime', '--config-path', 'hive.config.mjs', '--fork', '1'];
    const { child } = await Child.start('Hive Gateway', {
      args: [...probe, program, 'supergraph', supergraph, '--host', '127.0.0.1', '--port', String(port), ...options],
      cwd: peers,
      env: { NODE_ENV: 'production' },
      ready: /listening/i,
    });
    return { gateway: child, url: `http://127.0.0.1:${port}/graphql` };
  },

  async http(place, supergraph) {
    const { child, match } = await Child.start('Our gateway, by HTTP,', {
      args: [...probe, ...tsx, 'gateway/index.ts'],
      cwd: root,
      env: { ...ourEnvironment(place), SUPERGRAPH_FILE: supergraph },
      ready: /@ready (\S+)/,
    });
    return { gateway: child, url: new URL('/graphql', match[1]).href };
  },

  async inProcess(place) {
    const supergraph = path.join(place.folder, 'local.graphql');
    await writeFile(
      supergraph,
      composeShop((name) => `local://${name}`),
    );
    const { child, match } = await Child.start('Our gateway, in process,', {
      args: [...probe, ...tsx, here('in-process.ts'), supergraph],
      cwd: root,
      env: ourEnvironment(place),
      ready: /@ready (\S+)/,
    });
    return { gateway: child, url: new URL('/graphql', match[1]).href };
  },
};

/** @throws Error that says what the gateway said when it does not start */
export async function start(name: QuerySetup, place: Place): Promise<Setup> {
  const urls = await place.subgraphs.ask<Record<string, string>>('urls');
  // A file of its own: gateways look whether theirs has changed.
  const supergraph = path.join(place.folder, `${name}.graphql`);
  await writeFile(
    supergraph,
    composeShop((subgraph) => urls[subgraph] as string),
  );
  const started = await starters[name](place, supergraph);
  return { ...started, subgraphs: name === 'inProcess' ? started.gateway : place.subgraphs };
}
