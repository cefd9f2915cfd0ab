import { expect, test } from 'vitest';
import { decideClaim, JobStatus } from './jobs.ts';

const base = { status: JobStatus.QUEUED, attempts: 0, cancelRequested: false, silent: false };

test('a queued job is run', () => {
  expect(decideClaim(base, 2)).toBe('run');
});

test('a finished job that is delivered again is not run again', () => {
  for (const status of [JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED]) {
    expect(decideClaim({ ...base, status, silent: true }, 2)).toBe('done');
  }
});

test('a job whose worker is heard of is left to it, even when its end was asked for', () => {
  expect(decideClaim({ ...base, status: JobStatus.RUNNING, attempts: 1 }, 2)).toBe('wait');
  expect(decideClaim({ ...base, status: JobStatus.RUNNING, attempts: 2, cancelRequested: true }, 2)).toBe('wait');
});

test('a job whose worker fell silent is tried again until its attempts are used up', () => {
  const lost = { ...base, status: JobStatus.RUNNING, silent: true };
  expect(decideClaim({ ...lost, attempts: 1 }, 2)).toBe('run');
  expect(decideClaim({ ...lost, attempts: 2 }, 2)).toMatchObject({ status: JobStatus.FAILED, code: 'WORKER_LOST' });
});

test('a job to be cancelled whose worker fell silent is not tried again', () => {
  const lost = { ...base, status: JobStatus.RUNNING, silent: true, cancelRequested: true, attempts: 1 };
  expect(decideClaim(lost, 2)).toEqual({ status: JobStatus.CANCELLED });
});
