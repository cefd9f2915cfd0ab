import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks per second, in which Linux tells CPU time. */
const TICKS = 100;

export interface ProcessInfo {
  pid: number;
  parent: number;
  /** Unique together with the pid, which is used again. */
  startedAt: string;
  cpuSeconds: number;
}

/** Every process of this machine, as Linux tells in /proc. */
export function processes(): ProcessInfo[] {
  return readdirSync('/proc').flatMap((name) => {
    try {
      // The name of the program, in brackets, may hold spaces.
      const fields = readFileSync(`/proc/${Number(name)}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ');
      const [parent, user, system] = [fields[1], fields[11], fields[12]].map(Number) as [number, number, number];
      return [{ pid: Number(name), parent, cpuSeconds: (user + system) / TICKS, startedAt: fields[19] as string }];
    } catch {
      return []; // no process, or one that has ended
    }
  });
}

/** The processes that `isRoot` names, and all below them. */
export function processTree(isRoot: (pid: number) => boolean): ProcessInfo[] {
  const all = processes();
  const found = new Set(all.filter(({ pid }) => isRoot(pid)).map(({ pid }) => pid));
  for (let before = -1; before < found.size; ) {
    before = found.size;
    for (const { pid, parent } of all) if (found.has(parent)) found.add(pid);
  }
  return all.filter(({ pid }) => found.has(pid));
}

/** With which words a process was started, with spaces between; '' when it has ended. */
export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}
