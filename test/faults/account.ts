import { readParquet } from '../../subgraphs/kit/parquet.ts';
import { openLake, openStore } from '../../subgraphs/kit/storage/open.ts';
import type { Storage } from '../../subgraphs/kit/storage/storage.ts';
import type { Instance } from '../support/instance.ts';
import { begin, hasEnded, type Job, succeeded, until } from '../support/jobs.ts';
import type { Finding } from './death.ts';

/**
 * Prepares a last dataset and adds to the findings what was lost or doubled: tracked events in the lake, jobs, datasets.
 * @param generated good events of the shop itself
 * @returns what is wrong besides, and of no part in particular
 */
export async function account(instance: Instance, findings: Finding[], generated: number): Promise<string[]> {
  const last = await until(instance, await begin(instance, 'prepareDatasets'), succeeded, 900);
  const { config } = instance;
  const [lake, store] = [openLake(config), openStore(config)];
  const found = await trackedByQuantity(lake);
  for (const finding of findings) {
    const difference = (found.get(finding.mark) ?? 0) - finding.acknowledged;
    finding.lost += Math.max(0, -difference) + (await lostOf(instance, store, finding.jobs));
    finding.doubled += Math.max(0, difference);
  }
  const wrong: string[] = [];
  const expected = generated + findings.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
  const counted = last.result?.counts?.events;
  console.log(`  the last dataset has ${counted} events; generated and acknowledged: ${expected}`);
  if (counted !== expected) wrong.push('the last dataset does not have every event once');
  const drafts = (await store.list('datasets')).filter(({ name }) => name.startsWith('_'));
  if (drafts.length > 0) wrong.push(`half datasets were left: ${drafts.map(({ name }) => name).join(', ')}`);
  return wrong;
}

async function trackedByQuantity(lake: Storage): Promise<Map<number, number>> {
  const found = new Map<number, number>();
  for (const { name } of await lake.list('raw')) {
    if (!name.startsWith('tracked-') || !(await lake.committed(`raw/${name}`))) continue;
    for await (const { quantity } of readParquet<{ quantity: number }>(lake, `raw/${name}/events`, ['quantity']))
      found.set(quantity, (found.get(quantity) ?? 0) + 1);
  }
  return found;
}

/** How many of these jobs the graph no longer knows or never ended, or have told of a dataset that is not there. */
async function lostOf(instance: Instance, store: Storage, jobs: readonly Job[]): Promise<number> {
  let lost = 0;
  for (const { id, kind } of jobs) {
    const { data } = await instance.ask<{ job: Job | null }>(`{ job(id: "${id}") { status result } }`, 'admin');
    const version = kind === 'PREPARE_DATASETS' ? data?.job?.result?.dataVersion : undefined;
    const kept = data?.job && hasEnded(data.job) && (!version || (await store.committed(`datasets/${version}`)));
    if (!kept) lost++;
  }
  return lost;
}
