import { setTimeout as sleep } from 'node:timers/promises';
import type { Instance } from './instance.ts';

/** A job as the graph tells it. */
export interface Job {
  id: string;
  kind: string;
  status: 'QUEUED' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';
  progress: number;
  stage: string | null;
  error: string | null;
  attempts: number;
  /** What the kinds of jobs tell; each its own part of it. */
  result: {
    batch?: string;
    dataVersion?: string;
    counts?: Record<string, number>;
    models?: { name: string; version: number }[];
  } | null;
  logs: string[];
}

const FIELDS = 'id kind status progress stage error attempts result logs(last: 20)';

export const hasEnded = ({ status }: Job): boolean => !['QUEUED', 'RUNNING'].includes(status);
export const succeeded = ({ status }: Job): boolean => status === 'SUCCEEDED';

/** Starts a job as the admin. @param mutation such as `prepareDatasets` @returns its id @throws Error when it is refused */
export async function begin(instance: Instance, mutation: string): Promise<string> {
  const { data, errors } = await instance.ask<Record<string, { id: string }>>(
    `mutation { ${mutation} { id } }`,
    'admin',
  );
  const id = Object.values(data ?? {})[0]?.id;
  if (!id) throw new Error(`${mutation} was refused: ${errors?.[0]?.message}`);
  return id;
}

/** Waits until a job is as wanted; a graph that does not answer is asked again. @throws Error with what the job said last */
export async function until(
  instance: Instance,
  id: string,
  wanted: (job: Job) => boolean,
  seconds = 420,
  pauseMs = 500,
): Promise<Job> {
  let job: Job | undefined;
  for (const end = Date.now() + seconds * 1_000; Date.now() < end; await sleep(pauseMs)) {
    const answer = await instance.ask<{ job: Job }>(`{ job(id: "${id}") { ${FIELDS} } }`, 'admin').catch(() => null);
    job = answer?.data?.job ?? job;
    if (job && wanted(job)) return job;
    if (job && hasEnded(job)) break;
  }
  throw new Error(`the job is not as wanted: ${JSON.stringify(job, null, 2)}`);
}
