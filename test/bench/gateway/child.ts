import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

const START_MS = 60_000;
const ASK_MS = 180_000;

interface Start {
  /** Arguments of node, the script among them. */
  args: string[];
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** What it prints once it can work. */
  ready: RegExp;
}

/** A process of the benchmark: started, asked, stopped. */
export class Child {
  private readonly asked = new Map<number, (answer: { value?: unknown; error?: string }) => void>();
  private output = '';
  private ended = false;
  private readonly exit: Promise<void>;

  private constructor(
    private readonly name: string,
    private readonly child: ChildProcess,
  ) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output = (this.output + text).slice(-8_000);
      });
    }
    child.on('message', (answer: { id: number; value?: unknown; error?: string }) =>
      this.asked.get(answer.id)?.(answer),
    );
    this.exit = new Promise((resolve) => {
      child.once('exit', () => {
        this.ended = true;
        const error = `${name} ended in the middle.\n${this.said}`;
        for (const answer of this.asked.values()) answer({ error });
        resolve();
      });
    });
  }

  /** @throws Error with what the process said, when it ends or is not ready within a minute */
  static async start(
    name: string,
    { args, env, cwd, ready }: Start,
  ): Promise<{ child: Child; match: RegExpExecArray }> {
    const spawned = spawn(process.execPath, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const child = new Child(name, spawned);
    for (const deadline = Date.now() + START_MS; Date.now() < deadline && !child.ended; await sleep(20)) {
      const match = ready.exec(child.output);
      if (match) return { child, match };
    }
    const why = child.ended ? 'ended before it was ready' : `was not ready within ${START_MS / 1000} s`;
    await child.stop();
    throw new Error(`${name} ${why}.\n${child.said}`);
  }

  /** The last lines of what it printed, without stacks. */
  get said(): string {
    const lines = this.output.split('\n').filter((line) => line.trim() && !/^\s+at /.test(line));
    return lines.slice(-8).join('\n').slice(-1_500);
  }

  /** Asks a handler of `serve` in that process. @throws Error when it throws, the process ends or no answer comes in time */
  async ask<Answer>(what: string, argument?: object): Promise<Answer> {
    if (this.ended) throw new Error(`${this.name} has ended.\n${this.said}`);
    const id = this.asked.size + Math.random();
    const answer = await new Promise<{ value?: unknown; error?: string }>((resolve) => {
      const timer = setTimeout(() => resolve({ error: `${this.name} did not answer "${what}".` }), ASK_MS);
      this.asked.set(id, (given) => {
        clearTimeout(timer);
        resolve(given);
      });
      this.child.send({ id, what, argument });
    });
    this.asked.delete(id);
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer.value as Answer;
  }

  /** Ends it by its own handlers, so that a CPU profile is written; by force after 15 s. */
  async stop(): Promise<void> {
    if (this.ended) return;
    this.child.kill('SIGTERM');
    const force = setTimeout(() => this.child.kill('SIGKILL'), 15_000);
    await this.exit;
    clearTimeout(force);
  }
}
