import { GraphQLError } from 'graphql';
import { describe, expect, it } from 'vitest';
import type { Result } from '../answer.types.ts';
import { observedStream } from './observed-stream.ts';

const event: Result = { data: { a: 1 } };
const expired: Result = { errors: [new GraphQLError('no', { extensions: { code: 'TOKEN_EXPIRED' } })] };

function observe(results: Result[], failing = false) {
  const told: string[] = [];
  let returned = 0;
  async function* source() {
    try {
      yield* results;
      if (failing) throw new Error('aborted');
    } finally {
      returned++;
    }
  }
  const metrics = { event: () => told.push('event'), streamEnded: (reason: string) => told.push(reason) };
  return { stream: observedStream(source(), metrics), told, returned: () => returned };
}

describe('an observed stream', () => {
  it('passes on and counts its events and its end', async () => {
    const { stream, told } = observe([event, event]);
    const seen: Result[] = [];
    for await (const result of stream) seen.push(result);
    expect([seen, told]).toEqual([
      [event, event],
      ['event', 'event', 'complete'],
    ]);
  });

  it('ends with the code of its last result, when that has no data', async () => {
    const { stream, told } = observe([event, expired]);
    for await (const _ of stream);
    expect(told).toEqual(['event', 'TOKEN_EXPIRED']);
  });

  it('ends once when its client leaves, and its source with it', async () => {
    const { stream, told, returned } = observe([event, event]);
    for await (const _ of stream) break;
    await stream.return?.();
    expect([told, returned()]).toEqual([['event', 'left'], 1]);
  });

  it('ends when its source is aborted', async () => {
    const { stream, told } = observe([event], true);
    await expect(async () => {
      for await (const _ of stream);
    }).rejects.toThrow('aborted');
    expect(told).toEqual(['event', 'left']);
  });
});
