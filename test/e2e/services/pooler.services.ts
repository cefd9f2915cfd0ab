import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { freePort } from '../../../scripts/postgres.ts';
import { subgraphs } from '../../../subgraphs/index.ts';
import { Database } from '../../../subgraphs/kit/database.ts';
import { createLogger } from '../../../subgraphs/kit/log.ts';
import { migrate } from '../../../subgraphs/kit/migrate.ts';
import { JobProgress } from '../../../subgraphs/pipeline/job-progress.ts';
import { isFinished, JobStatus } from '../../../subgraphs/pipeline/jobs.ts';
import { JobQueue } from '../../../subgraphs/pipeline/queue.ts';
import { enqueueShell, shellKinds, testConfig, until } from '../../../subgraphs/pipeline/test/shell.ts';
import { startWorker } from '../../../subgraphs/pipeline/work.ts';

/**
 * A real PgBouncer in transaction mode, with fewer connections to the server than there are clients, and reached by TLS under a
 * certificate that is verified: what Neon and Supabase offer.
 */
const log = createLogger('test', 'silent');
let dir: string;
let pooler: ChildProcess;
let url: string;
let database: Database;

beforeAll(async () => {
  const direct = new URL(inject('postgresUrl'));
  const admin = new Database(direct.href, { max: 1 });
  await admin.query('CREATE DATABASE pooled');
  await admin.close();
  dir = await mkdtemp(path.join(tmpdir(), 'hashira-pooler-'));
  await chmod(dir, 0o755);
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const files = ['-keyout', path.join(dir, 'key.pem'), '-out', path.join(dir, 'certificate.pem')];
  const kind = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1'];
  execFileSync('openssl', ['req', ...kind, ...names, ...files], { stdio: 'ignore' });
  await chmod(path.join(dir, 'key.pem'), 0o644);
  const port = await freePort();
  const ini = `[databases]
pooled = host=127.0.0.1 port=${direct.port} user=${direct.username} password=${decodeURIComponent(direct.password)}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
client_tls_sslmode = require
client_tls_key_file = ${path.join(dir, 'key.pem')}
client_tls_cert_file = ${path.join(dir, 'certificate.pem')}
default_pool_size = 3
`;
  await writeFile(path.join(dir, 'pgbouncer.ini'), ini);
  const root = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  pooler = spawn('pgbouncer', [...root, path.join(dir, 'pgbouncer.ini')], { stdio: 'ignore' });
  const missing = new Promise((_, reject) => pooler.once('error', reject));
  await Promise.race([missing, reachable(port)]);
  const verified = `sslmode=verify-full&sslrootcert=${path.join(dir, 'certificate.pem')}`;
  url = `postgres://shop@localhost:${port}/pooled?${verified}`;
  database = new Database(url, { max: 8 });
});
afterAll(async () => {
  await database?.close();
  pooler?.kill('SIGTERM');
  await rm(dir, { recursive: true, force: true });
});

async function reachable(port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const open = await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => resolve(socket.end())).once('error', () => resolve(false));
    });
    if (open) return;
    await sleep(100);
  }
  throw new Error('PgBouncer does not listen');
}

describe('behind a transaction pooler', () => {
  it('is spoken to by TLS only, and not when its certificate is somebody else’s', async () => {
    const plain = new Database(url.replace(/\?.*/, ''), { max: 1 });
    await expect(plain.query('SELECT 1')).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    await plain.close();
    const stranger = new Database(url.replace(/&sslrootcert=.*/, ''), { max: 1 });
    await expect(stranger.query('SELECT 1')).rejects.toThrow('self-signed certificate');
    await stranger.close();
    expect(await database.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('migrations run once, by several processes at a time, and leave no lock and no setting behind', async () => {
    const all = async () => {
      for (const { name, migrations } of subgraphs) await migrate(url, name, migrations, log);
    };
    await Promise.all([all(), all(), all()]);
    await all();
    const [{ count } = {}] = await database.query<{ count: string }>('SELECT count(*) FROM pipeline.migrations');
    expect(Number(count)).toBeGreaterThan(0);
    const paths = await Promise.all(
      Array.from({ length: 8 }, () =>
        database.query<{ path: string }>("SELECT current_setting('search_path') AS path, pg_sleep(0.1)"),
      ),
    );
    expect(new Set(paths.flat().map(({ path }) => path))).toEqual(new Set(['"$user", public']));
    expect(await database.query("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'")).toEqual([]);
  });

  it('statements and transactions of many clients do not meet each other', async () => {
    const sums = await Promise.all(
      Array.from({ length: 40 }, (_, n) =>
        database.transaction(async (tx) => {
          await tx.query('CREATE TEMP TABLE IF NOT EXISTS t (v int) ON COMMIT DROP');
          await tx.query('INSERT INTO t VALUES ($1)', [n]);
          const [row] = await tx.query<{ sum: string }>('SELECT sum(v) FROM t');
          return Number(row?.sum);
        }),
      ),
    );
    expect(sums).toEqual(Array.from({ length: 40 }, (_, n) => n));
  });

  it('a statement is cancelled in the server', async () => {
    const leaving = new AbortController();
    const asked = database.query('SELECT pg_sleep(60)', [], leaving.signal);
    await sleep(300);
    leaving.abort(new Error('nobody waits'));
    await expect(asked).rejects.toThrow('nobody waits');
    const running = "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(60)%' AND state = 'active'";
    expect(await database.query(running)).toEqual([]);
  });

  it('jobs are taken and done, and whoever watches one sees it end', async () => {
    const queue = await JobQueue.open(url, log, { worker: false });
    const worker = await startWorker({ config: testConfig({ DATABASE_URL: url }), database, log, kinds: shellKinds });
    const progress = new JobProgress(database, log);
    try {
      const job = await enqueueShell({ database, queue }, `sleep 1; echo '@result {"rows": 7}'`);
      const watched = await progress.watch(job.id);
      const seen: JobStatus[] = [];
      for await (const { status } of watched) seen.push(status);
      expect(seen.at(-1)).toBe(JobStatus.SUCCEEDED);
      expect(await until(database, job.id, ({ status }) => isFinished(status))).toMatchObject({ result: { rows: 7 } });
    } finally {
      await progress.stop();
      await worker.stop();
      await queue.stop();
    }
  });
});
