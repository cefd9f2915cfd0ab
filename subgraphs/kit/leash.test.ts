import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { spawnLeashed } from './leash.ts';

/** State, parent, group and session of a process; undefined when it is gone or only waits to be reaped. */
const stat = (pid: number | string): string[] | undefined => {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ');
    return fields?.[0] === 'Z' ? undefined : fields;
  } catch {
    return undefined;
  }
};
const alive = (pid: number): boolean => stat(pid) !== undefined;
const sessionAlive = (session: string): boolean =>
  readdirSync('/proc').some((entry) => /^\d+$/.test(entry) && stat(entry)?.[3] === session);

async function until(condition: () => boolean, ms: number): Promise<boolean> {
  const end = Date.now() + ms;
  while (!condition()) {
    if (Date.now() > end) return false;
    await sleep(20);
  }
  return true;
}

/** Collects lines; `pids` are the numbers of lines "NAME PID". */
function recorder() {
  const lines: string[] = [];
  return {
    lines,
    onLine: (line: string) => void lines.push(line),
    pid: (name: string) => Number(lines.find((line) => line.startsWith(`${name} `))?.split(' ')[1]),
  };
}

/** A child with a grandchild, one in a process group of its own, and one in a session of its own. */
const TREE = `
  sh -c 'echo grandchild $$; exec sleep 300' &
  python3 -c 'import os, time; os.setpgid(0, 0); print("loner", os.getpid(), flush=True); time.sleep(300)' &
  setsid sh -c 'echo daemon $$; exec sleep 300' &
  echo child $$
  wait
`;

const NAMES = ['child', 'grandchild', 'loner', 'daemon'];

test('passes on output lines and the exit code', async () => {
  const seen: string[] = [];
  const child = spawnLeashed('sh', ['-c', 'printf "one\\ntwo\\rth"; echo "ree ü" ; echo bad >&2; exit 3'], {
    onLine: (line, stream) => seen.push(`${stream}: ${line}`),
  });
  expect(await child.exited).toEqual({ code: 3, signal: null });
  expect(seen.filter((line) => line.startsWith('stdout'))).toEqual(['stdout: one', 'stdout: two', 'stdout: three ü']);
  expect(seen).toContain('stderr: bad');
});

test('tells which signal ended the command', async () => {
  const child = spawnLeashed('sh', ['-c', 'kill -SEGV $$']);
  expect(await child.exited).toEqual({ code: null, signal: 'SIGSEGV' });
});

test('a command that does not exist ends with 127', async () => {
  const output = recorder();
  const child = spawnLeashed('/no/such/command', [], { onLine: output.onLine });
  expect(await child.exited).toEqual({ code: 127, signal: null });
  expect(output.lines.join()).toContain('not found');
});

test('stop ends children, grandchildren and those in a group of their own', async () => {
  const output = recorder();
  const child = spawnLeashed('sh', ['-c', TREE], { onLine: output.onLine });
  expect(await until(() => output.lines.length === NAMES.length, 5_000)).toBe(true);
  await child.stop(5_000);
  for (const name of NAMES) expect(alive(output.pid(name)), name).toBe(false);
});

test('stop kills what does not listen to SIGTERM', async () => {
  const output = recorder();
  const child = spawnLeashed('sh', ['-c', 'trap "" TERM; echo child $$; while :; do sleep 0.05; done'], {
    onLine: output.onLine,
  });
  expect(await until(() => output.lines.length === 1, 5_000)).toBe(true);
  const started = Date.now();
  expect((await child.stop(300)).signal).toBe('SIGKILL');
  expect(Date.now() - started).toBeLessThan(2_000);
  expect(alive(output.pid('child'))).toBe(false);
});

test('the command may clean up on SIGTERM', async () => {
  const output = recorder();
  const child = spawnLeashed('sh', ['-c', 'trap "echo cleaned; exit 0" TERM; echo up; while :; do sleep 0.05; done'], {
    onLine: output.onLine,
  });
  expect(await until(() => output.lines.length === 1, 5_000)).toBe(true);
  await child.stop(5_000);
  expect(output.lines).toContain('cleaned');
});

test('what a finished command leaves running is ended', async () => {
  const output = recorder();
  const child = spawnLeashed('sh', ['-c', 'sh -c "echo left \\$\\$; exec sleep 300" & sleep 0.2; exit 0'], {
    onLine: output.onLine,
  });
  expect(await child.exited).toEqual({ code: 0, signal: null });
  expect(output.pid('left')).toBeGreaterThan(0);
  expect(alive(output.pid('left'))).toBe(false);
});

test('the tree dies when its parent is killed with SIGKILL', async () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'hashira-leash-'));
  const script = path.join(dir, 'parent.ts');
  const module = new URL('./leash.ts', import.meta.url).pathname;
  writeFileSync(
    script,
    `import { spawnLeashed } from ${JSON.stringify(module)};
     spawnLeashed('sh', ['-c', ${JSON.stringify(TREE)}], { onLine: (line) => console.log(line) });`,
  );
  const output = recorder();
  const parent = spawn(process.execPath, ['--import', 'tsx', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  parent.stdout.on('data', (chunk: Buffer) => output.lines.push(...chunk.toString().trim().split('\n')));
  expect(await until(() => output.lines.length === NAMES.length, 10_000)).toBe(true);
  const session = stat(output.pid('child'))?.[3] as string;
  parent.kill('SIGKILL');
  for (const name of NAMES) {
    expect(await until(() => !alive(output.pid(name)), 5_000), name).toBe(true);
  }
  expect(await until(() => !sessionAlive(session), 5_000), 'leash').toBe(true);
});

test('a killed leash takes its command with it', async () => {
  const output = recorder();
  const child = spawnLeashed('sh', ['-c', 'echo child $$; exec sleep 300'], { onLine: output.onLine });
  expect(await until(() => output.lines.length === 1, 5_000)).toBe(true);
  process.kill(child.pid, 'SIGKILL');
  await child.exited;
  expect(await until(() => !alive(output.pid('child')), 2_000)).toBe(true);
});
