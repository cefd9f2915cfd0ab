import { setTimeout as sleep } from 'node:timers/promises';
import { openLake } from '../../kit/storage/open.ts';
import type { Storage } from '../../kit/storage/storage.ts';
import { JobFailure, type JsonObject } from '../jobs.ts';
import { outlastingOutages } from '../patience.ts';
import { parseLine } from '../protocol.ts';
import { RunEnded } from '../reporter.ts';
import { DISK_FULL, diskFull, type JobRun } from '../run.ts';
import { type Application, hasEnded, Yarn } from '../yarn.ts';
import { DriverOutput } from './driver-output.ts';
import { pythonCommand } from './python.ts';

const POLL_MS = 1_000;
/** An application whose node died is begun again once; what it fails of by itself it would fail of again. */
const TRIES = 2;

/**
 * Runs a job of spark/ to its end, where SPARK_MASTER says: in a child of this process or as an application of YARN, which
 * outlives this process. Its progress 0..1 becomes `from`..`to` of the job.
 * @throws JobFailure with what it reported, or what is known of its end
 */
export function sparkJob(
  run: JobRun,
  script: string,
  args: readonly string[],
  from: number,
  to: number,
): Promise<JsonObject> {
  const { config } = run;
  if (config.SPARK_MASTER === 'yarn') return new YarnJob(run, script, args, from, to).result();
  return run.child(pythonCommand(config, 'The Spark job', `spark/${script}`, args), from, to);
}

/** What spark/outcome.py leaves in the lake. */
type Outcome = { result?: JsonObject; error?: { code: string; message: string } };

/**
 * A job as an application of YARN. Its tag is the id of the job: a worker that takes the job over goes on with the application
 * that runs, or takes the outcome of one that has ended meanwhile.
 */
class YarnJob {
  private readonly yarn: Yarn;
  private readonly lake: Storage;
  private readonly tag: string;
  private readonly outcomeFile: string;

  constructor(
    private readonly run: JobRun,
    private readonly script: string,
    private readonly args: readonly string[],
    private readonly from: number,
    private readonly to: number,
  ) {
    this.yarn = new Yarn(run.config.YARN_URL as string);
    this.lake = openLake(run.config);
    this.tag = `hashira-${run.job.id}`;
    this.outcomeFile = `jobs/${this.tag}.json`;
  }

  async result(): Promise<JsonObject> {
    try {
      for (let tries = 1; ; tries++) {
        const application = (await this.running()) ?? ((await this.outcome()) ? null : await this.submit());
        const ended = application && (await this.follow(application.id));
        const outcome = await this.outcome();
        if (outcome) return await this.take(outcome);
        this.explain(ended, tries);
      }
    } catch (error) {
      const { signal } = this.run;
      const why = signal.aborted && signal.reason instanceof RunEnded ? signal.reason.reason : null;
      // When this worker stops or has lost the job, the application goes on: whoever has the job next finds it.
      if (why === 'cancelled' || why === 'timeout') await this.kill();
      throw error;
    }
  }

  /** The application that was begun before, if it still runs. */
  private async running(): Promise<Application | null> {
    const [alive] = await this.alive();
    if (alive) this.run.log(`goes on with ${alive.id}, which runs already`);
    return alive ?? null;
  }

  private async submit(): Promise<Application> {
    const { run } = this;
    const args = ['--tag', this.tag, this.script, ...this.args];
    await run.child(
      pythonCommand(run.config, 'Submitting the Spark job', 'spark/submit.py', args),
      this.from,
      this.from,
    );
    // A worker that died while it submitted may have done so after all: the first one counts.
    const [first, ...others] = await this.alive();
    for (const { id } of others) await this.patiently(() => this.yarn.kill(id));
    const application = first ?? (await this.patiently(() => this.yarn.list(this.tag, run.signal))).at(-1);
    if (!application) throw new JobFailure('SPARK_LOST', 'The cluster has forgotten the Spark job that it took.');
    run.log(`runs on the cluster as ${application.id}`);
    return application;
  }

  /** Tells how far the application is until it has ended. Null when YARN no longer knows it. */
  private async follow(id: string): Promise<Application | null> {
    const { run, yarn } = this;
    const driver = new DriverOutput();
    let [progress, stage] = [this.from, 'wait for the cluster'];
    for (;;) {
      const application = await this.patiently(() => yarn.application(id, run.signal));
      if (!application || hasEnded(application)) return application;
      if (application.state === 'RUNNING') {
        const output = await yarn.output(application, driver.most, run.signal);
        for (const text of output ? driver.read(output) : []) {
          const line = parseLine(text);
          if (line.type === 'log') run.log(line.text);
          else if (line.type === 'progress') {
            progress = this.from + (this.to - this.from) * line.progress;
            stage = line.stage ?? stage;
          }
        }
        const stages = await yarn.stages(id, run.signal).catch(() => []);
        const [done, tasks] = stages.reduce(([done, tasks], each) => [done + each.done, tasks + each.tasks], [0, 0]);
        run.progress(progress, tasks > 0 ? `${stage} (${done} of ${tasks} tasks)` : stage);
      } else run.progress(progress, stage);
      await sleep(POLL_MS, undefined, { signal: run.signal });
    }
  }

  private outcome(): Promise<Outcome | null> {
    return this.patiently(async () => {
      if (!(await this.lake.exists(this.outcomeFile))) return null;
      return JSON.parse(Buffer.from(await this.lake.read(this.outcomeFile)).toString('utf8'));
    });
  }

  private async take({ result, error }: Outcome): Promise<JsonObject> {
    await this.patiently(() => this.lake.remove(this.outcomeFile));
    if (!result) throw new JobFailure(error?.code ?? 'INTERNAL_ERROR', error?.message ?? 'The Spark job failed.');
    this.run.progress(this.to, null);
    return result;
  }

  /** @throws JobFailure unless trying again may help */
  private explain(ended: Application | null, tries: number): void {
    const diagnostics = ended?.diagnostics.trim() ?? '';
    for (const line of diagnostics.split('\n').slice(0, 30)) this.run.log(line);
    if (DISK_FULL.test(diagnostics)) throw diskFull();
    if (ended?.state === 'KILLED')
      throw new JobFailure('SPARK_KILLED', 'The Spark job was ended on the cluster by somebody else.');
    const see = "Its last lines are in the job's logs.";
    if (tries === TRIES)
      throw new JobFailure('SPARK_LOST', `The Spark job ended ${TRIES} times without a result. ${see}`);
    this.run.log('the application ended without an outcome, as it does when its node is lost: it is begun again');
  }

  private async alive(): Promise<Application[]> {
    const found = await this.patiently(() => this.yarn.list(this.tag, this.run.signal));
    return found.filter((application) => !hasEnded(application));
  }

  private async kill(): Promise<void> {
    const kill = async () => {
      for (const application of await this.yarn.list(this.tag)) {
        if (!hasEnded(application)) await this.yarn.kill(application.id);
      }
    };
    await outlastingOutages(kill, { patienceMs: 10_000 });
  }

  private patiently<T>(work: () => Promise<T>): Promise<T> {
    return outlastingOutages(work, { signal: this.run.signal });
  }
}
