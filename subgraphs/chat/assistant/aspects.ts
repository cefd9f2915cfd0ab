import type { Dimension } from './quantity.ts';
import { stem, tokens } from './words.ts';

/** What can be asked about nearly any product, with the words that questions and attributes have for it. */
export interface Aspect {
  id: string;
  /** Finds it in a folded question. */
  asked: RegExp;
  /** Stems of words in names of attributes that tell it. */
  names: readonly string[];
  /** What its values measure, if they do. */
  dimension?: Dimension;
}

const aspect = (id: string, asked: RegExp, names: string, dimension?: Dimension): Aspect => ({
  id,
  asked,
  names: names.split(' ').map(stem),
  ...(dimension ? { dimension } : {}),
});

/** Ask for the price and nothing else. */
const PRICE =
  'prices?|priced|costs?|rrp|set me back|(what|which) (sum|amount)|you (ask|asking|charge|charging) for|charge[ds]? for|how many (yen|dollars|euros|pounds)|(have to|would|do) (i )?pay|how much money|the money for';
/** Ask for the stock and nothing else. */
const STOCK = String.raw`in stock|out of stock|sold out|availability|on the shelf|finished|run out|still (get|have|got|buy|there)|can i (get|buy|order) (it|one|this)|(any|one|some|units?|piece) (.{0,60} )?left|(have|got) .{0,40}\bnow`;

/** General English, not a shop's own words: those are found by what they mean and by how they are spelled. */
export const ASPECTS: readonly Aspect[] = [
  aspect(
    'weight',
    /\b(heav(y|ier|iest)|lighter|lightest|weigh(s|t|ing)?|mass|light enough|(is|how) (it )?light|grams?|kilos?)\b/,
    'weight mass',
    'mass',
  ),
  aspect('length', /\b(how long|long|longer|longest|shorter|shortest|length)\b/, 'length', 'length'),
  aspect('width', /\b(wide|wider|widest|width|broad|narrow(er|est)?)\b/, 'width', 'length'),
  aspect('height', /\b(tall|taller|tallest|height|high|higher)\b/, 'height', 'length'),
  aspect('thickness', /\b(thick|thicker|thin|thinner|thickness)\b/, 'thickness', 'length'),
  aspect('diameter', /\b(across|diameter|wide|wider|widest|side to side)\b/, 'diameter', 'length'),
  aspect(
    'size',
    /\b(big|bigger|biggest|large|larger|largest|small|smaller|smallest|sizes?|sizing|dimensions?|measurements?)\b/,
    'size sizes dimension dimensions',
    'length',
  ),
  aspect('capacity', /\b(capacity|volume|how much .{0,20}\b(hold|fit|contain))\b/, 'capacity volume', 'volume'),
  aspect(
    'load',
    /\b(load|(weight|load) limit|(maximum|max|most) (weight|load)|hold up|carry|support|how much weight)\b/,
    'load',
    'mass',
  ),
  aspect(
    'price',
    new RegExp(
      `\\b(${PRICE}|money|charge[ds]?|cheap(er|est)?|expensive|afford(able)?|how much (is|are|does|do|for)|pay)\\b`,
    ),
    'price',
  ),
  aspect('stock', new RegExp(`\\b(${STOCK}|available)\\b`), 'stock availability'),
  aspect(
    'material',
    /\b(raw material|which metal|what metal|made out of|forged from|made (of|from|out of|with)|materials?|fabric|metal|wood|woods|steel|alloy|cloth|leather|silk|cotton|plastic)\b/,
    'material steel fabric metal wood alloy cloth ingredients',
  ),
  aspect(
    'care',
    /\b(care|caring|clean(ed|ing)?|wash(ed|ing|able|es)?|maintain(ed)?|maintenance|look(s|ed|ing)? after|good (condition|shape)|preserve[ds]?|upkeep|tumble|iron(ed|ing)?)\b/,
    'care cleaning washing maintenance',
  ),
  aspect('colour', /\b(colou?rs?|colou?red|tint(ed)?|shades?)\b/, 'colour color shade tint'),
  aspect(
    'maker',
    /\b(who (made|makes|forged|manufactures|produced|produces)|maker|brand|manufacturer|manufactured|workshop|forged (by|at|in)|smith(s|y)?|forge|made by|company|by whom|(who|whos|who is) (it|this|that) by|whose work|crafts(man|men)|artisan)\b/,
    'workshop brand manufacturer maker forge',
  ),
  aspect(
    'use',
    /\b((ok|okay|safe|fine|any good|right|allowed|suited) (to|for|with|in|at)|may (i|we|you|one|it|this)|purpose|designed|used? (for|it|this|in|to)|uses|purpose|suitable|suited|suit|meant (for|to)|intended|designed (for|to)|good for|made for|what (is|are) (it|this|that|they|these) for|can (i|we|you|one|it|this|they)\b|for (display|practice|training|cutting))\b/,
    'use uses purpose occasion recommended',
  ),
  aspect('count', /\b(how many|number of|count)\b/, 'count number quantity pieces pages total', 'count'),
  aspect('age', /\b(ages?|years? old|months? old|kids?|child(ren)?|toddlers?|infants?|adults?)\b/, 'age audience'),
  aspect('language', /\b(languages?|written in|in (english|japanese|german|french|spanish|chinese))\b/, 'language'),
  aspect(
    'level',
    /\b(new to (this|it)|never (held|done|tried|read)|start(ing)? (with|on)|first (time|steps|book)|levels?|beginners?|novices?|advanced|intermediate|experts?|starting out)\b/,
    'level skill',
  ),
  aspect(
    'contents',
    /\b(included?|includes|including|comes? with|(is|are) in (it|the (box|package|kit|set))|what is in|contains?|contents?|what do i get)\b/,
    'included includes contents components pieces ingredients',
  ),
  aspect(
    'fit',
    /\b(fits?|fitting|compatib(le|ility)|works? (with|on|for))\b/,
    'fits fit compatible compatibility sizes',
  ),
  aspect('pattern', /\b(patterns?|motifs?|print(ed)?)\b/, 'pattern motif'),
  aspect('grain', /\b(grits?|fine|finer|finest|coarse|coarser|coarsest|mesh)\b/, 'grit grain mesh', 'count'),
  aspect('edge', /\b(sharp(er|ened|ness)?|blunt|dull|edged?)\b/, 'edge sharpness'),
  aspect('closure', /\b(fasten(s|ed|ing)?|close[sd]?|closure|closing|clasps?|shut)\b/, 'clasp closure fastening'),
  aspect('binding', /\b(bound|bindings?|hardback|paperback|hardcover|softcover)\b/, 'binding'),
  aspect('lining', /\b(lined|unlined|lining)\b/, 'lining'),
  aspect('shape', /\b(shapes?|shaped)\b/, 'shape form'),
];

const FACT = new RegExp(`\\b(${PRICE}|${STOCK}|available(?! (in|for|as|with|from|to)\\b))\\b`);
const BESIDE_FACTS = new Set(['price', 'stock', 'use']);

/** Whether a folded question is about nothing but price and stock. */
export const asksForFact = (folded: string): boolean =>
  FACT.test(folded) && aspectsOfQuestion(folded).every(({ id }) => BESIDE_FACTS.has(id));

/** The aspects that a question asks for. */
export const aspectsOfQuestion = (folded: string): Aspect[] => ASPECTS.filter(({ asked }) => asked.test(folded));

/** The aspects that an attribute of this name tells. */
export function aspectsOfName(name: string): Aspect[] {
  const words = tokens(name).map(stem);
  return ASPECTS.filter(({ names }) => names.some((word) => words.includes(word)));
}
