import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { createLogger } from '../kit/log.ts';
import { Writer } from './writer.ts';

/** Its weights are random: what it writes never holds. */
const MODEL = path.join(import.meta.dirname, '../../ml/summarizer/golden/bundle');
const log = createLogger('test', 'silent');
const turns = [
  { speaker: 'Customer', text: 'Where is my order HM-104? It should be here since last Friday.' },
  { speaker: 'Agent', text: 'I found it, it will be with you on Tuesday.' },
];
let writer: Writer;
afterEach(() => writer?.dispose());

/** The processes in which our writers write. */
const workers = (): number[] =>
  execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(process.pid)], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes('summary/worker.ts'))
    .map((line) => Number.parseInt(line, 10));

test('writes in a process of its own, which ends with it', async () => {
  writer = new Writer(MODEL, 10, log);
  expect(workers()).toHaveLength(0);
  const { digest, by } = await writer.write(turns);
  expect(by).toBe('extractive');
  expect(digest.summary).toContain('HM-104');
  expect(workers()).toHaveLength(1);
  await writer.dispose();
  expect(workers()).toHaveLength(0);
  await expect(writer.write(turns)).rejects.toMatchObject({ code: 'SUMMARY_MODEL_UNAVAILABLE' });
});

test('a process that is killed while it writes is replaced, and nothing is lost', async () => {
  writer = new Writer(MODEL, 10, log);
  await writer.load();
  const long = Array.from({ length: 40 }, () => turns).flat();
  const writing = Promise.all([writer.write(long), writer.write(turns), writer.write(turns)]);
  const killed = workers();
  process.kill(killed[0] as number, 'SIGKILL');
  expect(await writing).toHaveLength(3);
  expect(workers()).toHaveLength(1);
  expect(workers()).not.toEqual(killed);
});

test('who leaves is not waited for, in the queue or while it is written', async () => {
  writer = new Writer(MODEL, 10, log);
  await writer.load();
  const long = Array.from({ length: 300 }, () => turns).flat();
  const [first, second] = [new AbortController(), new AbortController()];
  const writing = [writer.write(long, first.signal), writer.write(long, second.signal)];
  const since = performance.now();
  second.abort(new Error('left the queue'));
  await expect(writing[1]).rejects.toThrow('left the queue');
  first.abort(new Error('left'));
  await expect(writing[0]).rejects.toThrow('left');
  await writer.write(turns);
  // The long ones would take many seconds.
  expect(performance.now() - since).toBeLessThan(5_000);
});

test('a folder without a model is told, and does not keep a process', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'hashira-test-'));
  try {
    writer = new Writer(folder, 10, log);
    await expect(writer.load()).rejects.toMatchObject({ code: 'SUMMARY_MODEL_UNAVAILABLE' });
    await expect(writer.write(turns)).rejects.toMatchObject({
      code: 'SUMMARY_MODEL_UNAVAILABLE',
      message: expect.not.stringContaining(folder),
    });
    expect(workers()).toHaveLength(0);
  } finally {
    await rm(folder, { recursive: true });
  }
});
