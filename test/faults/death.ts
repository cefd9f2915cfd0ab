import { untilTrue } from '../../scripts/services/until.ts';
import { Yarn } from '../../subgraphs/pipeline/yarn.ts';
import type { Instance } from '../support/instance.ts';
import { begin, hasEnded, type Job, succeeded, until } from '../support/jobs.ts';
import { JOBS, type Part, processOf } from './parts.ts';
import { ALL, type Answers, failuresOf, keepAsking } from './probes.ts';
import { keepTracking } from './shoppers.ts';

const BACK_SECONDS = 120;
const JOB_SECONDS = 900;

/** What the death of a part came to. */
export interface Finding {
  part: string;
  /** Quantity of the events that were tracked meanwhile, and how many of them were acknowledged. */
  mark: number;
  acknowledged: number;
  /** Seconds until it was back; infinite when it did not come back. */
  away: number;
  /** The job in whose middle it died and, when that failed, the one after it. */
  jobs: Job[];
  /** Questions that were answered, and that failed, meanwhile. */
  answered: number;
  failed: number;
  recovered: boolean;
  lost: number;
  doubled: number;
}

let begun = 0;

/** Kills a part in the middle of a job, and waits until it is back and the job has ended, or one that was started after it. */
export async function die(instance: Instance, part: Part, mark: number, productId: string): Promise<Finding> {
  const before = await versions(instance);
  await using shoppers = keepTracking(instance, mark, productId);
  const start = () => begin(instance, JOBS[part.job](++begun));
  const first = await start();
  await until(instance, first, ({ stage }) => part.stage.test(stage ?? ''), 420, 50);
  const pid = processOf(part, instance);
  if (!pid) throw new Error(`there is no process of ${part.name}`);
  await using asking = keepAsking(instance);
  const killedAt = Date.now();
  process.kill(pid, 'SIGKILL');
  const back = untilTrue(part.name, () => isBack(instance, part, pid), BACK_SECONDS).then(
    () => (Date.now() - killedAt) / 1_000,
    () => Number.POSITIVE_INFINITY,
  );
  const jobs = [await until(instance, first, hasEnded, JOB_SECONDS)];
  const away = await back;
  if (jobs[0]?.status === 'FAILED') jobs.push(await until(instance, await start(), hasEnded, JOB_SECONDS));
  const answers = await asking.stop();
  const { acknowledged } = await shoppers.stop();

  const good = jobs.filter(succeeded);
  const made = (await versions(instance)) - before - (part.job === 'train' ? good.length : 0);
  const unexpected = failuresOf(
    answers,
    ALL.filter((probe) => !part.needed.includes(probe)),
  );
  for (const failure of new Set(unexpected)) console.log(`    failed although it does not need it: ${failure}`);
  return {
    ...{ part: part.name, mark, acknowledged, away, jobs, ...countsOf(answers) },
    recovered: Number.isFinite(away) && good.length === 1 && unexpected.length === 0,
    lost: Math.max(0, -made),
    doubled: Math.max(0, made) + (part.job === 'prepare' ? await doneTwice(instance, jobs) : 0),
  };
}

async function versions(instance: Instance): Promise<number> {
  const { data } = await instance.ask<{ models: object[] }>('{ models(name: "recommender") { version } }', 'analyst');
  if (!data) throw new Error('the graph does not tell its models');
  return data.models.length;
}

async function isBack(instance: Instance, part: Part, killed: number): Promise<boolean> {
  const pid = processOf(part, instance);
  if (!pid || pid === killed) return false;
  return !part.address || (await fetch(part.address(instance.ports), { signal: AbortSignal.timeout(2_000) })).ok;
}

/** How many applications of YARN did a job to its end that another had done. */
async function doneTwice(instance: Instance, jobs: readonly Job[]): Promise<number> {
  const yarn = new Yarn(`http://127.0.0.1:${instance.ports.YARN_WEB_PORT}`);
  let twice = 0;
  for (const { id } of jobs) {
    const done = (await yarn.list(`hashira-${id}`)).filter(({ finalStatus }) => finalStatus === 'SUCCEEDED');
    twice += Math.max(0, done.length - 1);
  }
  return twice;
}

const countsOf = (answers: Answers) => ({
  answered: ALL.reduce((sum, probe) => sum + answers[probe].answered, 0),
  failed: failuresOf(answers, ALL).length,
});
