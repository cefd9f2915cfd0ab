import { ASPECTS, type Aspect } from './aspects.ts';
import { fold, isStopWord, stem, stems } from './words.ts';

/** A wish or a question that compares: by what, and whether more of it is meant. */
export interface Extreme {
  /** Null: by the attribute whose name holds `noun`. */
  aspect: Aspect | null;
  /** Stem of the word after "most", "fewest" and the like. */
  noun: string | null;
  more: boolean;
  /** Stems of the question's words: "is the blade longer" means the attribute that is called so. */
  said: ReadonlySet<string>;
  /** As it was said, for the answer: "lightest", "heavier". */
  word: string;
}

const BY_ADJECTIVE: Record<string, { aspect: string; more: boolean }> = {};
const define = (aspect: string, more: string, less: string) => {
  for (const word of more.split(' ')) BY_ADJECTIVE[word] = { aspect, more: true };
  for (const word of less.split(' ')) BY_ADJECTIVE[word] = { aspect, more: false };
};
define('weight', 'heavy hefty weighty', 'light lightweight');
define('length', 'long', 'short');
define('width', 'wide broad', 'narrow slim');
define('height', 'tall high', 'low');
define('thickness', 'thick', 'thin');
define('size', 'big large great', 'small little tiny compact');
define('grain', 'fine', 'coarse rough');
define('price', 'expensive pricy dear costly', 'cheap affordable inexpensive');

/** "-est" and "-er" of an adjective. */
function forms(suffix: 'est' | 'er'): Map<string, { aspect: string; more: boolean }> {
  const map = new Map<string, { aspect: string; more: boolean }>();
  for (const [word, meaning] of Object.entries(BY_ADJECTIVE)) {
    const base = word.endsWith('y') ? `${word.slice(0, -1)}i` : word.endsWith('e') ? word.slice(0, -1) : word;
    map.set(`${base}${suffix}`, meaning);
    if (/[^aeiou][aeiou][bdgmnpt]$/.test(word)) map.set(`${word}${word.at(-1)}${suffix}`, meaning);
  }
  return map;
}
const SUPERLATIVES = forms('est').set('priciest', { aspect: 'price', more: true });
const COMPARATIVES = forms('er').set('pricier', { aspect: 'price', more: true });

/** All adjectives of measure, in all degrees. */
export const DEGREES: readonly string[] = [
  ...Object.keys(BY_ADJECTIVE),
  ...COMPARATIVES.keys(),
  ...SUPERLATIVES.keys(),
];

const PHRASES = {
  superlative: {
    simple: SUPERLATIVES,
    degree:
      /\b(most|least|highest|lowest|greatest|maximum|minimum|fewest|biggest|largest|smallest)[\s-]+(?:number of |amount of |possible )?(\p{L}+)/u,
    less: new Set(['least', 'lowest', 'minimum', 'fewest', 'smallest']),
  },
  comparative: {
    simple: COMPARATIVES,
    degree: /\b(more|less|fewer|higher|lower|greater|bigger|larger|smaller)[\s-]+(\p{L}+)/u,
    less: new Set(['less', 'fewer', 'lower', 'smaller']),
  },
};

/** Nouns that stand for an aspect. */
const NOUNS: Record<string, string> = {
  mass: 'weight',
  load: 'load',
  diameter: 'diameter',
  grit: 'grain',
  gram: 'weight',
  grams: 'weight',
  kilos: 'weight',
  kilograms: 'weight',
  kg: 'weight',
  centimetres: 'length',
  centimeters: 'length',
  cm: 'length',
  mm: 'diameter',
  millimetres: 'diameter',
  millimeters: 'diameter',
  yen: 'price',
  dollars: 'price',
  thickness: 'thickness',
  money: 'price',
  priced: 'price',
  pricing: 'price',
  weight: 'weight',
  length: 'length',
  width: 'width',
  height: 'height',
  price: 'price',
  cost: 'price',
  size: 'size',
};
const VERBS: [RegExp, string, boolean][] = [
  [/\bweigh(s|ing)? (more|(the )?most)\b|\b(more|most) heft\b/, 'weight', true],
  [/\bweigh(s|ing)? (less|(the )?least)\b/, 'weight', false],
  [
    /\b((costs?|costing|priced?|pay(ing)?)( \w+){0,2} (more|(the )?most|higher|highest)|more money|costs? more)\b/,
    'price',
    true,
  ],
  [
    /\b((costs?|costing|priced?|pay(ing)?)( \w+){0,2} (less|(the )?least|lower|lowest)|less money|saves? .{0,12}money|better value|(kinder|easier|gentler) (to|on) .{0,8}(wallet|purse|budget))\b/,
    'price',
    false,
  ],
  [
    /\b(holds?|carr(y|ies)|supports?|bears?|takes?) (more|the most|the (greater|higher|bigger|larger) (load|weight))\b|\b(stronger|strongest|sturdier|sturdiest)\b|\b(hold|carry|support|bear|take) .{0,12}more (weight|kilos|kg)\b/,
    'load',
    true,
  ],
  [/\b(measures?|reach(es)?) (more|the most)\b/, 'length', true],
  [/\b(measures?|reach(es)?) (less|the least)\b/, 'length', false],
];

