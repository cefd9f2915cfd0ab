import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { python, root } from '../../../scripts/stack.ts';
import { spawnLeashed } from '../../../subgraphs/kit/leash.ts';
import { parseLine } from '../../../subgraphs/pipeline/protocol.ts';
import { bytesBelow, type Usage, watch } from './measure.ts';
import { AS_OF, END_DATE, PRODUCTS, usersOf } from './shop.ts';

export interface Run extends Usage {
  /** Bytes that it wrote and left. */
  bytes: number;
  /** Seconds of each stage that the job tells, in order. */
  stages: [stage: string, seconds: number][];
  result: Record<string, unknown>;
}

/** Generates a shop of so many events in folders and prepares it, by Spark in one process and by DuckDB. */
export class LocalBench {
  readonly lake: string;
  readonly store: string;
  readonly duckdb: string;
  private readonly scratch: string;

  constructor(
    private readonly events: number,
    folder: string,
    private readonly memory: string,
  ) {
    [this.lake, this.store, this.duckdb, this.scratch] = ['lake', 'store', 'duckdb', 'scratch'].map((name) =>
      path.join(folder, name),
    ) as [string, string, string, string];
  }

  generate(): Promise<Run> {
    const shop = { users: usersOf(this.events), products: PRODUCTS, interactions: this.events, 'end-date': END_DATE };
    const args = Object.entries(shop).flatMap(([name, value]) => [`--${name}`, String(value)]);
    return this.run(['spark/generate.py', '--lake', this.lake, ...args], path.join(this.lake, 'raw'));
  }

  prepare(): Promise<Run> {
    const args = ['--lake', this.lake, '--store', this.store, '--as-of', AS_OF];
    return this.run(['spark/prepare.py', ...args], this.store);
  }

  prepareByDuckdb(): Promise<Run> {
    const args = ['--lake', this.lake, '--out', this.duckdb, '--as-of', AS_OF, '--memory', this.memory];
    return this.run(['test/bench/spark/duckdb_prepare.py', ...args], this.duckdb);
  }

  /** @returns rows that were compared, and rows that only one of the two datasets has */
  async compare(dataVersion: unknown): Promise<{ rows: number; different: number }> {
    const dataset = path.join(this.store, 'datasets', String(dataVersion));
    const { result } = await this.run(['test/bench/spark/compare.py', dataset, this.duckdb], this.duckdb);
    return result as Run['result'] & { rows: number; different: number };
  }

  private async run(command: string[], written: string): Promise<Run> {
    await rm(this.scratch, { recursive: true, force: true });
    await mkdir(this.scratch, { recursive: true });
    const stages: Run['stages'] = [];
    let [stage, since] = ['start', performance.now()];
    let result: Run['result'] | null = null;
    let last: string[] = [];
    const onLine = (text: string) => {
      last = [...last.slice(-20), text];
      const line = parseLine(text);
      if (line.type === 'result') result = line.result;
      if (line.type !== 'progress' || !line.stage || line.stage === stage) return;
      stages.push([stage, (performance.now() - since) / 1_000]);
      [stage, since] = [line.stage, performance.now()];
    };
    const child = spawnLeashed(python(), command, {
      cwd: root,
      env: {
        ...process.env,
        PYTHONPATH: ['spark', 'ml'].map((name) => path.join(root, name)).join(path.delimiter),
        SPARK_MASTER: 'local[*]',
        SPARK_DRIVER_MEMORY: '2g',
        SPARK_LOCAL_DIRS: this.scratch,
        TMPDIR: this.scratch,
      },
      onLine,
    });
    const watching = watch((pid) => pid === child.pid, this.scratch);
    const { code } = await child.exited;
    const usage = watching.stop();
    if (code !== 0 || !result) throw new Error(`${command[0]} failed:\n${last.join('\n')}`);
    return { ...usage, bytes: await bytesBelow(written), stages, result };
  }
}
