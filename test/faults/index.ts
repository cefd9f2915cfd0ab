import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { freePort } from '../../scripts/postgres.ts';
import { untilTrue } from '../../scripts/services/until.ts';
import { markdownTable } from '../bench/markdown.ts';
import { Instance } from '../support/instance.ts';
import { begin, type Job, succeeded, until } from '../support/jobs.ts';
import { account } from './account.ts';
import { die, type Finding } from './death.ts';
import { PARTS } from './parts.ts';
import { ALL, failuresOf, keepAsking } from './probes.ts';

/**
 * Kills each part of a services profile of its own, one at a time and in the middle of a job, while shoppers ask and are
 * tracked: does it come back, does the job succeed (at once, or when it is started again after it has told why not), does the
 * rest of the graph go on answering, and is any event, job, dataset or model version lost or doubled?
 *   --only NAME   one of them
 */
const { values: options } = parseArgs({ options: { only: { type: 'string' } } });

const SHOP = 'users: 1000, products: 400, days: 120, interactions: 40000, seed: 5';
/** Events of the parts are told apart by their quantity, which no other event has. */
const FIRST_MARK = 5_001;

const folder = await mkdtemp(path.join(tmpdir(), 'hashira-faults-'));
const data = path.join(folder, 'data');
const instance = new Instance(data, await freePort(), { SUMMARY_BATCH_MINUTES: '0' }, [], 'services');
try {
  console.log('Starting a services profile, with a shop and models …');
  const { events, product } = await shopWithModels();
  const findings: Finding[] = [];
  const wrong: string[] = [];
  for (const [number, part] of PARTS.entries()) {
    if (options.only && options.only !== part.name) continue;
    console.log(`  ${part.name}, in the middle of a job (${part.job}) …`);
    try {
      const finding = await die(instance, part, FIRST_MARK + number, product);
      console.log(`    back after ${finding.away.toFixed(0)} s; ${outcome(finding.jobs)}`);
      findings.push(finding);
    } catch (error) {
      wrong.push(`${part.name}: ${(error as Error).message}`);
    }
  }
  wrong.push(...(await account(instance, findings, events)));
  const rows = findings.map(({ part, away, jobs, answered, failed, acknowledged, lost, doubled }) => {
    const figures = [`${away.toFixed(0)} s`, `${answered} / ${failed}`, acknowledged, lost, doubled];
    return [part, outcome(jobs), ...figures.map(String)];
  });
  const head = ['killed', 'its job', 'back after', 'questions answered / failed', 'events tracked', 'lost', 'doubled'];
  console.log(`\n${markdownTable(head, rows, 2)}\n`);
  for (const each of wrong) console.log(each);
  const summary = findings.map(({ part, recovered, lost, doubled }) => [part, { recovered, lost, doubled }]);
  console.log(JSON.stringify(Object.fromEntries(summary)));
  const good = findings.every(({ recovered, lost, doubled }) => recovered && lost + doubled === 0);
  process.exitCode = good && wrong.length === 0 ? 0 : 1;
} catch (error) {
  console.error(error);
  console.error(instance.output.slice(-3_000));
  process.exitCode = 1;
} finally {
  await instance.stop();
  await rm(folder, { recursive: true, force: true });
}

/** @returns how many good events the shop has, and a product of it */
async function shopWithModels(): Promise<{ events: number; product: string }> {
  await instance.says('ready:', 1_200_000);
  const done = async (mutation: string) => until(instance, await begin(instance, mutation), succeeded, 900);
  await done(`generateData(input: { ${SHOP} })`);
  const { result } = await done('prepareDatasets');
  await done('trainModels');
  await done('indexCatalog');
  const query = '{ popular(first: 1) { product { id } } }';
  const { data } = await instance.ask<{ popular: { product: { id: string } }[] }>(query);
  // Models are taken up a moment after they were promoted.
  await untilTrue('the graph', async () => failuresOf(await keepAsking(instance).stop(), ALL).length === 0);
  return { events: result?.counts?.events ?? 0, product: data?.popular[0]?.product.id ?? '' };
}

function outcome(jobs: readonly Job[]): string {
  const told = jobs.map(({ status, attempts, error }) => {
    if (status !== 'SUCCEEDED') return `${status} (${error})`;
    return attempts > 1 ? `SUCCEEDED at try ${attempts}` : status;
  });
  return told.join(', then ');
}
