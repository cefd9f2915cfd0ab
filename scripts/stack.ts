import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../subgraphs/kit/config.ts';
import { spawnLeashed } from '../subgraphs/kit/leash.ts';
import { freePort, startPostgres } from './postgres.ts';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** Something that runs until it is stopped. */
export interface Service {
  name: string;
  stop(): Promise<unknown>;
  /** Settles when it ended by itself, with the reason. */
  ended: Promise<string>;
}

/** Addresses of what the processes of one instance need, whether embedded here or given by the operator. */
export interface Backends {
  env: { DATABASE_URL: string; MLFLOW_TRACKING_URI: string };
  services: Service[];
}

export class AlreadyRunning extends Error {
  constructor(
    readonly pid: number,
    readonly instance: Instance,
  ) {
    super(`This data folder is in use by a running instance (process ${pid}, ${instance.url}). Stop it first.`);
  }
}

/** What a running instance writes into its data folder so that other commands find it. Owner-only: has a password in it. */
interface Instance {
  pid: number;
  url: string;
  env?: Backends['env'];
}

const instanceFile = (dataDir: string) => path.join(dataDir, 'run', 'instance.json');

/** The instance that uses this data folder now, if any. */
export function runningInstance(dataDir: string): Instance | null {
  try {
    const instance: Instance = JSON.parse(readFileSync(instanceFile(dataDir), 'utf8'));
    process.kill(instance.pid, 0);
    return instance.pid === process.pid ? null : instance;
  } catch {
    return null;
  }
}

/** Claims the data folder for this process. @throws AlreadyRunning */
export function claim(config: Config): { publish(env: Backends['env']): void; release(): void } {
  const other = runningInstance(config.HASHIRA_DATA);
  if (other) throw new AlreadyRunning(other.pid, other);
  const file = instanceFile(config.HASHIRA_DATA);
  mkdirSync(path.dirname(file), { recursive: true });
  const url = `http://${config.HOST}:${config.PORT}/graphql`;
  const write = (instance: Instance) => writeFileSync(file, JSON.stringify(instance), { mode: 0o600 });
  write({ pid: process.pid, url });
  return {
    publish: (env) => write({ pid: process.pid, url, env }),
    release: () => rmSync(file, { force: true }),
  };
}

/** Starts the embedded parts that the configuration does not replace by an operator's own. */
export async function startBackends(config: Config): Promise<Backends> {
  const services: Service[] = [];
  let databaseUrl = config.DATABASE_URL;
  if (!databaseUrl) {
    const postgres = await startPostgres(path.join(config.HASHIRA_DATA, 'postgres'));
    databaseUrl = postgres.url;
    services.push({ name: 'PostgreSQL', stop: postgres.stop, ended: postgres.ended });
  }
  let mlflowUrl = config.MLFLOW_TRACKING_URI;
  if (!mlflowUrl) {
    const port = await freePort();
    mlflowUrl = `http://127.0.0.1:${port}`;
    services.push(startMlflow(config, port));
  }
  return { env: { DATABASE_URL: databaseUrl, MLFLOW_TRACKING_URI: mlflowUrl }, services };
}

/** MLflow takes ten seconds to come up and nobody waits for it: models are served from the local cache meanwhile. */
function startMlflow(config: Config, port: number): Service {
  const dir = path.join(config.HASHIRA_DATA, 'mlflow');
  mkdirSync(dir, { recursive: true });
  const args = [
    ...['-m', 'mlflow', 'server', '--host', '127.0.0.1', '--port', String(port), '--workers', '1'],
    ...['--backend-store-uri', `sqlite:///${path.join(dir, 'mlflow.db')}`],
    ...['--artifacts-destination', path.join(dir, 'artifacts')],
  ];
  const env = { MLFLOW_DISABLE_TELEMETRY: 'true', DO_NOT_TRACK: 'true', MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false' };
  return startService('MLflow', config, python(), args, env, dir);
}

export const python = (): string =>
  path.join(root, '.venv', process.platform === 'win32' ? 'Scripts' : 'bin', 'python');

/** Starts one of our own processes, or MLflow, with its output in logs/<name>.log. It dies with us, however we die. */
export function startService(
  name: string,
  config: Config,
  command: string,
  args: readonly string[],
  env: Record<string, string>,
  cwd = root,
  onLine?: (line: string) => void,
): Service {
  const logs = path.join(config.HASHIRA_DATA, 'logs');
  mkdirSync(logs, { recursive: true });
  const log = openSync(path.join(logs, `${name.toLowerCase()}.log`), 'a', 0o600);
  let tail: string[] = [];
  const child = spawnLeashed(command, args, {
    cwd,
    env: { ...process.env, ...env },
    onLine: (line) => {
      writeSync(log, `${line}\n`);
      tail = [...tail.slice(-4), line];
      onLine?.(line);
    },
  });
  const ended = child.exited.then(({ code, signal }) => {
    closeSync(log);
    return `${name} ended (${signal ?? `exit code ${code}`}): ${tail.join('\n') || 'without a word'}`;
  });
  return { name, ended, stop: () => child.stop(15_000) };
}
