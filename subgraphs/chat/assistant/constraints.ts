import { type Dimension, numberOf, quantities } from './quantity.ts';
import { fold, isStopWord } from './words.ts';

/** A limit on a measure, in base units. */
export interface Limit {
  dimension: Dimension;
  min?: number;
  max?: number;
}

/** What a question demands in numbers. */
export interface Constraints {
  minPrice?: number;
  maxPrice?: number;
  inStock?: true;
  limits: Limit[];
}

const CURRENCY = String.raw`(?:¥|\$|€|£|yens?|jpy|usd|dollars?|bucks|eur|euros?|gbp|pounds? sterling|quid)`;
const NUMBER = new RegExp(
  String.raw`(${CURRENCY}\s*)?(?<![\p{L}\d.,])(\d{1,3}(?:[,. ]\d{3})+(?!\d)|\d+(?:\.\d+)?)(?:\s*(k|thousand|grand)(?!\p{L}))?[\s-]*(°?\p{L}+|[¥$€£"″])?`,
  'gu',
);
const COUNTED = /^(pages?|pieces?|grit)$/;
const ONLY_CURRENCY = new RegExp(`^${CURRENCY}$`, 'u');

const ABOVE =
  /\b(over|above|more|beyond|exceed(s|ing)?|at (the )?least|min|minimum|starting|starts?|from|longer|heavier|larger|bigger|taller|thicker|wider|dearer|pricier|higher|greater|upwards)\b/g;
const BELOW =
  /\b(under|underneath|below|beneath|less|within|inside|up to|at (the )?(very )?most|max|maximum|cheaper|lighter|shorter|smaller|thinner|narrower|lower|fewer|limit|ceiling|cap|until|budget|spend|afford|pay)\b/g;
const NEARLY = /\b(about|around|roughly|approximately|circa|ca|some|near(ly)?|close to|in the region of)\b/;
/** "No more than", "must not cost over", "nothing above": with these, what is above is meant to be below. */
const NEGATION = /\b(no|not|never|nothing|without|none|neither|cannot|cant|\p{L}+nt)\b((?:\s+\p{L}+){0,4})\s*$/u;
/** "No less than", "not under". */
const NOT_BELOW = /\b(no|not)\s+$/;
const BEHIND_BELOW =
  /^[\s,]*(?:(?:or|and|at|as|is|being|would be)\s+)*(?:(?:the|my|our|a)\s+)*(?:very\s+)?(?:less|under|below|cheaper|lower|lighter|shorter|smaller|fewer|most|max|maximum|tops|limit|budget|ceiling|cap|to spend|all i have|upper|too much|or so)\b/;
const BEHIND_ABOVE =
  /^[\s,]*(?:(?:or|and|at|as|is|being)\s+)*(?:(?:the|my|our|a)\s+)*(?:more|over|above|longer|heavier|larger|bigger|higher|upwards?|up|onwards?|least|minimum|min|plus)\b/;
/** Between two numbers that are the ends of a range. */
const RANGE = /^\s*(and|to|until|till|up to|-|–|—|\.\.+)\s*$/;
const PRICES = /\b(prices?|priced|cost(s|ing)?|budget|spend(ing)?|pay(ing)?|money|cheap\w*|afford\w*|expensive)\b/;
const IN_STOCK =
  /\b(in stock|on (hand|the shelf)|((?<!un)available|buy|bought|get|deliver(ed|able)?|orde?r(ed|able)?|ship(s|ped)?|sent|dispatch(ed)?|need .{0,20}) (now|today|right now|right away|at once|immediately|straight away|tomorrow)|(?<!un)available|not (be )?(sold out|out of stock|unavailable)|(immediately|instantly|currently|readily) available|ready to (ship|go|send|be (shipped|sent))|immediate delivery)\b/;

/** "Ten thousand" in digits. */
const inDigits = (text: string): string =>
  text.replace(/\b(\p{L}+) (thousand|hundred)\b/gu, (whole, word: string, power: string) => {
    const units = word === 'a' ? 1 : numberOf(word);
    return units ? String(units * (power === 'thousand' ? 1000 : 100)) : whole;
  });

/** A number of a question, with what stands around it. */
interface Amount {
  value: number;
  /** The word or sign that follows; empty when none does. */
  unit: string;
  /** Whether a currency is written to it. */
  hasCurrency: boolean;
  start: number;
  end: number;
}

type Side = 'min' | 'max' | 'near';

