import { GraphQLError } from 'graphql';
import { describe, expect, it } from 'vitest';
import { endingOf } from './outcome.ts';

const errors = (...codes: string[]) => codes.map((code) => new GraphQLError('no', { extensions: { code } }));

describe('the ending of a request', () => {
  it('is ok without errors', () => {
    expect(endingOf({ data: { a: 1 } })).toEqual({ outcome: 'ok', codes: [] });
    expect(endingOf({ data: { a: 1 }, errors: [] })).toEqual({ outcome: 'ok', codes: [] });
  });

  it('is partial with data beside the errors, whose codes are named once each', () => {
    const result = { data: { a: null }, errors: errors('SUBGRAPH_TIMEOUT', 'FORBIDDEN', 'SUBGRAPH_TIMEOUT') };
    expect(endingOf(result)).toEqual({ outcome: 'partial', codes: ['SUBGRAPH_TIMEOUT', 'FORBIDDEN'] });
  });

  it('is a refusal when the reason lies with the client', () => {
    for (const code of ['GRAPHQL_PARSE_FAILED', 'RATE_LIMITED', 'UNAUTHENTICATED']) {
      expect(endingOf({ errors: errors(code) }).outcome).toBe('refused');
    }
  });

  it('is an error when the reason lies with us, or nobody knows it', () => {
    expect(endingOf({ data: null, errors: errors('FORBIDDEN', 'SUBGRAPH_UNAVAILABLE') }).outcome).toBe('error');
    expect(endingOf({ data: null, errors: [new GraphQLError('?')] })).toEqual({
      outcome: 'error',
      codes: ['INTERNAL_SERVER_ERROR'],
    });
  });
});
