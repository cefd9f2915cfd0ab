import { Listr } from 'listr2';

/** One step a person waits for. `report` takes how far it is (0..1) and what it does right now. */
export interface Step {
  title: string;
  run(report: (progress: number, stage: string) => void): Promise<void>;
}

export interface Timing {
  name: string;
  seconds: number;
}

/** Runs steps one after the other: a live list on a terminal, plain lines elsewhere. @returns the time of each */
export async function runSteps(steps: readonly Step[]): Promise<Timing[]> {
  const timings: Timing[] = [];
  const timed = async (step: Step, report: Parameters<Step['run']>[0]) => {
    const since = Date.now();
    await step.run(report);
    timings.push({ name: step.title, seconds: (Date.now() - since) / 1000 });
  };
  if (process.stdout.isTTY) {
    const tasks = steps.map((step) => ({
      title: step.title,
      task: (_: unknown, task: { title: string; output: string }) =>
        timed(step, (progress, stage) => {
          task.output = `${percent(progress)} ${stage}`;
        }).then(() => {
          task.title = `${step.title} (${timings.at(-1)?.seconds.toFixed(1)} s)`;
        }),
    }));
    await new Listr(tasks, { renderer: 'default', registerSignalListeners: false }).run();
    return timings;
  }
  for (const step of steps) {
    console.log(`  ${step.title} …`);
    let last = { stage: '', progress: 0 };
    await timed(step, (progress, stage) => {
      if (stage === last.stage && progress - last.progress < 0.1) return;
      last = { stage, progress };
      console.log(`  ${step.title}: ${percent(progress)} ${stage}`.trimEnd());
    });
    console.log(`  ${step.title}: ${timings.at(-1)?.seconds.toFixed(1)} s`);
  }
  return timings;
}

const percent = (progress: number) => `${String(Math.floor(progress * 100)).padStart(3)} %`;
