import { expect, test } from 'vitest';
import { quantities } from './quantity.ts';

test.each([
  ['1,100 g', [{ dimension: 'mass', value: 1100 }]],
  ['1.5 kg', [{ dimension: 'mass', value: 1500 }]],
  ['3 g each', [{ dimension: 'mass', value: 3 }]],
  ['katana blades up to 74 cm', [{ dimension: 'length', value: 740 }]],
  ['160', [{ dimension: 'count', value: 160 }]],
  ['machine wash at 30 °C', [{ dimension: 'temperature', value: 30 }]],
  ['T10 tool steel', []],
])('reads %s', (text, expected) => {
  expect(quantities(text)).toEqual(expected);
});

test('the unit at the end of a size is that of all its numbers', () => {
  expect(quantities('225 × 65 × 25 mm').map(({ value }) => value)).toEqual([225, 65, 25]);
  expect(quantities('22 to 27 cm').map(({ value }) => value)).toEqual([220, 270]);
});
