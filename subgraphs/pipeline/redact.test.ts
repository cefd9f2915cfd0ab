import { expect, test } from 'vitest';
import { createRedactor } from './redact.ts';

const redact = createRedactor(['hunter2hunter2', undefined]);

test.each([
  ['connect postgres://joe:pw@db:5432/x', 'connect postgres://***@db:5432/x'],
  ['Authorization: Bearer abc.def.ghi-123', 'Authorization: Bearer ***'],
  ['AWS_SECRET_ACCESS_KEY=abc/def next', 'AWS_SECRET_ACCESS_KEY=*** next'],
  ['spark.hadoop.fs.s3a.secret.key=abc', 'spark.hadoop.fs.s3a.secret.key=***'],
  ['{"password": "p w", "x": 1}', '{"password": "***", "x": 1}'],
  ['GET /x?a=1&X-Amz-Signature=f00&b=2', 'GET /x?a=1&X-Amz-Signature=***&b=2'],
  ['it is hunter2hunter2 indeed', 'it is *** indeed'],
  ['users: 5, tokens seen: 7, see http://host/a@b', 'users: 5, tokens seen: 7, see http://host/a@b'],
])('%j becomes %j', (line, expected) => {
  expect(redact(line)).toBe(expected);
});

test('cuts long lines at 2 kB without half characters', () => {
  const cut = redact('ä'.repeat(5_000));
  expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(2_000);
  expect(cut).toMatch(/^ä+…$/);
});
