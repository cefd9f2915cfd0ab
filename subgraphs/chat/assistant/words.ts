import { stemmer } from 'stemmer';

/** Words that say nothing about what a text is about, in questions and in descriptions. */
const STOP_WORDS = new Set(
  `a about all also am an and any anyone anything are as at be been being both but by can come comes coming could did do does doing
  done each for from get gets getting go going got had has have having he her here him his how i if in into is it item its just know let made make makes
  like may me might mine more most much must my need of on one or other our out own please product really same shall she should so
  some something such tell than thank thanks that the their them then there these they thing this those though to too up us very want
  wants was we well were what when where which while who whose why will with would you your`.split(/\s+/),
);

/** Lower case, without accents; "isn't" loses its apostrophe. */
export const fold = (text: string): string =>
  text.normalize('NFKD').replace(/\p{M}/gu, '').replace(/['’]/g, '').toLowerCase();

/** Words and numbers of a text, folded; "1,000" and "2.5" are one each. */
export const tokens = (text: string): string[] => fold(text).match(/\d+(?:[.,]\d+)*|[\p{L}\p{N}]+/gu) ?? [];

/** With "seek" for verbs that have a preposition of their own: "looking for". */
export const seeking = (text: string): string =>
  text.replace(/\b(look(ing|ed)?|search(ing|ed)?|ask(ing)?|hunt(ing)?|shopping|market|after) for\b/gi, 'seek');

export const isStopWord = (word: string): boolean => STOP_WORDS.has(word);

/** Forms that have no ending to take off. */
const IRREGULAR: Record<string, string> = {
  worn: 'wear',
  wore: 'wear',
  held: 'hold',
  bound: 'bind',
  kept: 'keep',
  swung: 'swing',
  wound: 'wind',
  built: 'build',
  cutting: 'cut',
  weighs: 'weight',
  weigh: 'weight',
  weighing: 'weight',
  feet: 'foot',
  teeth: 'tooth',
  knives: 'knife',
  children: 'child',
  written: 'write',
};

/** The stems of the words that carry meaning. */
export const stems = (text: string): string[] =>
  tokens(text)
    .filter((word) => !STOP_WORDS.has(word))
    .map(stem);

const MAX_KNOWN = 50_000;
const known = new Map<string, string>();

export function stem(word: string): string {
  const before = known.get(word);
  if (before !== undefined) return before;
  const folded = fold(word);
  const stemmed = stemmer(IRREGULAR[folded] ?? folded);
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(word, stemmed);
  return stemmed;
}

/** Whether all of a phrase's words stand next to each other in `words`, stemmed both. @returns where, or -1 */
export function indexOfPhrase(words: readonly string[], phrase: readonly string[]): number {
  if (phrase.length === 0) return -1;
  for (let start = 0; start + phrase.length <= words.length; start++) {
    if (phrase.every((word, index) => words[start + index] === word)) return start;
  }
  return -1;
}
