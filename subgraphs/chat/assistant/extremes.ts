import { ASPECTS, type Aspect } from './aspects.ts';
import { fold, isStopWord, stem } from './words.ts';

/** A wish or a question that compares: by what, and whether more of it is meant. */
export interface Extreme {
  /** Null: by the attribute whose name holds `noun`. */
  aspect: Aspect | null;
  /** Stem of the word after "most", "fewest" and the like. */
  noun: string | null;
  more: boolean;
  /** Stem of the word behind an adjective, "longer blade": the attribute may be called so. */
  qualifier: string | null;
  /** As it was said, for the answer: "lightest", "heavier". */
  word: string;
}

const BY_ADJECTIVE: Record<string, { aspect: string; more: boolean }> = {};
const define = (aspect: string, more: string, less: string) => {
  for (const word of more.split(' ')) BY_ADJECTIVE[word] = { aspect, more: true };
  for (const word of less.split(' ')) BY_ADJECTIVE[word] = { aspect, more: false };
};
define('weight', 'heavy', 'light');
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
      /\b(most|least|highest|lowest|greatest|maximum|minimum|fewest|biggest|largest|smallest)\s+(?:number of |amount of )?(\p{L}+)/u,
    less: new Set(['least', 'lowest', 'minimum', 'fewest', 'smallest']),
  },
  comparative: {
    simple: COMPARATIVES,
    degree: /\b(more|less|fewer|higher|lower|greater|bigger|larger|smaller)\s+(\p{L}+)/u,
    less: new Set(['less', 'fewer', 'lower', 'smaller']),
  },
};

/** Nouns that stand for an aspect. */
const NOUNS: Record<string, string> = {
  weight: 'weight',
  length: 'length',
  width: 'width',
  height: 'height',
  price: 'price',
  cost: 'price',
  size: 'size',
};
const VERBS: [RegExp, string, boolean][] = [
  [/\bweighs? more\b/, 'weight', true],
  [/\bweighs? (less|the least)\b/, 'weight', false],
  [/\b(costs?|is) (more money|more to buy)\b|\bcosts? more\b/, 'price', true],
  [/\bcosts? (less|the least)\b/, 'price', false],
  [/\bweighs? the most\b/, 'weight', true],
  [/\bcosts? the most\b/, 'price', true],
  [/\b(hold|carr(y|ies)|support)s? (more|the most)\b/, 'load', true],
];

const byId = (id: string): Aspect | null => ASPECTS.find((aspect) => aspect.id === id) ?? null;

/** "the lightest", "most pages", "the lowest price" in a question. */
export const superlativeIn = (question: string): Extreme | null => extremeIn(question, 'superlative');

/** "heavier", "more pages", "weighs less" in a question. */
export const comparativeIn = (question: string): Extreme | null => extremeIn(question, 'comparative');

function extremeIn(question: string, kind: keyof typeof PHRASES): Extreme | null {
  const { simple, degree, less } = PHRASES[kind];
  const folded = fold(question);
  for (const [pattern, aspect, more] of VERBS) {
    const word = pattern.exec(folded)?.[0];
    const superlative = /\bthe (least|most)\b/.test(word ?? '');
    if (word && superlative === (kind === 'superlative'))
      return { aspect: byId(aspect), noun: null, more, qualifier: null, word };
  }
  const said = degree.exec(folded);
  if (said) {
    const [word, quantifier, next] = said as unknown as [string, string, string];
    const adjective = BY_ADJECTIVE[next];
    const more = !less.has(quantifier);
    if (adjective)
      return { aspect: byId(adjective.aspect), noun: null, more: more === adjective.more, qualifier: null, word };
    if (NOUNS[next]) return { aspect: byId(NOUNS[next]), noun: null, more, qualifier: null, word };
    if (
      !/^(of|than|or|and|in|for|with|popular|likely|comfortable|beautiful|suitable|from|about)$/.test(next) &&
      !simple.has(quantifier)
    )
      return { aspect: null, noun: stem(next), more, qualifier: null, word };
  }
  const words = folded.match(/\p{L}+/gu) ?? [];
  for (const [place, word] of words.entries()) {
    const meaning = simple.get(word);
    if (!meaning) continue;
    const next = words[place + 1];
    const qualifier = next && !isStopWord(next) ? stem(next) : null;
    return { aspect: byId(meaning.aspect), noun: null, more: meaning.more, qualifier, word };
  }
  return null;
}
