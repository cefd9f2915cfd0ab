import DataLoader from 'dataloader';
import type { Identity } from '../kit/auth.ts';
import type { Database } from '../kit/database.ts';
import type { ModelKey, ModelVersion, Registry, Split } from '../kit/registry.ts';
import type { RequestContext, Services } from '../kit/subgraph.ts';
import type { Drift } from './drift.ts';
import { driftOf } from './drift-store.ts';
import type { JobProgress } from './job-progress.ts';
import type { Job } from './jobs.ts';
import type { JobQueue } from './queue.ts';
import { findJobs, lastLines } from './store.ts';

/** What resolvers work with, made anew for each request. */
export interface PipelineContext {
  identity: Identity | null;
  signal: AbortSignal | undefined;
  database: Database;
  registry: Registry;
  queue: JobQueue;
  progress: JobProgress;
  jobs: DataLoader<string, Job | null>;
  modelVersions: DataLoader<ModelKey, ModelVersion | null, string>;
  /** The split of each model's traffic, by the model's name. */
  splits: DataLoader<string, Split | null>;
  /** Newest day first. */
  drift: DataLoader<ModelKey, Drift[], string>;
  driftThreshold: number;
  /** Last lines of jobs, by id; one loader per number of lines. */
  logs(last: number): DataLoader<string, string[]>;
  /** Forgets what was loaded. A subscription's context outlives each of its events. */
  refresh(): void;
}

export function createContext(
  { config, database, registry }: Services,
  queue: JobQueue,
  progress: JobProgress,
  { identity, signal }: RequestContext,
): PipelineContext {
  const jobs = new DataLoader<string, Job | null>((ids) => findJobs(database, ids));
  const logs = new Map<number, DataLoader<string, string[]>>();
  return {
    identity,
    signal,
    database,
    registry,
    queue,
    progress,
    jobs,
    modelVersions: new DataLoader((keys) => registry.getMany(keys, signal), {
      cacheKeyFn: ({ name, version }) => `${version} ${name}`,
    }),
    splits: new DataLoader((names) => Promise.all(names.map((name) => registry.split(name, signal)))),
    drift: new DataLoader((keys) => driftOf(database, keys), {
      cacheKeyFn: ({ name, version }) => `${version} ${name}`,
    }),
    driftThreshold: config.DRIFT_THRESHOLD,
    logs: (last) => {
      const loader = logs.get(last) ?? new DataLoader((ids) => lastLines(database, ids, last));
      logs.set(last, loader);
      return loader;
    },
    refresh: () => {
      jobs.clearAll();
      logs.clear();
    },
  };
}
