import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { createRequestLog, type RequestRecord } from './request-log.ts';

const request: RequestRecord = {
  requestId: 'r-1',
  operation: 'Cart',
  kind: 'query',
  outcome: 'ok',
  codes: [],
  ms: 1.2345,
  cost: 7,
};
const failed: RequestRecord = { ...request, outcome: 'partial', codes: ['SUBGRAPH_TIMEOUT'] };

function lines(which: 'off' | 'errors' | 'all', ...requests: RequestRecord[]): Record<string, unknown>[] {
  const written: Record<string, unknown>[] = [];
  const log = pino({ base: null, timestamp: false }, { write: (line: string) => written.push(JSON.parse(line)) });
  const write = createRequestLog(which, log);
  for (const each of requests) write?.(each);
  return written;
}

describe('the log of requests', () => {
  it('has a line for each that did not go well', () => {
    const left: RequestRecord = { ...request, outcome: 'aborted' };
    expect(lines('errors', request, failed, left)).toEqual([
      {
        level: 40,
        requestId: 'r-1',
        operation: 'Cart',
        kind: 'query',
        outcome: 'partial',
        codes: ['SUBGRAPH_TIMEOUT'],
        ms: 1.23,
        cost: 7,
        msg: 'request',
      },
    ]);
  });

  it('has a line for every one when asked for, and none when off', () => {
    expect(lines('all', request, failed).map(({ outcome }) => outcome)).toEqual(['ok', 'partial']);
    expect(lines('off', request, failed)).toEqual([]);
  });

  it('writes nothing but what it names, whatever else an object carries', () => {
    const careless = {
      ...failed,
      variables: { card: 'card-4111' },
      token: 'x.y.z',
      address: '10.0.0.1',
      subject: 'u-1',
    };
    expect(JSON.stringify(lines('all', careless))).not.toMatch(/card-4111|x\.y\.z|10\.0\.0\.1|u-1/);
  });

  it('cuts a long name and does without what is not known', () => {
    const refused = { ...failed, outcome: 'refused', operation: 'x'.repeat(10_000), kind: undefined, cost: undefined };
    const [line] = lines('errors', refused as RequestRecord);
    expect(line).toMatchObject({ level: 30, operation: 'x'.repeat(100) });
    expect(line).not.toHaveProperty('kind');
  });
});
