import type { Dimension } from './quantity.ts';
import { quantities } from './quantity.ts';
import { fold } from './words.ts';

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

const CURRENCY = String.raw`(?:¥|\$|€|£|yen|jpy|usd|dollars?|bucks|eur|euros?|gbp|pounds? sterling)`;
const AMOUNT = String.raw`(?:¥|\$|€|£)?\s*(\d[\d,. ]*\d|\d)\s*(k)?\b`;
const UPPER = `(?:under|below|less than|cheaper than|up to|at most|no more than|not more than|max(?:imum)?(?: of)?|within|lighter than|shorter than|smaller than|not over|(?:a )?budget(?: of| is|:)?|spend|beyond|ceiling(?: of)?|limit(?: of| is)?|max\\.?)`;
const LOWER = `(?:over|above|more than|at least|from|no less than|starting at|heavier than|longer than|larger than|bigger than|min(?:imum)?(?: of)?)`;

/** Reads limits of price, weight, length and the like, and whether it must be in stock. */
export function constraintsIn(question: string): Constraints {
  // "Not over" is under.
  const folded = fold(question).replace(
    /\b(not|no|never|without|\p{L}+nt)\b((?: \p{L}+){0,3}?) (over|above|more than|beyond|exceed(?:ing)?)\b/gu,
    '$2 under',
  );
  const found: Constraints = { limits: [] };
  if (
    /\b(in stock|available (now|today|right now)|can (buy|get) (now|today)|not sold out|ready to ship)\b/.test(folded)
  )
    found.inStock = true;

  const range = new RegExp(
    String.raw`\b(?:between|from)\s+${AMOUNT}[^\d]{0,12}?\s*(?:and|to|until|till|-|–)\s+${AMOUNT}\s*([\p{L}¥$€£°]*)`,
    'u',
  ).exec(folded);
  if (range) {
    const unit = range[5] ?? '';
    limit(found, 'min', amount(range[1], range[2] ?? range[4]), unit, folded);
    limit(found, 'max', amount(range[3], range[4]), unit, folded);
    return found;
  }
  for (const [side, words] of [
    ['max', UPPER],
    ['min', LOWER],
  ] as const) {
    for (const match of folded.matchAll(
      new RegExp(String.raw`\b${words}\s+(?:about\s+|around\s+)?${AMOUNT}\s*([\p{L}¥$€£°]*)`, 'gu'),
    )) {
      limit(found, side, amount(match[1], match[2]), match[3] ?? '', match[0]);
    }
  }
  // "15,000 yen or less", "5000 yen max"
  for (const match of folded.matchAll(
    new RegExp(String.raw`${AMOUNT}\s*(${CURRENCY})\s*(?:or (less|under|cheaper|more|above)|(max)|tops)`, 'gu'),
  )) {
    limit(
      found,
      /more|above/.test(match[4] ?? '') ? 'min' : 'max',
      amount(match[1], match[2]),
      match[3] ?? '',
      match[0],
    );
  }
  return found;
}

function amount(digits: string | undefined, thousands: string | undefined): number {
  return Number((digits ?? '').replace(/[, ](?=\d{3})/g, '').replace(/[, ]/g, '')) * (thousands ? 1000 : 1);
}

/** A number with a unit limits that measure; one with a currency or alone limits the price. */
function limit(found: Constraints, side: 'min' | 'max', value: number, unit: string, context: string): void {
  if (!Number.isFinite(value)) return;
  const [measure] = quantities(`${value} ${unit}`);
  if (measure && measure.dimension !== 'count') {
    found.limits.push({ dimension: measure.dimension, [side]: measure.value });
    return;
  }
  const isPrice =
    new RegExp(CURRENCY).test(`${context} ${unit}`) || unit === '' || /price|cost|budget|spend|cheap/.test(context);
  if (isPrice) found[side === 'min' ? 'minPrice' : 'maxPrice'] = value;
  else if (/^(pages?|pieces?|grit)/.test(unit)) found.limits.push({ dimension: 'count', [side]: value });
}

export const isConstrained = ({ minPrice, maxPrice, inStock, limits }: Constraints): boolean =>
  minPrice !== undefined || maxPrice !== undefined || inStock === true || limits.length > 0;
