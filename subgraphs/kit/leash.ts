import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { constants } from 'node:os';
import { StringDecoder } from 'node:string_decoder';
import { fileURLToPath } from 'node:url';

const LEASH = fileURLToPath(new URL('./leash.sh', import.meta.url));
/** How long a tree may take to end when its parent died without a word. */
const ORPHAN_GRACE_SECONDS = 10;
/** A line longer than this is cut in pieces, so that no child can fill our memory. */
const MAX_LINE = 1_000_000;

export interface LeashOptions {
  /** The child's whole environment: nothing is inherited. */
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** Called with each line of stdout and stderr, without its end. A carriage return ends a line too: progress bars. */
  onLine?: (line: string, stream: 'stdout' | 'stderr') => void;
}

export interface Exit {
  /** Null when a signal ended the command. */
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface Leashed {
  /** Of the leash: leader of the session and the process group in which the command runs. */
  pid: number;
  /** Settles when the whole tree is gone and its output was read. Rejects when the command could not be started. */
  exited: Promise<Exit>;
  /** Ends the whole tree: SIGTERM, and SIGKILL after `graceMs`. Settles with `exited`. */
  stop(graceMs?: number): Promise<Exit>;
}

/**
 * Starts a command whose whole process tree dies with this process, however this process dies. `leash.sh` says how.
 * A command that is not there ends with code 127, as in a shell.
 */
export function spawnLeashed(command: string, args: readonly string[], options: LeashOptions = {}): Leashed {
  const child = spawn('/bin/sh', [LEASH, randomUUID(), String(ORPHAN_GRACE_SECONDS), command, ...args], {
    env: options.env ?? process.env,
    cwd: options.cwd,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  // The leash may be gone when we write to it: its exit is told by `exited`.
  child.stdin.on('error', () => {});
  for (const stream of ['stdout', 'stderr'] as const) {
    const lines = lineSplitter((line) => options.onLine?.(line, stream));
    child[stream].on('data', lines.write).once('end', lines.end);
  }

  const exited = new Promise<Exit>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      // Somebody killed the leash itself: what it held must not stay.
      if (signal !== null) killGroup(child.pid);
      const exit = decodeExit(code, signal);
      // A process that left the session may hold the pipes open for ever.
      const patience = setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
      }, 2_000);
      child.once('close', () => {
        clearTimeout(patience);
        resolve(exit);
      });
    });
  });
  // Whoever needs the failure awaits `exited`; nobody needs to.
  exited.catch(() => {});

  return {
    pid: child.pid ?? -1,
    exited,
    stop: async (graceMs = ORPHAN_GRACE_SECONDS * 1_000) => {
      child.stdin.end(`${Math.max(0, graceMs) / 1_000}\n`);
      const fallback = setTimeout(() => killGroup(child.pid), graceMs + 5_000);
      try {
        return await exited;
      } finally {
        clearTimeout(fallback);
      }
    },
  };
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid) process.kill(-pid, 'SIGKILL');
  } catch {
    // gone already
  }
}

/** A shell tells of a signal by a status of 128 plus its number. */
function decodeExit(code: number | null, signal: NodeJS.Signals | null): Exit {
  if (code === null || code <= 128) return { code, signal };
  const name = Object.entries(constants.signals).find(([, number]) => number === code - 128)?.[0];
  return name ? { code: null, signal: name as NodeJS.Signals } : { code, signal: null };
}

function lineSplitter(onLine: (line: string) => void) {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  return {
    write: (chunk: Buffer) => {
      const lines = (rest + decoder.write(chunk)).split(/\r\n|\n|\r/);
      rest = lines.pop() ?? '';
      if (rest.length > MAX_LINE) {
        lines.push(rest);
        rest = '';
      }
      for (const line of lines) onLine(line);
    },
    end: () => {
      rest += decoder.end();
      if (rest) onLine(rest);
      rest = '';
    },
  };
}
