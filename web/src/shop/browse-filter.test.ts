import { expect, it } from 'vitest';
import { linkWith, productFilter, readFilter, writeFilter } from './browse-filter.ts';

it('lives in the address: what is written is read again, and the rest of the address stays', () => {
  const filter = {
    inStock: true,
    minPrice: 10,
    maxPrice: null,
    attributes: [{ name: 'steel', value: 'T10: tool' }],
    sort: 'PRICE_ASC' as const,
  };
  const params = writeFilter(new URLSearchParams({ q: 'katana', max: '5' }), filter);
  expect(params.get('q')).toBe('katana');
  expect(params.has('max')).toBe(false);
  expect(readFilter(params)).toEqual(filter);
  expect(readFilter(new URLSearchParams(linkWith({ name: 'edge', value: 'sharp' }).split('?')[1])).attributes).toEqual([
    { name: 'edge', value: 'sharp' },
  ]);
});

it('takes nothing from an address that is no filter', () => {
  const read = readFilter(new URLSearchParams('min=-1&max=many&sort=__proto__&with=:x&stock=maybe'));
  expect(productFilter(read, undefined)).toEqual({});
  expect(read.sort).toBe('NEWEST');
});
