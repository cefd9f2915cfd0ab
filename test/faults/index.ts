import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { freePort } from '../../scripts/postgres.ts';
import { untilTrue } from '../../scripts/services/until.ts';
import { loadConfig } from '../../subgraphs/kit/config.ts';
import { readParquet } from '../../subgraphs/kit/parquet.ts';
import { openLake, openStore } from '../../subgraphs/kit/storage/open.ts';
import { Yarn } from '../../subgraphs/pipeline/yarn.ts';
import { markdownTable } from '../bench/markdown.ts';
import { Instance } from '../support/instance.ts';
import { begin, hasEnded, type Job, succeeded, until } from '../support/jobs.ts';
import { JOBS, PARTS, type Part, processOf } from './parts.ts';
import { ALL, type Answers, keepAsking } from './probes.ts';
import { keepTracking } from './shoppers.ts';

/**
 * Kills each part of a services profile of its own, one at a time and in the middle of a job, while shoppers ask and are
 * tracked: does it come back, does the job succeed (at once, or when it is started again after it has told why not), does the
 * rest of the graph go on answering, and is any event, job or model version lost or doubled?
 *   --only NAME   one of them
 */
const { values: options } = parseArgs({ options: { only: { type: 'string' } } });

const SHOP = 'users: 1000, products: 400, days: 120, interactions: 40000, seed: 5';
/** Events of the parts are told apart by their quantity, which no other event has. */
const FIRST_MARK = 5_001;
const BACK_SECONDS = 120;

/** What one death came to. */
interface Finding {
  part: string;
  mark: number;
  acknowledged: number;
  /** Seconds until it was back. */
  away: number;
  /** What the job and, after a failure, the next one came to. */
  job: string;
  /** Questions that were answered, and that failed, meanwhile. */
  answered: number;
  failed: number;
  recovered: boolean;
  lost: number;
  doubled: number;
}

interface Profile {
  instance: Instance;
  ports: Record<string, number>;
  yarn: Yarn;
  product: string;
}

const begun: string[] = [];
async function start(instance: Instance, kind: Part['job']): Promise<string> {
  const id = await begin(instance, JOBS[kind](begun.length));
  begun.push(id);
  return id;
}

async function versions(instance: Instance): Promise<number> {
  const { data } = await instance.ask<{ models: object[] }>('{ models(name: "recommender") { version } }', 'analyst');
  if (!data) throw new Error('the graph does not tell its models');
  return data.models.length;
}

async function kill(profile: Profile, part: Part, mark: number): Promise<Finding> {
  const { instance, yarn } = profile;
  const before = await versions(instance);
  const tracking = keepTracking(instance, mark, profile.product);
  const ids = [await start(instance, part.job)];
  await until(instance, ids[0] as string, ({ stage }) => part.stage.test(stage ?? ''), 420, 50);
  const pid = processOf(part, instance);
  if (!pid) throw new Error(`there is no process of ${part.name}`);
  const asking = keepAsking(instance);
  const killedAt = Date.now();
  process.kill(pid, 'SIGKILL');
  const back = untilTrue(part.name, () => isBack(profile, part, pid), BACK_SECONDS).then(
    () => (Date.now() - killedAt) / 1_000,
    () => Number.POSITIVE_INFINITY,
  );
  const jobs = [await until(instance, ids[0] as string, hasEnded, 900)];
  const away = await back;
  if (jobs[0]?.status === 'FAILED') {
    ids.push(await start(instance, part.job));
    jobs.push(await until(instance, ids[1] as string, hasEnded, 900));
  }
  const answers = await asking.stop();
  const { acknowledged } = await tracking.stop();
  const after = await versions(instance);

  const good = jobs.filter(succeeded);
  const expected = part.job === 'train' ? good.length : 0;
  let doubled = Math.max(0, after - before - expected);
  for (const id of part.job === 'prepare' ? ids : []) {
    const done = (await yarn.list(`hashira-${id}`)).filter(({ finalStatus }) => finalStatus === 'SUCCEEDED');
    doubled += Math.max(0, done.length - 1);
  }
  const unexpected = failuresOf(
    answers,
    ALL.filter((probe) => !part.needed.includes(probe)),
  );
  for (const failure of new Set(unexpected)) console.log(`    failed although it does not need it: ${failure}`);
  return {
    ...{ part: part.name, mark, acknowledged, away, doubled },
    job: jobs.map(describe).join(', then '),
    answered: ALL.reduce((sum, probe) => sum + answers[probe].answered, 0),
    failed: failuresOf(answers, ALL).length,
    recovered: Number.isFinite(away) && good.length === 1 && unexpected.length === 0,
    lost: Math.max(0, before + expected - after),
  };
}

const failuresOf = (answers: Answers, probes: readonly (keyof Answers)[]): string[] =>
  probes.flatMap((probe) => answers[probe].failures.map((failure) => `${probe}: ${failure}`));

function describe({ status, attempts, error }: Job): string {
  if (status !== 'SUCCEEDED') return `${status} (${error})`;
  return attempts > 1 ? `SUCCEEDED at try ${attempts}` : status;
}

async function isBack({ instance, ports }: Profile, part: Part, killed: number): Promise<boolean> {
  const pid = processOf(part, instance);
  if (!pid || pid === killed) return false;
  return !part.address || (await fetch(part.address(ports), { signal: AbortSignal.timeout(2_000) })).ok;
}

