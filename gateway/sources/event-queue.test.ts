import { expect, it } from 'vitest';
import { EventQueue } from './event-queue.ts';

it('gives events in order, to those who wait and to those who come later', async () => {
  const queue = new EventQueue<number>(10, () => {});
  const [first, second] = [queue.next(), queue.next()];
  for (const event of [1, 2, 3]) queue.push(event);
  queue.end();
  expect([(await first).value, (await second).value]).toEqual([1, 2]);
  expect([await queue.next(), await queue.next()]).toMatchObject([{ value: 3 }, { done: true }]);
});

it('says when there is no room', () => {
  const queue = new EventQueue<number>(2, () => {});
  expect([1, 2, 3].map((event) => queue.push(event))).toEqual([true, true, false]);
});

it('throws after the events that wait, or in place of them, and once', async () => {
  for (const [dropped, events] of [
    [false, [1]],
    [true, []],
  ] as const) {
    const queue = new EventQueue<number>(2, () => {});
    queue.push(1);
    queue.fail(new Error('broken'), dropped);
    const got: number[] = [];
    await expect(
      (async () => {
        for await (const event of queue) got.push(event);
      })(),
    ).rejects.toThrow('broken');
    expect(got).toEqual(events);
    expect(await queue.next()).toEqual({ done: true, value: undefined });
  }
});

it('tells once that it was given up, and not when it ended by itself', async () => {
  let given = 0;
  const queue = new EventQueue<number>(2, () => given++);
  const waiting = queue.next();
  await queue.return();
  await queue.return();
  expect([given, await waiting, queue.push(1)]).toEqual([1, { done: true, value: undefined }, true]);
  const ended = new EventQueue<number>(2, () => given++);
  ended.end();
  await ended.return();
  expect(given).toBe(1);
});
