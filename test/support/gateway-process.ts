import { type ChildProcess, spawn } from 'node:child_process';
import { root } from './instance.ts';

/** The gateway as a process of its own, as an operator's supervisor runs it. */
export class GatewayProcess {
  output = '';
  url = '';
  private readonly ended: Promise<number | null>;

  private constructor(private readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.output += chunk;
      });
    }
    this.ended = new Promise((resolve) => child.once('exit', resolve));
  }

  /** Starts it and waits until it answers. @throws Error with its output when it does not within 30 s */
  static async start(env: Record<string, string>): Promise<GatewayProcess> {
    const child = spawn(process.execPath, ['--import', 'tsx', 'gateway/index.ts'], {
      cwd: root,
      env: { ...process.env, PORT: '0', RATE_LIMIT_ADDRESS_PER_MINUTE: '0', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const gateway = new GatewayProcess(child);
    gateway.url = (await gateway.says(/@ready (\S+)/, 30_000))[1] as string;
    return gateway;
  }

  /** Waits until the output matches. @throws Error with the output when it ends or the time is over before */
  async says(text: RegExp, withinMs: number): Promise<RegExpExecArray> {
    for (const until = Date.now() + withinMs; Date.now() < until && this.child.exitCode === null; ) {
      const match = text.exec(this.output);
      if (match) return match;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`Waited for ${text}. The output:\n${this.output}`);
  }

  /** The value of a metric, `name{labels}` as Prometheus writes it; 0 when it is not there. */
  async metric(series: string): Promise<number> {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `));
    return Number(line?.slice(series.length + 1) ?? 0);
  }

  /** Sends SIGTERM. @returns how it ended, and after how many ms */
  async terminate(): Promise<{ code: number | null; ms: number }> {
    const began = performance.now();
    this.child.kill('SIGTERM');
    const code = await this.ended;
    return { code, ms: performance.now() - began };
  }

  /** For the end of a test, however far it came. */
  async kill(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGKILL');
    await this.ended;
  }
}
