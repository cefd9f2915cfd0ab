import { describe, expect, it } from 'vitest';
import { fuse } from './fusion.ts';

describe('reciprocal rank fusion', () => {
  it('puts first what both rankings have', () => {
    const fused = fuse([
      { ids: ['a', 'b', 'c'], weight: 1 },
      { ids: ['d', 'c', 'e'], weight: 1 },
    ]);
    expect(fused[0]).toEqual({ id: 'c', score: 1 / 63 + 1 / 62, ranks: [3, 2] });
    expect(fused.map(({ id }) => id)).toEqual(['c', 'a', 'd', 'b', 'e']);
    expect(fused[1]?.ranks).toEqual([1, null]);
  });

  it('lets a ranking count more', () => {
    const fused = fuse([
      { ids: ['a', 'b'], weight: 2 },
      { ids: ['c', 'd'], weight: 1 },
    ]);
    expect(fused.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('lets a part of a ranking count more', () => {
    const fused = fuse([
      { ids: ['a', 'b'], weight: [2, 0.5] },
      { ids: ['c'], weight: 1 },
    ]);
    expect(fused.map(({ id }) => id)).toEqual(['a', 'c', 'b']);
  });

  it('orders equal scores by id, and has nothing of nothing', () => {
    expect(
      fuse([
        { ids: ['b'], weight: 1 },
        { ids: ['a'], weight: 1 },
      ]),
    ).toMatchObject([{ id: 'a' }, { id: 'b' }]);
    expect(fuse([{ ids: [], weight: 1 }])).toEqual([]);
  });
});