/** Counts at the end what was tracked while each part was dead, and looks for jobs that are not there or never ended. */
async function account({ instance }: Profile, findings: Finding[], generated: number): Promise<void> {
  const last = await until(instance, await start(instance, 'prepare'), succeeded, 600);
  const config = await configurationOf(instance);
  const [lake, store] = [openLake(config), openStore(config)];
  const found = new Map<number, number>();
  for (const { name } of await lake.list('raw')) {
    if (!name.startsWith('tracked-') || !(await lake.committed(`raw/${name}`))) continue;
    for await (const { quantity } of readParquet<{ quantity: number }>(lake, `raw/${name}/events`, ['quantity']))
      found.set(quantity, (found.get(quantity) ?? 0) + 1);
  }
  for (const finding of findings) {
    const difference = (found.get(finding.mark) ?? 0) - finding.acknowledged;
    finding.lost += Math.max(0, -difference);
    finding.doubled += Math.max(0, difference);
  }
  const acknowledged = findings.reduce((sum, finding) => sum + finding.acknowledged, 0);
  const counted = last.result.counts.events;
  console.log(`  the last dataset has ${counted} events; generated and acknowledged: ${generated + acknowledged}`);
  if (counted !== generated + acknowledged) throw new Error('the last dataset has not every event once');
  for (const id of begun) {
    const { data } = await instance.ask<{ job: Job }>(`{ job(id: "${id}") { id kind status result } }`, 'admin');
    if (!data?.job || !hasEnded(data.job)) throw new Error(`the job ${id} is lost`);
    const { dataVersion } = data.job.result ?? {};
    if (data.job.kind === 'PREPARE_DATASETS' && dataVersion && !(await store.committed(`datasets/${dataVersion}`)))
      throw new Error(`the dataset ${dataVersion} is lost`);
  }
  const drafts = (await store.list('datasets')).filter(({ name }) => name.startsWith('_'));
  if (drafts.length > 0) throw new Error(`half datasets were left: ${drafts.map(({ name }) => name).join(', ')}`);
}

/** The configuration of the instance's own processes, which is also how this process gets at the key of its S3. */
async function configurationOf(instance: Instance) {
  const { env } = JSON.parse(await readFile(path.join(instance.dataDir, 'run/instance.json'), 'utf8'));
  Object.assign(process.env, env);
  return loadConfig(env);
}

const folder = await mkdtemp(path.join(tmpdir(), 'hashira-faults-'));
const instance = new Instance(
  path.join(folder, 'data'),
  await freePort(),
  { SUMMARY_BATCH_MINUTES: '0' },
  [],
  'services',
);
try {
  console.log('Starting a services profile, with a shop and models …');
  await instance.says('ready:', 1_200_000);
  const { ports } = JSON.parse(await readFile(path.join(folder, 'data/services/addresses.json'), 'utf8'));
  await until(instance, await begin(instance, `generateData(input: { ${SHOP} })`), succeeded);
  const prepared = await until(instance, await start(instance, 'prepare'), succeeded);
  await until(instance, await begin(instance, 'trainModels'), succeeded, 900);
  await until(instance, await begin(instance, 'indexCatalog'), succeeded);
  const { data } = await instance.ask<{ popular: { product: { id: string } }[] }>(
    '{ popular(first: 1) { product { id } } }',
  );
  const product = data?.popular[0]?.product.id as string;
  const profile = { instance, ports, product, yarn: new Yarn(`http://127.0.0.1:${ports.YARN_WEB_PORT}`) };
  await untilTrue('the graph', async () => failuresOf(await once(instance), ALL).length === 0);

  const findings: Finding[] = [];
  for (const [number, part] of PARTS.entries()) {
    if (options.only && options.only !== part.name) continue;
    console.log(`  ${part.name}, in the middle of a job (${part.job}) …`);
    const finding = await kill(profile, part, FIRST_MARK + number);
    console.log(`    back after ${finding.away.toFixed(0)} s; ${finding.job}`);
    findings.push(finding);
  }
  await account(profile, findings, prepared.result.counts.events);
  const rows = findings.map(({ part, away, job, answered, failed, acknowledged, lost, doubled }) => [
    ...[
      part,
      job,
      `${away.toFixed(0)} s`,
      `${answered} / ${failed}`,
      String(acknowledged),
      String(lost),
      String(doubled),
    ],
  ]);
  const head = ['killed', 'its job', 'back after', 'questions answered / failed', 'events tracked', 'lost', 'doubled'];
  console.log(`\n${markdownTable(head, rows, 2)}\n`);
  const summary = findings.map(({ part, recovered, lost, doubled }) => [part, { recovered, lost, doubled }]);
  console.log(JSON.stringify(Object.fromEntries(summary)));
  process.exitCode = findings.every(({ recovered, lost, doubled }) => recovered && lost + doubled === 0) ? 0 : 1;
} catch (error) {
  console.error(error);
  console.error(instance.output.slice(-3_000));
  process.exitCode = 1;
} finally {
  await instance.stop();
  await rm(folder, { recursive: true, force: true });
}

async function once(instance: Instance): Promise<Answers> {
  const asking = keepAsking(instance);
  return asking.stop();
}
