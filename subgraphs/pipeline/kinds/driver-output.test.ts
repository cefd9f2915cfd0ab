import { expect, test } from 'vitest';
import { DriverOutput } from './driver-output.ts';

/** What a node tells of a log that is `written`, asked for the last `most` bytes. */
const told = (written: string, most = 1_000) => {
  const all = Buffer.from(written);
  return { length: all.length, end: all.subarray(Math.max(0, all.length - most)) };
};

test('gives each line once, when it is whole', () => {
  const output = new DriverOutput();
  expect(output.read(told('a\nb'))).toEqual(['a']);
  expect(output.read(told('a\nb'))).toEqual([]);
  expect(output.read(told('a\nbc\n\nd\ne'))).toEqual(['bc', 'd']);
  expect(output.read(told('a\nbc\n\nd\ne\n'))).toEqual(['e']);
});

test('joins characters that were cut', () => {
  const output = new DriverOutput();
  const whole = Buffer.from('é\n');
  expect(output.read({ length: 1, end: whole.subarray(0, 1) })).toEqual([]);
  expect(output.read({ length: 3, end: whole })).toEqual(['é']);
});

test('goes on behind what was written faster than it was asked for', () => {
  const output = new DriverOutput();
  output.read(told('first\nsec'));
  expect(output.read(told(`first\nsecond\n${'x'.repeat(2_000)}\nlast\n`, 20))).toEqual(['last']);
});
