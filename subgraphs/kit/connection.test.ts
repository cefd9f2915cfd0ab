import { describe, expect, it } from 'vitest';
import { decodeCursor, encodeCursor, page, pageSize } from './connection.ts';

describe('pageSize', () => {
  it('is 20 when not given and refuses what is not 1 to 100', () => {
    expect([pageSize(undefined), pageSize(null), pageSize(1), pageSize(100)]).toEqual([20, 20, 1, 100]);
    for (const first of [0, -1, 101]) {
      expect(() => pageSize(first)).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT' }));
    }
  });
});

describe('cursors', () => {
  const isNumber = (position: unknown): position is number => typeof position === 'number';

  it('come back as they were encoded', () => {
    expect(decodeCursor(encodeCursor(7), isNumber)).toBe(7);
    expect(decodeCursor(undefined, isNumber)).toBeNull();
  });

  it('that are not of this list are refused', () => {
    for (const after of ['', 'x', encodeCursor('7'), Buffer.from('{').toString('base64url')]) {
      expect(() => decodeCursor(after, isNumber)).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT' }));
    }
  });
});

describe('page', () => {
  it('keeps the extra row back and says that there is more', () => {
    const { edges, pageInfo } = page([1, 2, 3], 2, null, (row) => row);
    expect(edges.map(({ node }) => node)).toEqual([1, 2]);
    expect(pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false, endCursor: encodeCursor(2) });
    expect(page([], 2, 'x', (row) => row).pageInfo).toEqual({
      hasNextPage: false,
      hasPreviousPage: true,
      startCursor: null,
      endCursor: null,
    });
  });
});
