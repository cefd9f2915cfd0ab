import { readdirSync, readFileSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';

/** Clock ticks per second, in which Linux tells CPU time. */
const TICKS = 100;

export interface Usage {
  seconds: number;
  cpuSeconds: number;
  /** Most memory that its processes had together at one moment; what they share is counted once. */
  peakBytes: number;
  /** Most that lay in its scratch folder at one moment. */
  scratchBytes: number;
}

interface Process {
  pid: number;
  parent: number;
  /** Unique together with the pid, which is used again. */
  startedAt: string;
  ticks: number;
}

/** Every process of this machine, as Linux tells in /proc. */
function processes(): Process[] {
  return readdirSync('/proc').flatMap((name) => {
    try {
      // The name of the program, in brackets, may hold spaces.
      const fields = readFileSync(`/proc/${Number(name)}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ');
      const [parent, user, system] = [fields[1], fields[11], fields[12]].map(Number) as [number, number, number];
      return [{ pid: Number(name), parent, ticks: user + system, startedAt: fields[19] as string }];
    } catch {
      return []; // no process, or one that has ended
    }
  });
}

/** The processes below those that `isRoot` names, roots included. */
function tree(all: Process[], isRoot: (pid: number) => boolean): Process[] {
  const found = new Set(all.filter(({ pid }) => isRoot(pid)).map(({ pid }) => pid));
  for (let before = -1; before < found.size; ) {
    before = found.size;
    for (const { pid, parent } of all) if (found.has(parent)) found.add(pid);
  }
  return all.filter(({ pid }) => found.has(pid));
}

function memoryOf(pid: number): number {
  try {
    return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** Bytes of all files below a folder; files that go meanwhile count as none. */
export async function bytesBelow(folder: string): Promise<number> {
  let sum = 0;
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => [])) {
    if (entry.isFile()) sum += (await stat(path.join(entry.parentPath, entry.name)).catch(() => ({ size: 0 }))).size;
  }
  return sum;
}

/** Watches processes twice a second until stopped. @param isRoot which processes; those below them count as well */
export function watch(isRoot: (pid: number) => boolean, scratch?: string): { stop(): Usage } {
  const since = performance.now();
  const ticks = new Map<string, number>();
  let [peakBytes, scratchBytes] = [0, 0];
  const look = () => {
    const found = tree(processes(), isRoot);
    for (const { pid, startedAt, ticks: used } of found) ticks.set(`${pid} ${startedAt}`, used);
    peakBytes = Math.max(
      peakBytes,
      found.reduce((sum, { pid }) => sum + memoryOf(pid), 0),
    );
  };
  look();
  const looking = setInterval(look, 500);
  const weighing = setInterval(async () => {
    if (scratch) scratchBytes = Math.max(scratchBytes, await bytesBelow(scratch));
  }, 2_000);
  return {
    stop: () => {
      look();
      clearInterval(looking);
      clearInterval(weighing);
      const cpuSeconds = [...ticks.values()].reduce((sum, used) => sum + used, 0) / TICKS;
      return { seconds: (performance.now() - since) / 1_000, cpuSeconds, peakBytes, scratchBytes };
    },
  };
}
