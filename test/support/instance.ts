import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Config, loadConfig } from '../../subgraphs/kit/config.ts';

export const root = fileURLToPath(new URL('../..', import.meta.url));

export interface GraphQLAnswer<Data = Record<string, unknown>> {
  data?: Data | null;
  errors?: { message: string; path?: (string | number)[]; extensions: { code: string } }[];
}

/** Posts an operation, as somebody when a token is given. */
export async function post<Data = Record<string, unknown>>(
  url: string,
  query: string,
  options: { token?: string; variables?: Record<string, unknown> } = {},
): Promise<GraphQLAnswer<Data>> {
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (options.token) headers.authorization = `Bearer ${options.token}`;
  const body = JSON.stringify({ query, variables: options.variables });
  const response = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(60_000) });
  return (await response.json()) as GraphQLAnswer<Data>;
}

/** One run of `npm start` or another command that brings up an instance, as a person starts it: its real output. */
export class Instance {
  readonly url: string;
  output = '';
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;

  constructor(
    readonly dataDir: string,
    port: number,
    env: Record<string, string> = {},
    args: string[] = [],
    command = 'start',
  ) {
    this.url = `http://127.0.0.1:${port}/graphql`;
    this.child = spawn(process.execPath, ['scripts/bootstrap.mjs', command, ...args], {
      cwd: root,
      env: { ...process.env, HASHIRA_DATA: dataDir, PORT: String(port), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.output += chunk;
      });
    }
    this.ended = new Promise((resolve) => this.child.once('exit', resolve));
  }

  /** Waits until the output holds this text. @throws Error with the output when it ends or the time is over before */
  async says(text: string | RegExp, withinMs: number): Promise<void> {
    const found = () => (typeof text === 'string' ? this.output.includes(text) : text.test(this.output));
    let ended = false;
    void this.ended.then(() => {
      ended = true;
    });
    for (const until = Date.now() + withinMs; Date.now() < until; ) {
      if (found()) return;
      if (ended) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    if (!found()) throw new Error(`Waited for ${text}. The output:\n${this.output}`);
  }

  get tokens(): Record<'customer' | 'support' | 'analyst' | 'admin', string> {
    return JSON.parse(readFileSync(path.join(this.dataDir, 'tokens.json'), 'utf8'));
  }

  /** Ports of the services profile, by the names that spark/hadoop/conf has for them. */
  get ports(): Record<string, number> {
    return JSON.parse(readFileSync(path.join(this.dataDir, 'services/addresses.json'), 'utf8')).ports;
  }

  /** The configuration of its own processes. This process gets their environment too, in which the key of their S3 is. */
  get config(): Config {
    const { env } = JSON.parse(readFileSync(path.join(this.dataDir, 'run/instance.json'), 'utf8'));
    Object.assign(process.env, env);
    return loadConfig(env);
  }

  /** Runs an operation as one of the development roles, or as a visitor. */
  ask<Data = Record<string, unknown>>(
    query: string,
    role?: keyof Instance['tokens'],
    variables: Record<string, unknown> = {},
  ): Promise<GraphQLAnswer<Data>> {
    return post<Data>(this.url, query, { token: role && this.tokens[role], variables });
  }

  /** SIGTERM, as an operator's supervisor sends it. @returns the exit code */
  async stop(): Promise<number | null> {
    this.child.kill('SIGTERM');
    return this.ended;
  }
}

/** Processes whose command line holds this text, other than the shell that looks. */
export function processesWith(text: string): Promise<string[]> {
  return new Promise((resolve) => {
    const ps = spawn('ps', ['-eo', 'pid=,args=']);
    let output = '';
    ps.stdout.on('data', (chunk: Buffer) => {
      output += chunk;
    });
    ps.once('close', () => resolve(output.split('\n').filter((line) => line.includes(text))));
  });
}
