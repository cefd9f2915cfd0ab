import { expect, test } from 'vitest';
import { parseLine } from './protocol.ts';

test('reads progress, clipped to 0..1', () => {
  expect(parseLine('@progress {"progress": 0.42, "stage": "write events"}')).toEqual({
    type: 'progress',
    progress: 0.42,
    stage: 'write events',
  });
  expect(parseLine('@progress {"progress": 7}')).toEqual({ type: 'progress', progress: 1, stage: null });
});

test('reads results and errors', () => {
  expect(parseLine('@result {"a": [1, "x\\u0000y\u2028"]}')).toEqual({
    type: 'result',
    result: { a: [1, 'xy\u2028'] },
  });
  expect(parseLine('@error {"code": "LAKE_EMPTY", "message": "The lake is empty."}')).toEqual({
    type: 'error',
    code: 'LAKE_EMPTY',
    message: 'The lake is empty.',
  });
});

test.each([
  '',
  'plain',
  '@progress',
  '@progress {',
  '@progress {"progress": "x"}',
  '@result [1]',
  '@error {}',
  ' @result {}',
])('takes %j for a log line', (line) => {
  expect(parseLine(line)).toEqual({ type: 'log', text: line });
});
