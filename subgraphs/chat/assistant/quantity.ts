/** What a number with a unit measures. */
export type Dimension = 'mass' | 'length' | 'volume' | 'time' | 'temperature' | 'count';

export interface Quantity {
  dimension: Dimension;
  /** In the base unit of its dimension: g, mm, ml, s, °C, pieces. */
  value: number;
}

/** Base units of one unit, by the unit's spellings. */
const UNITS: Record<string, { dimension: Dimension; factor: number }> = {};
const define = (dimension: Dimension, units: Record<string, number>) => {
  for (const [spellings, factor] of Object.entries(units)) {
    for (const spelling of spellings.split(' ')) UNITS[spelling] = { dimension, factor };
  }
};
define('mass', {
  'mg milligram milligrams': 0.001,
  'g gr gram grams gramme grammes': 1,
  'kg kgs kilo kilos kilogram kilograms': 1000,
  'oz ounce ounces': 28.3495,
  'lb lbs pound pounds': 453.592,
  't ton tons tonne tonnes': 1e6,
});
define('length', {
  'mm millimeter millimeters millimetre millimetres': 1,
  'cm centimeter centimeters centimetre centimetres': 10,
  'm meter meters metre metres': 1000,
  'in inch inches " ″': 25.4,
  'ft foot feet': 304.8,
  'yd yard yards': 914.4,
  'km kilometer kilometers kilometre kilometres': 1e6,
});
define('volume', {
  'ml milliliter milliliters millilitre millilitres': 1,
  'cl centiliter centilitre': 10,
  'l liter liters litre litres': 1000,
  'gal gallon gallons': 3785.41,
});
define('time', {
  's sec second seconds': 1,
  'min minute minutes': 60,
  'h hr hrs hour hours': 3600,
  'day days': 86_400,
  'week weeks': 604_800,
  'month months': 2_629_800,
  'year years': 31_557_600,
});
define('temperature', { '°c ℃ celsius': 1 });

const ONES = 'zero one two three four five six seven eight nine ten eleven twelve'.split(' ');
const TENS: Record<string, number> = {
  fifteen: 15,
  twenty: 20,
  thirty: 30,
  forty: 40,
  fifty: 50,
  sixty: 60,
  seventy: 70,
  eighty: 80,
  ninety: 90,
};

/** The number that a word is, such as "seven" or "thirty"; null when it is none. */
export function numberOf(word: string): number | null {
  const one = ONES.indexOf(word);
  return one >= 0 ? one : (TENS[word] ?? null);
}

const NUMBER = String.raw`\d{1,3}(?:[,\u202f]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?`;
const QUANTITY = new RegExp(String.raw`(?<![\p{L}\d.])(${NUMBER})\s*(°?\p{L}+|["″℃])?`, 'giu');

const toNumber = (text: string): number => Number(text.replace(/[,\u202f]/g, ''));

/**
 * The quantities of a text, in their order: "1,100 g" is 1100 of mass, "225 × 65 × 25 mm" has three lengths, a number without a known
 * unit is a count.
 */
export function quantities(text: string): Quantity[] {
  const found: (Quantity & { bare: boolean; end: number; start: number })[] = [];
  for (const match of text.matchAll(QUANTITY)) {
    const unit = UNITS[(match[2] ?? '').toLowerCase()];
    const start = match.index;
    const value = toNumber(match[1] as string);
    const end = start + match[0].length;
    found.push(
      unit
        ? { dimension: unit.dimension, value: value * unit.factor, bare: false, start, end }
        : { dimension: 'count', value, bare: true, start, end: start + (match[1] as string).length },
    );
  }
  // "5 × 120 cm": the unit at the end is that of all.
  for (let i = found.length - 2; i >= 0; i--) {
    const [here, next] = [found[i], found[i + 1]];
    if (!here || !next || !here.bare || next.bare) continue;
    if (!/^\s*(×|x|to|-|–|by)\s*$/i.test(text.slice(here.end, next.start))) continue;
    const unit = lastUnit(text.slice(next.start, next.end));
    if (unit) Object.assign(here, { dimension: unit.dimension, value: here.value * unit.factor, bare: false });
  }
  return found.map(({ dimension, value }) => ({ dimension, value }));
}

function lastUnit(text: string) {
  return UNITS[(/(°?\p{L}+|["″℃])$/u.exec(text)?.[1] ?? '').toLowerCase()];
}