/** Reads limits of price, weight, length and the like, and whether it must be in stock. */
export function constraintsIn(question: string): Constraints {
  const folded = inDigits(fold(question));
  const found: Constraints = { limits: [] };
  if (IN_STOCK.test(folded)) found.inStock = true;
  const amounts = [...folded.matchAll(NUMBER)].map(amountOf);
  const ofMoney = PRICES.test(folded);
  amounts.forEach((amount, index) => {
    const [before, after] = [amounts[index - 1], amounts[index + 1]];
    const ahead = folded.slice(before?.end ?? 0, amount.start);
    const behind = folded.slice(amount.end, after?.start ?? folded.length);
    const ends = before !== undefined && isRange(folded, before, amount);
    const begins = after !== undefined && isRange(folded, amount, after);
    const side = ends ? 'max' : begins ? 'min' : sideOf(ahead, behind, after === undefined, amount.hasCurrency);
    // The unit of a range stands at its end: "from 3,000 to 5,000 yen".
    if (side) limit(found, side, amount.value, begins && isBare(amount) ? after : amount, ofMoney);
  });
  return found;
}

function amountOf(match: RegExpMatchArray): Amount {
  const [whole, sign, digits = '', thousands, unit = ''] = match;
  const start = match.index ?? 0;
  const plain = digits.replace(/[, ]/g, '').replace(/\.(?=\d{3}(?!\d))/g, '');
  const isUnit = ONLY_CURRENCY.test(unit) || isMeasure(unit);
  return {
    value: Number(plain) * (thousands ? 1_000 : 1),
    unit,
    hasCurrency: sign !== undefined || ONLY_CURRENCY.test(unit) || thousands === 'k',
    start,
    // A word that is no unit may say what the number limits: "5000 or less".
    end: start + (isUnit ? whole : whole.slice(0, whole.length - unit.length).replace(/[\s-]+$/, '')).length,
  };
}

const isMeasure = (unit: string): boolean => {
  const [measure] = unit === '' ? [] : quantities(`1 ${unit}`);
  return measure !== undefined && measure.dimension !== 'count';
};

const isBare = ({ unit, hasCurrency }: Amount): boolean => !hasCurrency && !isMeasure(unit) && !COUNTED.test(unit);

/** Whether two numbers are the ends of a range: "between 2,000 and 5,000 yen", "3 to 4 kg". */
function isRange(text: string, one: Amount, other: Amount): boolean {
  const between = text.slice(one.end, other.start);
  if (!RANGE.test(between) || one.value >= other.value) return false;
  return (
    !/and/.test(between) ||
    /\bbetween\b[^\d]*$/.test(text.slice(0, one.start)) ||
    (one.hasCurrency && other.hasCurrency)
  );
}

/** On which side of a number what is looked for shall be. */
function sideOf(ahead: string, behind: string, isLast: boolean, isPrice: boolean): Side | null {
  // The nearest word decides, within its clause.
  const clause = ahead.split(/[.;:!?]\s/).at(-1) ?? '';
  const [above, below] = [ABOVE, BELOW].map((pattern) => [...clause.matchAll(pattern)].at(-1)?.index ?? -1) as [
    number,
    number,
  ];
  // What stands right before the next number is said of that.
  const said = (pattern: RegExp) => {
    const length = pattern.exec(behind)?.[0].length ?? 0;
    return length > 0 && (isLast || length < behind.trimEnd().length);
  };
  if (said(BEHIND_BELOW)) return 'max';
  if (said(BEHIND_ABOVE)) return NEGATION.test(clause) ? 'max' : 'min';
  if (above > below) return NEGATION.test(clause.slice(0, above)) ? 'max' : 'min';
  if (below > above) return NOT_BELOW.test(clause.slice(0, below)) ? 'min' : 'max';
  if (NEARLY.test(clause)) return 'near';
  // "A katana for 30,000 yen"
  return isPrice ? 'max' : null;
}

/** How far from a number is still about it. */
const NEAR = { price: 0.2, measure: 0.1 };

/** A number with a unit limits that measure; one with a currency or alone limits the price. */
function limit(found: Constraints, side: Side, value: number, { unit, hasCurrency }: Amount, ofMoney: boolean): void {
  const within = (of: number, tolerance: number) => ({
    ...(side === 'max' ? {} : { min: side === 'near' ? of * (1 - tolerance) : of }),
    ...(side === 'min' ? {} : { max: side === 'near' ? of * (1 + tolerance) : of }),
  });
  if (!hasCurrency && isMeasure(unit)) {
    const [measure] = quantities(`${value} ${unit}`);
    if (measure) found.limits.push({ dimension: measure.dimension, ...within(measure.value, NEAR.measure) });
  } else if (!hasCurrency && COUNTED.test(unit)) {
    if (side !== 'near') found.limits.push({ dimension: 'count', ...within(value, 0) });
  } else if (hasCurrency || (ofMoney && side !== 'near') || (side !== 'near' && (unit === '' || isStopWord(unit)))) {
    const { min, max } = within(value, NEAR.price);
    if (min !== undefined) found.minPrice = min;
    if (max !== undefined) found.maxPrice = max;
  }
}

export const isConstrained = ({ minPrice, maxPrice, inStock, limits }: Constraints): boolean =>
  minPrice !== undefined || maxPrice !== undefined || inStock === true || limits.length > 0;
