import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Database } from '../kit/database.ts';
import { HashiraError } from '../kit/errors.ts';
import { createLogger } from '../kit/log.ts';
import type { Job } from './jobs.ts';
import { Reporter } from './reporter.ts';
import { JobRun } from './run.ts';
import type { Report } from './store.ts';
import { testConfig } from './test/shell.ts';

let reports: Report[];
let reporter: Reporter;
let ended: AbortController;
let run: JobRun;

beforeEach(() => {
  reports = [];
  ended = new AbortController();
  const sink = {
    report: async (report: Report) => {
      reports.push(report);
      return { held: true, cancelRequested: false };
    },
    trimLogs: async () => {},
  };
  reporter = new Reporter(sink, () => {}, createLogger('test', 'silent'));
  run = new JobRun(
    {} as Job,
    testConfig(),
    {} as Database,
    ended.signal,
    reporter,
    (line) => line,
    async () => ({}) as Job,
  );
});
afterEach(() => reporter.stop());

const shell = (script: string) => run.child({ name: 'The job', command: 'sh', args: ['-c', script] }, 0.2, 0.6);

test('a child moves the job within its share, and returns its result', async () => {
  const result = await shell(`
    echo '@progress {"progress": 0.5, "stage": "halfway"}'
    echo a line
    sleep 0.4
    echo '@result {"rows": 7}'`);
  expect(result).toEqual({ rows: 7 });
  await reporter.stop();
  expect(reports[0]).toEqual({ progress: 0.4, stage: 'halfway', lines: ['a line'] });
  expect(reports.at(-1)?.progress).toBe(0.6);
});

test.each([
  [`echo '@error {"code": "LAKE_EMPTY", "message": "It is empty."}'; exit 1`, 'LAKE_EMPTY', 'It is empty.'],
  [`echo '@error {"code": "X", "message": "Odd."}'; echo '@result {}'`, 'X', 'Odd.'],
  ['exit 3', 'CHILD_FAILED', "The job ended with exit code 3. Its last lines are in the job's logs."],
  ['kill -KILL $$', 'CHILD_KILLED', 'memory'],
  ['kill -SEGV $$', 'CHILD_CRASHED', 'SIGSEGV'],
  ['exit 0', 'NO_RESULT', 'without a result'],
  ['exec /no/such/program', 'CHILD_NOT_STARTED', 'could not be started'],
  ['echo "java.io.IOException: No space left on device" >&2; exit 1', 'DISK_FULL', 'no space left on the disk'],
  [
    `echo 'OSError: [Errno 28] No space left on device'; echo '@error {"code": "INTERNAL_ERROR", "message": "?"}'; exit 1`,
    'DISK_FULL',
    'no space left on the disk',
  ],
])('a child that ends with %j fails its job with a reason', async (script, code, message) => {
  await expect(shell(script)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
});

test('a run that is to end stops its child and fails with the reason, whatever the child says', async () => {
  const reason = new Error('cancelled');
  setTimeout(() => ended.abort(reason), 200);
  await expect(shell(`trap "echo '@result {}'; exit 0" TERM; sleep 300 & wait`)).rejects.toBe(reason);
  await expect(shell('exit 0')).rejects.toBe(reason);
});

test('a step is done again when the database was away', async () => {
  const away = new HashiraError('DATABASE_UNAVAILABLE', 'away');
  const work = vi.fn().mockRejectedValueOnce(away).mockResolvedValueOnce('loaded');
  expect(await run.step(0.9, 'load', work)).toBe('loaded');
  expect(work).toHaveBeenCalledTimes(2);
});

test('a step that fails for another reason is not done again', async () => {
  const work = vi.fn().mockRejectedValue(new HashiraError('LAKE_UNREADABLE', 'broken'));
  await expect(run.step(0.9, 'load', work)).rejects.toThrow('broken');
  expect(work).toHaveBeenCalledTimes(1);
});
