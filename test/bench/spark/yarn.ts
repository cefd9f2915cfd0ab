import path from 'node:path';
import { freePort } from '../../../scripts/postgres.ts';
import { Instance } from '../../support/instance.ts';
import { begin, succeeded, until } from '../../support/jobs.ts';
import { commandOf } from '../../support/processes.ts';
import type { Run } from './local.ts';
import { bytesBelow, watch } from './measure.ts';
import { END_DATE, PRODUCTS, usersOf } from './shop.ts';

const START_MS = 1_200_000;
const JOB_SECONDS = 7_200;

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
  try {
    const { result } = await until(instance, await begin(instance, mutation), succeeded, JOB_SECONDS);
    return { ...watching.stop(), bytes: (await bytesBelow(written)) - before, stages: [], result: result ?? {} };
  } finally {
    watching.stop();
  }
}

/** The NodeManager starts each container by a script in the instance's folder; all else is below it. */
function isContainerOf(pid: number, dataDir: string): boolean {
  const command = commandOf(pid);
  return command.includes(dataDir) && command.includes('/container_');
}
