import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { decodeJwt } from 'jose';
import { readManifest } from '../gateway/protection/manifest.ts';
import { type Config, ConfigError, loadConfig } from '../subgraphs/kit/config.ts';
import { Database } from '../subgraphs/kit/database.ts';
import { firstRun, trainingOutcome } from './first-run.ts';
import { runSteps, type Step, type Timing } from './progress.ts';
import { type Backends, claim, keepAlive, type Service, startScript } from './stack.ts';
import { type Tokens, writeTokens } from './tokens.ts';

const MANIFEST = new URL('../schema/operations/manifest.json', import.meta.url);

/** An instance in the making: what was started, and where everything is. */
export interface Started {
  config: Config;
  services: Service[];
  /** What the processes that come later need to know. */
  env: Record<string, string>;
  /** Tells other commands on this data folder where things are. */
  publish(env: Backends['env']): void;
}

/** Something the person can mend; shown without a stack. */
export class StartError extends Error {}

/**
 * Brings up an instance, and the first time runs the main job. Ends with Ctrl-C or SIGTERM.
 * @param steps bring up all parts; services are stopped in the opposite order of starting
 * @param made names in the data folder of what the instance makes, for `--fresh`
 */
export async function runInstance(
  steps: (started: Started) => Step[],
  { fresh, made, notes = [] }: { fresh: boolean; made: readonly string[]; notes?: string[] },
): Promise<void> {
  const startedAt = Date.now();
  const config = loadConfig();
  await assertPortFree(config);
  const instance = claim(config);
  const started: Started = { config, services: [], env: {}, publish: instance.publish };
  let stopping: Promise<void> | undefined;
  const stop = (code: number) => {
    stopping ??= (async () => {
      console.log('\nStopping …');
      // In the opposite order of starting: nobody loses what it stands on.
      for (const service of started.services.reverse()) await service.stop();
      instance.release();
      process.exit(code);
    })();
    return stopping;
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop(0));
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && void stop(1), 1_000).unref();

  let serving = false;
  try {
    // Everything this instance made goes, except who claims the folder now.
    if (fresh)
      for (const name of made) await rm(path.join(config.HASHIRA_DATA, name), { recursive: true, force: true });
    const setup: Timing[] = JSON.parse(process.env.HASHIRA_SETUP ?? '[]');
    const timings = [...setup, ...(await runSteps(steps(started)))];
    serving = true;
    const total =
      (Date.now() - startedAt) / 1000 + setup.reduce((longest, { seconds }) => Math.max(longest, seconds), 0);
    const database = new Database(started.env.DATABASE_URL as string, { max: 2, name: 'start' });
    const url = `http://${config.HOST}:${config.PORT}`;
    const tokens = await writeTokens(config, database);
    announce(config, url, tokens, notes);
    const todo = await firstRun(loadConfig({ ...process.env, ...started.env }), database);
    if (todo.length > 0) {
      console.log('The main job runs now, once: data, training, promotion. The graph answers meanwhile.\n');
      timings.push(...(await runSteps(todo)));
      console.log();
      for (const line of await trainingOutcome(database)) console.log(line);
      const now = await writeTokens(config, database);
      if (now && tokens && subject(now.customer) !== subject(tokens.customer)) {
        console.log(`\nThe customer's token is now that of a user with a typical history:\n  ${now.customer}`);
      }
    }
    await database.close();
    printTimings(timings, total);
  } catch (error) {
    if (stopping) return;
    console.error(`\n${(error as Error).message}`);
    console.error(`The logs are in ${path.join(path.relative('', config.HASHIRA_DATA) || '.', 'logs')}.`);
    // What runs keeps running when only a job failed: the graph answers, and the job can be started again.
    if (!serving) await stop(1);
  }
}

/** What a script does with a failure before anything was started. */
export function endWith(error: Error): never {
  const expected = error instanceof ConfigError || error instanceof StartError || error.name === 'AlreadyRunning';
  console.error(expected ? error.message : error);
  process.exit(1);
}

/** A clear word before anything is started. */
function assertPortFree({ HOST, PORT }: Config): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new StartError(
          error.code === 'EADDRINUSE'
            ? `Port ${PORT} on ${HOST} is taken. Stop what uses it, or choose another: PORT=4100 npm start`
            : `Cannot listen on ${HOST}:${PORT}: ${error.message}`,
        ),
      ),
    );
    probe.listen(PORT, HOST, () => probe.close(() => resolve()));
  });
}

/** Starts the gateway and waits until it answers a query that touches a subgraph and the database. */
export async function startGateway(config: Config, env: Record<string, string>): Promise<Service> {
  let ready: () => void = () => {};
  let failed: (error: Error) => void = () => {};
  const firstReady = new Promise<void>((resolve, reject) => {
    ready = resolve;
    failed = reject;
  });
  const start = async () => {
    const running = startScript('gateway', config, 'gateway/index.ts', env, (line) => {
      if (line.startsWith('@ready')) ready();
    });
    running.ended.then((reason) => failed(new StartError(reason)));
    return running;
  };
  const service = keepAlive('Gateway', start);
  await firstReady.catch(async (error) => {
    await service.stop();
    throw error;
  });
  await answers(`http://${config.HOST}:${config.PORT}/graphql`);
  return service;
}

async function answers(url: string): Promise<void> {
  const { operations } = await readManifest(MANIFEST);
  // A trusted document is run whatever TRUSTED_DOCUMENTS says.
  const { body: query } = operations.find(({ name }) => name === 'Categories') as { body: string };
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
    signal: AbortSignal.timeout(10_000),
  });
  const { errors } = (await response.json()) as { errors?: { message: string }[] };
  if (errors) throw new StartError(`The gateway does not answer: ${errors[0]?.message}`);
}

function announce(config: Config, url: string, tokens: Tokens | null, notes: string[]): void {
  console.log(`\nready: ${url}/graphql\n`);
  for (const note of notes) console.log(note);
  console.log(`Shop:      ${url}`);
  console.log(`Explorer:  ${url}/graphiql   (Apollo Sandbox: ${url}/graphql)\n`);
  if (tokens) {
    console.log(`Development tokens (also in ${path.relative('', path.join(config.HASHIRA_DATA, 'tokens.json'))}):`);
    for (const [role, token] of Object.entries(tokens)) console.log(`  ${role.padEnd(9)} ${token}`);
  }
  console.log(`
Three to paste. For visitors:
  { popular(first: 5) { rank product { name price { amount currency } } } }
For visitors too, once the catalogue is indexed:
  mutation { sendMessage(input: { clientMessageId: "first", text: "Which katana is the lightest?" }) { text citations { number product { name } snippet } } }
With the customer's token, as the header {"Authorization": "Bearer <token>"}:
  { me { recommendations(first: 10) { edges { node { score reason product { name price { amount } } } } model { name version } } } }
`);
}

const subject = (token: string) => decodeJwt(token).sub;

function printTimings(timings: Timing[], ready: number): void {
  console.log('\nTime of each stage:');
  for (const { name, seconds } of timings) console.log(`  ${name.padEnd(30)} ${seconds.toFixed(1).padStart(6)} s`);
  console.log(`  ${'until ready'.padEnd(30)} ${ready.toFixed(1).padStart(6)} s`);
  console.log('\nCtrl-C stops everything.');
}
