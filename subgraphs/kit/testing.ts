import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { graphql } from 'graphql';
import { loadConfig } from './config.ts';
import { Database } from './database.ts';
import { createLogger } from './log.ts';
import { createRegistry } from './registry.ts';
import type { Subgraph } from './subgraph.ts';

/** A table that nobody can read until it is released, so that statements take as long as a test wants. */
export class LockedTable {
  readonly #release = Promise.withResolvers<void>();
  readonly #database: Database;
  #held: Promise<void> | undefined;
  #released: Promise<void> | undefined;

  private constructor(url: string) {
    this.#database = new Database(url, { max: 2, name: 'locked-table' });
  }

  static async lock({ url }: Database, table: string): Promise<LockedTable> {
    const locked = new LockedTable(url);
    await new Promise<void>((resolve, reject) => {
      locked.#held = locked.#database.transaction(async (tx) => {
        await tx.query(`LOCK TABLE ${table}`);
        resolve();
        await locked.#release.promise;
      });
      locked.#held.catch(reject);
    });
    return locked;
  }

  /** Statements of this database that PostgreSQL holds back. */
  async waiting(): Promise<number> {
    const [row] = await this.#database.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM pg_stat_activity
       WHERE datname = current_database() AND backend_type = 'client backend' AND wait_event_type = 'Lock'`,
    );
    return row?.n ?? 0;
  }

  /** @throws Error when so many are not held back within `ms` */
  async until(count: number, ms = 5_000): Promise<void> {
    const end = performance.now() + ms;
    for (let n = await this.waiting(); n !== count; n = await this.waiting()) {
      if (performance.now() > end) throw new Error(`${n} statements are held back after ${ms} ms, not ${count}.`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Once is enough; again is allowed. */
  release(): Promise<void> {
    this.#released ??= this.#end();
    return this.#released;
  }

  async #end(): Promise<void> {
    this.#release.resolve();
    await this.#held;
    await this.#database.close();
  }
}

/** Starts a subgraph in this process. @returns asks it as one request whose client may leave */
export async function askable(subgraph: Subgraph, database: Database, env: NodeJS.ProcessEnv) {
  // A folder of its own: that of a shop which was started here has models.
  const folder = await mkdtemp(path.join(tmpdir(), 'hashira-test-'));
  const config = loadConfig({ HASHIRA_DATA: folder, ...env });
  const log = createLogger('test', 'silent');
  const { schema } = await subgraph.schema();
  const running = await subgraph.start({ config, database, log, registry: createRegistry(config) });
  return {
    ask: (source: string, signal: AbortSignal, variableValues: Record<string, unknown> = {}) =>
      graphql({
        schema,
        source,
        variableValues,
        contextValue: running.context({ identity: null, requestId: 'test', signal, log }),
      }),
    stop: async () => {
      await running.stop?.();
      await rm(folder, { recursive: true });
    },
  };
}