/** Of any amount, not of a size. */
const PURE = new Set(['higher', 'lower', 'greater', 'highest', 'lowest', 'greatest']);

const byId = (id: string): Aspect | null => ASPECTS.find((aspect) => aspect.id === id) ?? null;

/** "The heavier the better", "longer than the others". */
const ABOVE_ALL =
  /\bthe (\p{L}+er) the better\b|\b(\p{L}+er|(?:more|less) \p{L}+) than (all|any|the) (the )?(others?|rest)\b/u;
/** "None in the shop should be cheaper"; but not "nothing heavier than 900 g". */
const NONE_MORE = /\b(none|nothing|no other|not one)\b.{0,40}?\b(?!other\b)(\p{L}+er|more|less)\b(?! than \d)/u;

/** "The smallest and the biggest size" asks how far something goes. */
const FROM_TO =
  /\b(smallest|shortest|lightest|lowest|least|minimum)\b.{0,12}\b(and|to|or)\b.{0,12}\b(biggest|largest|longest|heaviest|highest|most|maximum)\b/;

/** "the lightest", "most pages", "the lowest price" in a question. */
export function superlativeIn(question: string): Extreme | null {
  const folded = fold(question);
  if (FROM_TO.test(folded)) return null;
  return extremeIn(question, ABOVE_ALL.test(folded) || NONE_MORE.test(folded) ? 'comparative' : 'superlative');
}

/** "heavier", "more pages", "weighs less" in a question. */
export const comparativeIn = (question: string): Extreme | null => extremeIn(question, 'comparative');

function extremeIn(question: string, kind: keyof typeof PHRASES): Extreme | null {
  const { simple, degree, less } = PHRASES[kind];
  const folded = fold(question);
  const said = new Set(stems(question));
  for (const [pattern, aspect, more] of VERBS) {
    const word = pattern.exec(folded)?.[0];
    const superlative = /\b(the )?(least|most)\b|\w+est\b/.test(word ?? '');
    if (word && superlative === (kind === 'superlative')) return { aspect: byId(aspect), noun: null, more, said, word };
  }
  const measured = degree.exec(folded);
  if (measured) {
    const [word, quantifier, next] = measured as unknown as [string, string, string];
    const adjective = BY_ADJECTIVE[next];
    const more = !less.has(quantifier);
    if (adjective) return { aspect: byId(adjective.aspect), noun: null, more: more === adjective.more, said, word };
    if (NOUNS[next]) return { aspect: byId(NOUNS[next]), noun: null, more, said, word };
    if (
      !/^(of|than|or|and|in|for|with|popular|likely|comfortable|beautiful|suitable|from|about)$/.test(next) &&
      !isStopWord(next) &&
      (!simple.has(quantifier) || PURE.has(quantifier))
    )
      return { aspect: null, noun: stem(next), more, said, word };
  }
  const words = folded.match(/\p{L}+/gu) ?? [];
  const utmost = /\bas (\p{L}+) as (possible|it gets|they come|can be)\b/u.exec(folded)?.[1];
  for (const word of words) {
    const meaning = simple.get(word) ?? (kind === 'superlative' && word === utmost ? BY_ADJECTIVE[word] : undefined);
    if (!meaning) continue;
    return { aspect: byId(meaning.aspect), noun: null, more: meaning.more, said, word };
  }
  return null;
}
