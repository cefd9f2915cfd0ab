import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../scripts/postgres.ts';
import { python, root } from '../../scripts/stack.ts';

/** A real Chroma server on a port and in a folder of its own, that a test can take away and bring back. */
export class ChromaServer {
  #child: ChildProcess | null = null;

  private constructor(
    readonly url: string,
    private readonly port: number,
    private readonly dir: string,
  ) {}

  static async start(): Promise<ChromaServer> {
    const port = await freePort();
    const dir = await mkdtemp(path.join(tmpdir(), 'hashira-test-chroma-'));
    const server = new ChromaServer(`http://127.0.0.1:${port}`, port, dir);
    await server.again();
    return server;
  }

  /** Starts it once more, with the same address and data. @throws Error with its output when it does not answer */
  async again(): Promise<void> {
    const script = path.join(root, 'ml/common/chroma_server.py');
    const child = spawn(python(), [script, '--data', path.join(this.dir, 'data'), '--port', String(this.port)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    process.once('exit', () => child.kill('SIGKILL'));
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output += chunk;
      });
    }
    for (const end = Date.now() + 20_000; Date.now() < end && child.exitCode === null; await sleep(30)) {
      const alive = await fetch(`${this.url}/api/v2/heartbeat`).then(
        ({ ok }) => ok,
        () => false,
      );
      if (alive) return;
    }
    throw new Error(`Chroma does not answer:\n${output}`);
  }

  /** @param signal SIGKILL: as a crash ends it; SIGSTOP: it takes requests and never answers, until SIGCONT */
  async kill(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') await exited;
  }

  /** Loses all its data. It must not run. */
  async wipe(): Promise<void> {
    await rm(path.join(this.dir, 'data'), { recursive: true, force: true });
  }

  async stop(): Promise<void> {
    await this.kill('SIGKILL');
    await rm(this.dir, { recursive: true, force: true });
  }
}
