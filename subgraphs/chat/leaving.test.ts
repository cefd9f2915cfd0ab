import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { cancelling, Leavable, unlessAborted } from './leaving.ts';

const never = new Promise<never>(() => {});

test('a promise is waited for no longer than the signal lets it', async () => {
  const leaving = new AbortController();
  const waiting = unlessAborted(never, leaving.signal);
  leaving.abort('left');
  await expect(waiting).rejects.toBe('left');
  await expect(unlessAborted(Promise.reject(new Error('late')), leaving.signal)).rejects.toBe('left');
  expect(await unlessAborted(Promise.resolve(1), new AbortController().signal)).toBe(1);
});

test('the signal of a long life keeps no listener', async () => {
  const { signal } = new AbortController();
  const added = vi.spyOn(signal, 'addEventListener');
  const removed = vi.spyOn(signal, 'removeEventListener');
  await unlessAborted(Promise.resolve(1), signal);
  const stream = new Leavable(async function* () {
    yield 1;
  }, signal);
  for await (const _ of stream);
  expect(removed).toHaveBeenCalledTimes(added.mock.calls.length);
});

test('a source that does not listen is left all the same, and ended when it can be', async () => {
  const returned = vi.fn(async () => ({ done: true as const, value: undefined }));
  const deaf = { [Symbol.asyncIterator]: () => ({ next: () => never, return: returned }) };
  const leaving = new AbortController();
  const next = cancelling(deaf, leaving.signal).next();
  leaving.abort('left');
  await expect(next).rejects.toBe('left');
  expect(returned).toHaveBeenCalledOnce();
});

test('a reader that leaves while the generator waits is told at once, and the generator cleans up', async () => {
  let cleaned = false;
  const stream = new Leavable(async function* (signal) {
    try {
      yield 1;
      await sleep(60_000, undefined, { signal });
      yield 2;
    } finally {
      cleaned = true;
    }
  });
  expect(await stream.next()).toEqual({ done: false, value: 1 });
  const next = stream.next();
  expect(await stream.return()).toEqual({ done: true, value: undefined });
  expect(await next).toEqual({ done: true, value: undefined });
  await stream.ended;
  expect(cleaned).toBe(true);
});

test('one that is ended from inside still tells what it has to say', async () => {
  const stream = new Leavable(async function* (signal) {
    await sleep(60_000, undefined, { signal }).catch(() => {});
    yield 'the end';
  });
  const next = stream.next();
  stream.abort('shutting down');
  expect(await next).toEqual({ done: false, value: 'the end' });
});

test('what was never begun does nothing', async () => {
  const begun = vi.fn();
  const stream = new Leavable(async function* () {
    begun();
    yield 1;
  }, AbortSignal.abort());
  expect(await stream.next()).toEqual({ done: true, value: undefined });
  await stream.ended;
  expect(begun).not.toHaveBeenCalled();
});
