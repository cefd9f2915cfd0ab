import type { Config } from '../subgraphs/kit/config.ts';
import type { Database } from '../subgraphs/kit/database.ts';
import { createLogger } from '../subgraphs/kit/log.ts';
import { parseAddress } from '../subgraphs/kit/storage/address.ts';
import { openLake } from '../subgraphs/kit/storage/open.ts';
import { enqueue, follow } from '../subgraphs/pipeline/enqueue.ts';
import { JobKind, JobStatus, type JsonObject } from '../subgraphs/pipeline/jobs.ts';
import { JobQueue } from '../subgraphs/pipeline/queue.ts';
import { listJobs } from '../subgraphs/pipeline/store.ts';
import type { Step } from './progress.ts';

const TITLES: Partial<Record<JobKind, string>> = {
  [JobKind.GENERATE_DATA]: 'Generate a shop',
  [JobKind.PREPARE_DATASETS]: 'Prepare datasets',
  [JobKind.TRAIN_MODELS]: 'Train and promote models',
  [JobKind.INDEX_CATALOG]: 'Index the catalogue',
};

/**
 * What the main job still lacks, as steps to run: all of it the first time, the rest after an interruption, nothing later.
 * An operator's own lake (HDFS, S3) is theirs to fill: nothing is generated into it unasked.
 */
export async function firstRun(config: Config, database: Database): Promise<Step[]> {
  const kinds: JobKind[] = [];
  if (parseAddress(config.LAKE_URI)?.scheme !== 'file') return [];
  if (!(await isFilled(config)) || (await unfinished(database, JobKind.GENERATE_DATA)))
    kinds.push(JobKind.GENERATE_DATA);
  if (kinds.length > 0 || !(await succeeded(database, JobKind.PREPARE_DATASETS))) kinds.push(JobKind.PREPARE_DATASETS);
  if (kinds.length > 0 || !(await succeeded(database, JobKind.TRAIN_MODELS))) kinds.push(JobKind.TRAIN_MODELS);
  if (kinds.includes(JobKind.GENERATE_DATA) || !(await succeeded(database, JobKind.INDEX_CATALOG)))
    kinds.push(JobKind.INDEX_CATALOG);
  const shop = config.DEMO_SHOP.split(',').filter(Boolean);
  const size = Object.fromEntries(shop.map((part) => [part.split('=')[0], Number(part.split('=')[1])]));
  return jobSteps(database, kinds, { inputs: { [JobKind.GENERATE_DATA]: size } });
}

/**
 * Steps that run jobs of these kinds one after the other.
 * @param options.fresh whether a job that is under way already is no good: it may have begun before the data came
 */
export function jobSteps(
  database: Database,
  kinds: readonly JobKind[],
  {
    fresh = false,
    inputs = {},
    signal,
  }: { fresh?: boolean; inputs?: Partial<Record<JobKind, JsonObject>>; signal?: AbortSignal } = {},
): Step[] {
  return kinds.map((kind) => ({
    title: TITLES[kind] ?? kind,
    run: async (report) => {
      signal?.throwIfAborted();
      const underWay = fresh ? null : await unfinished(database, kind);
      const id = underWay ?? (await ask(database, kind, inputs[kind]));
      const job = await follow(database, id, ({ progress, stage }) => report(progress, stage ?? ''), signal);
      if (job.status === JobStatus.SUCCEEDED) return;
      const reason = job.status === JobStatus.CANCELLED ? 'It was cancelled.' : job.error;
      throw new Error(`${TITLES[kind]} did not succeed. ${reason} (job ${job.id})`);
    },
  }));
}

/** What became of each model in the last training, a line each: a job succeeds also when its models do not pass the gate. */
export async function trainingOutcome(database: Database): Promise<string[]> {
  const filter = { after: null, kind: JobKind.TRAIN_MODELS, status: JobStatus.SUCCEEDED };
  const [job] = await listJobs(database, 1, filter);
  const { models = [], skipped = {} } = (job?.result ?? {}) as {
    models?: { name: string; version: number; production: boolean; gate: { passed: boolean; reason: string } }[];
    skipped?: Record<string, string>;
  };
  return [
    ...models.map(({ name, version, production, gate }) =>
      production
        ? `${name} version ${version} is in production.`
        : `${name} version ${version} is not in production: ${gate.reason}.`,
    ),
    ...Object.entries(skipped).map(([name, reason]) => `${name} was not trained: ${reason}`),
  ];
}

async function ask(database: Database, kind: JobKind, input?: JsonObject): Promise<string> {
  const queue = await JobQueue.open(database.url, createLogger('start', 'warn'), { worker: false });
  try {
    return (await enqueue({ database, queue }, kind, input)).id;
  } finally {
    await queue.stop(1_000);
  }
}

async function unfinished(database: Database, kind: JobKind): Promise<string | null> {
  for (const status of [JobStatus.RUNNING, JobStatus.QUEUED]) {
    const [job] = await listJobs(database, 1, { after: null, kind, status });
    if (job) return job.id;
  }
  return null;
}

async function succeeded(database: Database, kind: JobKind): Promise<boolean> {
  return (await listJobs(database, 1, { after: null, kind, status: JobStatus.SUCCEEDED })).length > 0;
}

/** Whether the lake has a complete batch. */
async function isFilled(config: Config): Promise<boolean> {
  const lake = openLake(config);
  for (const { name } of await lake.list('raw')) if (await lake.committed(`raw/${name}`)) return true;
  return false;
}
