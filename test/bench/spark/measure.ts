import { readFileSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { processTree } from '../../support/processes.ts';

export interface Usage {
  seconds: number;
  cpuSeconds: number;
  /** Most memory that its processes had together at one moment; what they share is counted once. */
  peakBytes: number;
  /** Most that lay in its scratch folder at one moment. */
  scratchBytes: number;
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
  const used = new Map<string, number>();
  let [peakBytes, scratchBytes] = [0, 0];
  const look = () => {
    const found = processTree(isRoot);
    for (const { pid, startedAt, cpuSeconds } of found) used.set(`${pid} ${startedAt}`, cpuSeconds);
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
      const cpuSeconds = [...used.values()].reduce((sum, seconds) => sum + seconds, 0);
      return { seconds: (performance.now() - since) / 1_000, cpuSeconds, peakBytes, scratchBytes };
    },
  };
}
