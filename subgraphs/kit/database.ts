import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { cancellable } from './cancellable.ts';
import { HashiraError } from './errors.ts';

type Row = Record<string, unknown>;

/** What a `store.ts` needs of a connection; the pool and a transaction both are one. */
export interface Queryable {
  /**
   * One parameterised statement; the rows it returns.
   * @param signal cancels the statement in PostgreSQL when it aborts
   * @throws HashiraError DATABASE_UNAVAILABLE or STORAGE_FULL; the reason of the signal
   */
  query<R = Row>(text: string, values?: readonly unknown[], signal?: AbortSignal): Promise<R[]>;
}

export interface Transaction extends Queryable {
  /** Bulk load by COPY; values are encoded as text, null and undefined as NULL. Returns the number of rows. */
  copy(
    table: string,
    columns: readonly string[],
    rows: AsyncIterable<readonly unknown[]> | Iterable<readonly unknown[]>,
  ): Promise<number>;
}

/** A pool with coded errors. No session state and no named statements, so that it works behind a transaction pooler. */
export class Database implements Queryable {
  private readonly pool: pg.Pool;
  /** Statements sent since the start; tests compare it before and after. */
  statements = 0;

  constructor(
    readonly url: string,
    options: { max?: number; name?: string } = {},
  ) {
    this.pool = new pg.Pool({
      connectionString: url,
      max: options.max ?? 10,
      application_name: options.name ?? 'hashiramart',
      connectionTimeoutMillis: 5_000,
      idleTimeoutMillis: 30_000,
    });
    // An idle connection that breaks is replaced at the next query, which reports what matters.
    this.pool.on('error', () => {});
  }

  async query<R = Row>(text: string, values: readonly unknown[] = [], signal?: AbortSignal): Promise<R[]> {
    if (signal) {
      signal.throwIfAborted();
      return this.withClient((client) => this.run<R>(client, text, values, signal));
    }
    this.statements++;
    try {
      return (await this.pool.query(text, [...values])).rows as R[];
    } catch (error) {
      throw coded(error);
    }
  }

  /** Runs `work` in one transaction: all of it happens, or nothing. */
  async transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.withClient(async (client, broke) => {
      const tx: Transaction = {
        query: (text, values = [], signal) => this.run(client, text, values, signal),
        copy: async (table, columns, rows) => {
          this.statements++;
          const sink = client.query(copyFrom(`COPY ${table} (${columns.join(', ')}) FROM STDIN`));
          await pipeline(Readable.from(encodeCopy(rows)), sink);
          return sink.rowCount ?? 0;
        },
      };
      await client.query('BEGIN');
      try {
        const result = await work(tx);
        await client.query('COMMIT');
        return result;
      } catch (error) {
        // Where even this fails, the connection is closed below, which ends the transaction too.
        await client.query('ROLLBACK').catch(broke);
        throw error;
      }
    });
  }

  async close(): Promise<void> {
    await this.pool.end();
  }

  private async run<R>(client: pg.ClientBase, text: string, values: readonly unknown[], signal?: AbortSignal) {
    this.statements++;
    if (signal) return (await cancellable(client, text, values, signal)) as R[];
    return (await client.query(text, [...values])).rows as R[];
  }

  /** Lends one connection; one that broke meanwhile does not come back to the pool. */
  private async withClient<T>(work: (client: pg.PoolClient, broke: (error: Error) => void) => Promise<T>): Promise<T> {
    const client = await this.pool.connect().catch((error) => {
      throw coded(error);
    });
    let broken: Error | undefined;
    const broke = (error: Error) => {
      broken = error;
    };
    client.on('error', broke);
    try {
      return await work(client, broke);
    } catch (error) {
      throw coded(error);
    } finally {
      client.off('error', broke);
      client.release(broken);
    }
  }
}

const UNREACHABLE = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EPIPE', 'ETIMEDOUT', 'ENOENT']);

/** PostgreSQL's and the socket's own codes → ours. Anything else stays what it was: a bug to be logged whole. */
function coded(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof HashiraError) return error;
  // A number in a DOMException, which is what a signal gives as its reason.
  const code = String((error as Error & { code?: string | number }).code ?? '');
  if (code === '53100')
    return new HashiraError('STORAGE_FULL', 'The database has no disk space left.', { cause: error });
  const gone =
    UNREACHABLE.has(code) ||
    code.startsWith('08') || // connection exceptions
    code.startsWith('57P') || // shutting down, starting up
    code.startsWith('53') || // too many connections, out of memory
    /timeout exceeded when trying to connect|Connection terminated|Cannot use a pool after/.test(error.message);
  return gone
    ? new HashiraError('DATABASE_UNAVAILABLE', 'The database cannot be reached. Please try again.', { cause: error })
    : error;
}

const COPY_ESCAPES: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function encodeValue(value: unknown): string {
  if (value === null || value === undefined) return '\\N';
  if (value instanceof Date) return value.toISOString();
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return text.replace(/[\\\n\r\t]/g, (char) => COPY_ESCAPES[char] as string);
}

/** COPY's text format in blocks of about 64 kB, so that a row costs no write of its own. */
async function* encodeCopy(rows: AsyncIterable<readonly unknown[]> | Iterable<readonly unknown[]>) {
  let block = '';
  for await (const row of rows) {
    block += `${row.map(encodeValue).join('\t')}\n`;
    if (block.length > 65_536) {
      yield block;
      block = '';
    }
  }
  if (block) yield block;
}
