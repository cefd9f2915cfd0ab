import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../../scripts/postgres.ts';
import { Instance } from '../../support/instance.ts';
import type { Run } from './local.ts';
import { bytesBelow, watch } from './measure.ts';
import { END_DATE, PRODUCTS, usersOf } from './shop.ts';

const START_MS = 1_200_000;
const JOB_MS = 7_200_000;

/** The two jobs as applications of YARN, over HDFS and MinIO, asked for through the graph of a services profile of its own. */
export async function onYarn(events: number, folder: string): Promise<{ generate: Run; prepare: Run }> {
  const data = path.join(folder, 'services');
  const instance = new Instance(data, await freePort(), { SUMMARY_BATCH_MINUTES: '0' }, [], 'services');
  try {
    await instance.says('ready:', START_MS);
    const input = `{ users: ${usersOf(events)}, products: ${PRODUCTS}, interactions: ${events}, endDate: "${END_DATE}" }`;
    const hdfs = path.join(data, 'services/hadoop');
    const generate = await run(instance, `generateData(input: ${input})`, hdfs);
    const prepare = await run(instance, 'prepareDatasets', path.join(data, 'services/minio'));
    return { generate, prepare };
  } finally {
    await instance.stop();
  }
}

/** What the containers of YARN use is counted, from the order to the answer; HDFS, MinIO and the graph are not. */
async function run(instance: Instance, mutation: string, written: string): Promise<Run> {
  const before = await bytesBelow(written);
  const watching = watch((pid) => isContainerOf(pid, instance.dataDir));
  const { data, errors } = await instance.ask<Record<string, { id: string }>>(
    `mutation { ${mutation} { id } }`,
    'admin',
  );
  const id = Object.values(data ?? {})[0]?.id;
  if (!id) throw new Error(`${mutation} was refused: ${errors?.[0]?.message}`);
  for (const end = Date.now() + JOB_MS; Date.now() < end; await sleep(500)) {
    const answer = await instance.ask<{ job: { status: string; error: string; result: Run['result'] } }>(
      `{ job(id: "${id}") { status error result logs(last: 20) } }`,
      'admin',
    );
    const job = answer.data?.job;
    if (job?.status === 'FAILED' || job?.status === 'CANCELLED') throw new Error(JSON.stringify(job, null, 2));
    if (job?.status !== 'SUCCEEDED') continue;
    const usage = watching.stop();
    return { ...usage, bytes: (await bytesBelow(written)) - before, stages: [], result: job.result };
  }
  watching.stop();
  throw new Error(`${mutation} has not ended in ${JOB_MS / 60_000} minutes`);
}

/** The NodeManager starts each container by a script in the instance's folder; all else is below it. */
function isContainerOf(pid: number, dataDir: string): boolean {
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    return command.includes(dataDir) && command.includes('/container_');
  } catch {
    return false;
  }
}
