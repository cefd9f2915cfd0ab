import { expect, test } from 'vitest';
import { Places, RateLimit } from './limits.ts';

const limited = (retryAfter: number) => expect.objectContaining({ extensions: { code: 'RATE_LIMITED', retryAfter } });

test('a minute has its questions, all at once or evenly, for each key', () => {
  let now = 0;
  const rate = new RateLimit(3, () => now);
  for (let question = 0; question < 3; question++) rate.take('a');
  expect(() => rate.take('a')).toThrow(limited(20));
  rate.take('b');
  now = 20_000;
  rate.take('a');
  expect(() => rate.take('a')).toThrow(limited(20));
});

test('0 is no limit', () => {
  const rate = new RateLimit(0);
  for (let question = 0; question < 1_000; question++) rate.take('a');
});

test('a place that was given back twice is one place', () => {
  const places = new Places(1);
  const leave = places.take();
  expect(() => places.take()).toThrow(expect.objectContaining({ code: 'TOO_BUSY' }));
  leave();
  leave();
  places.take();
  expect(() => places.take()).toThrow();
});
