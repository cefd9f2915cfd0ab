import { closeSync, globSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../subgraphs/kit/config.ts';
import { spawnLeashed } from '../subgraphs/kit/leash.ts';
import { freePort, startPostgres } from './postgres.ts';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** A process that runs until it is stopped. */
export interface Running {
  stop(): Promise<unknown>;
  /** Settles with the reason when it ended, by itself or stopped. */
  ended: Promise<string>;
}

/** Something that is started again when it dies, until it is stopped. */
export interface Service {
  name: string;
  stop(): Promise<unknown>;
}

/** Deaths within this time count against a service; after too many it is given up and the reason shown. */
const RESTART_WINDOW_MS = 600_000;
const MAX_RESTARTS = 5;

/** Starts a process and starts it again when it dies. What happened is told on stderr and in its log. */
export function keepAlive(name: string, start: () => Promise<Running>, first?: Running): Service {
  let stopping = false;
  let current: Promise<Running> = first ? Promise.resolve(first) : start();
  const watch = async () => {
    const deaths: number[] = [];
    while (!stopping) {
      const reason = await current.then(
        ({ ended }) => ended,
        (error: Error) => error.message,
      );
      if (stopping) return;
      const now = Date.now();
      deaths.push(now);
      const recent = deaths.filter((death) => now - death < RESTART_WINDOW_MS).length;
      console.error(`${reason}`);
      if (recent > MAX_RESTARTS) {
        console.error(`${name} has died ${recent} times in ten minutes and is not started again.`);
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 500 * 2 ** Math.min(recent - 1, 5)));
      if (!stopping) current = start();
    }
  };
  void watch();
  return {
    name,
    stop: async () => {
      stopping = true;
      await current.then(
        (running) => running.stop(),
        () => {},
      );
    },
  };
}

/** Addresses of what the processes of one instance need, whether embedded here or given by the operator. */
export interface Backends {
  env: Record<string, string> & { DATABASE_URL: string; MLFLOW_TRACKING_URI: string; CHROMA_URL: string };
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
    const port = await freePort();
    const start = () => startPostgres(path.join(config.HASHIRA_DATA, 'postgres'), { port });
    const first = await start();
    databaseUrl = first.url;
    services.push(keepAlive('PostgreSQL', start, first));
  }
  let mlflowUrl = config.MLFLOW_TRACKING_URI;
  if (!mlflowUrl) {
    const port = await freePort();
    mlflowUrl = `http://127.0.0.1:${port}`;
    services.push(keepAlive('MLflow', async () => startMlflow(config, port)));
  }
  let chromaUrl = config.CHROMA_URL;
  if (!chromaUrl) {
    const port = await freePort();
    chromaUrl = `http://127.0.0.1:${port}`;
    services.push(keepAlive('Chroma', async () => startChroma(config, port)));
  }
  return { env: { DATABASE_URL: databaseUrl, MLFLOW_TRACKING_URI: mlflowUrl, CHROMA_URL: chromaUrl }, services };
}

const withOurs = (env: Record<string, string>) => ({ NODE_ENV: 'production', ...process.env, ...env });

/** Nobody waits for it: models are served from the local cache until it is up. */
export function startMlflow(config: Config, port: number, env: Record<string, string> = {}): Running {
  const args = [
    'ml/common/mlflow_server.py',
    '--data',
    path.join(config.HASHIRA_DATA, 'mlflow'),
    '--port',
    String(port),
  ];
  return startService('MLflow', config, python(), args, withOurs({ DO_NOT_TRACK: 'true', ...env }));
}

/** Nobody waits for it: until it is up, searches go by words alone, and what is to be indexed waits. */
export function startChroma(config: Config, port: number): Running {
  const data = path.join(config.HASHIRA_DATA, 'chroma');
  const args = ['ml/common/chroma_server.py', '--data', data, '--port', String(port)];
  return startService('Chroma', config, python(), args, withOurs({ NO_COLOR: '1' }));
}

export const python = (): string =>
  path.join(root, '.venv', process.platform === 'win32' ? 'Scripts' : 'bin', 'python');

/** Where pyspark has the jars of Spark and of Hadoop's client. */
export const sparkJars = (): string => {
  const [lib] = globSync(path.join(root, '.venv/lib/python3.*/site-packages/pyspark/jars'));
  if (!lib) throw new Error('There is no pyspark in .venv.');
  return lib;
};

/** Starts a process with its output in logs/<name>.log. It dies with us, however we die. @param env all that it gets */
export function startService(
  name: string,
  config: Config,
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  onLine?: (line: string) => void,
): Running {
  const logs = path.join(config.HASHIRA_DATA, 'logs');
  mkdirSync(logs, { recursive: true });
  const log = openSync(path.join(logs, `${name.toLowerCase().replaceAll(' ', '-')}.log`), 'a', 0o600);
  let tail: string[] = [];
  const child = spawnLeashed(command, args, {
    cwd: root,
    env,
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
  return { ended, stop: () => child.stop(15_000) };
}

/** One of our own scripts as a service. */
export const startScript = (
  name: string,
  config: Config,
  script: string,
  env: Record<string, string>,
  onLine?: (line: string) => void,
): Running => startService(name, config, process.execPath, ['--import', 'tsx', script], withOurs(env), onLine);

/** @param name which of several it is */
export const startWorker = (config: Config, env: Record<string, string>, name = 'Worker'): Service =>
  keepAlive(name, async () => startScript(name, config, 'subgraphs/pipeline/worker.ts', env));
