import type { Vocabulary } from './vocabulary.ts';
import { isStopWord, stem, tokens } from './words.ts';

interface Named {
  id: string;
  name: string;
}

/** A product that a question calls by name. */
export interface Mention<P extends Named> {
  product: P;
  /** Where, in the question's words without stop words: from, and one past the end. */
  from: number;
  to: number;
  /** Share of the name's words that were said. */
  coverage: number;
  /** How many of the name's words were said. */
  said: number;
  /** Words that were said with a slip. */
  slips: number;
  /** Whether a word was said that only this product is called by. */
  unique: boolean;
  /** Whether it is surely meant: by a word that is its own ("Aonami"), or by its whole name. */
  sure: boolean;
}

/** Words that a mention may have between those of the name. */
const SLACK = 2;

/** A name does not go on behind these. */
const BETWEEN = new Set(['or', 'vs', 'versus', 'than']);
/** Nor behind this one, unless it is in the name. */
const AND = '&';

/** The words of a question without stop words; null between two names. */
const stretches = (text: string): (string | null)[] =>
  tokens(text)
    .filter((word) => word === 'and' || BETWEEN.has(word) || !isStopWord(word))
    .map((word) => (BETWEEN.has(word) ? null : word === 'and' ? AND : stem(word)));

const contentWords = (text: string): string[] =>
  tokens(text)
    .filter((word) => !isStopWord(word))
    .map(stem);

/**
 * The products that a question calls by name, in the order in which it does. A name need not be whole: its own words are enough, and a
 * letter may be wrong; a name without any must be there with all its words, numbers perhaps excepted.
 * @param candidates best first, which decides between equals
 */
export function productsNamed<P extends Named>(
  question: string,
  candidates: readonly P[],
  vocabulary: Vocabulary,
): Mention<P>[] {
  const words = stretches(question);
  const mentions = candidates.flatMap((product) => windows(product, words, vocabulary));
  mentions.sort((a, b) => Number(b.sure) - Number(a.sure) || a.slips - b.slips || weight(b) - weight(a));
  const kept: Mention<P>[] = [];
  for (const mention of mentions) {
    const free = kept.every(
      ({ from, to, product }) => product !== mention.product && (mention.to <= from || mention.from >= to),
    );
    if (free) kept.push(mention);
  }
  return kept.sort((a, b) => a.from - b.from);
}

/** Much of the name, and little between its words. */
const weight = ({ coverage, said, from, to }: Mention<Named>): number => (coverage * said * said) / (to - from);

/** The stretches of a question that may call a product. */
function windows<P extends Named>(product: P, words: readonly (string | null)[], vocabulary: Vocabulary): Mention<P>[] {
  const name = [...new Set(contentWords(product.name))];
  const rare = name.filter((word) => !vocabulary.isCommon(word));
  const least = Math.min(...rare.map((word) => vocabulary.names.count(word)));
  // In a small shop the kind of thing is a rare word too; the rarest tells which is meant.
  const own = rare.filter((word) => vocabulary.names.count(word) === least);
  const wordy = name.filter((word) => !/^\d/.test(word));
  const matched = words.map(
    (word) => word !== null && name.find((part) => part === word || (part.length >= 5 && isOneSlipFrom(part, word))),
  );
  const found: Mention<P>[] = [];
  const joined = /\band\b|&/i.test(product.name);
  for (let from = 0; from < words.length; from++) {
    const said = new Set<string>();
    for (let at = from, last = from; at < words.length && at <= last + SLACK && words[at] !== null; at++) {
      if (words[at] === AND && !joined) break;
      const part = matched[at];
      if (!part) {
        if (at === from) break;
        continue;
      }
      if (said.has(part)) break;
      said.add(part);
      last = at;
      const coverage = said.size / name.length;
      const byOwn = own.length > 0 && own.every((word) => said.has(word));
      const whole = wordy.length >= 2 && wordy.every((word) => said.has(word));
      if (byOwn || (own.length === 0 && whole))
        found.push({
          product,
          from,
          to: at + 1,
          coverage,
          said: said.size,
          slips: words.slice(from, at + 1).filter((word, n) => matched[from + n] && matched[from + n] !== word).length,
          unique: own.some((word) => said.has(word) && vocabulary.names.count(word) === 1),
          sure: byOwn || coverage === 1 || wordy.length >= 4,
        });
    }
  }
  return found;
}

/** Whether two words differ by one letter that is wrong, missing or too many, or by two that are swapped. */
export function isOneSlipFrom(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false;
  let start = 0;
  while (start < a.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const [left, right] = [a.slice(start, a.length - end), b.slice(start, b.length - end)];
  return (
    Math.max(left.length, right.length) <= 1 ||
    (left.length === 2 && right.length === 2 && left[0] === right[1] && left[1] === right[0])
  );
}

/** The question with "it" in place of the product's name as it was said, so that what is asked stands out. */
export function withoutName(question: string, name: string): string {
  const own = new Set(tokens(name).map(stem));
  const said = [...question.matchAll(/\d+(?:[.,]\d+)*|[\p{L}\p{N}]+/gu)].map((match) => {
    const word = stem(match[0]);
    return {
      start: match.index,
      end: match.index + match[0].length,
      belongs:
        own.has(word) || (word.length >= 6 && [...own].some((part) => part.length >= 6 && isOneSlipFrom(part, word))),
      empty: isStopWord(match[0].toLowerCase()),
    };
  });
  // The longest stretch of words of the name: elsewhere they may be what is asked about.
  let best = { from: 0, to: 0, weight: 0 };
  for (let from = 0; from < said.length; from++) {
    if (said[from]?.empty) continue;
    let weight = 0;
    for (let to = from; said[to]?.belongs; to++) {
      if (said[to]?.empty) continue;
      weight++;
      if (weight > best.weight) best = { from, to: to + 1, weight };
    }
  }
  if (best.weight === 0) return question;
  const start = said[best.from]?.start ?? 0;
  const end = said[best.to - 1]?.end ?? 0;
  return `${question.slice(0, start)}it${question.slice(end)}`.trim();
}

/**
 * The question with "it" where it points at the product: "this katana", "the stand".
 * @param product its name and its category's
 * @param kept stems of words that the product's own attributes are called by: "this steel" is asked about
 */
export function pointingAt(
  question: string,
  product: { name: string; category: string },
  kept: ReadonlySet<string>,
): string {
  const kind = new Set(contentWords(product.category));
  const called = new Set(contentWords(product.name));
  return question.replace(
    /\b(this|that|these|those|the|your)\s+(\p{L}+)\b/giu,
    (whole, article: string, noun: string) => {
      const word = stem(noun);
      if (kind.has(word)) return 'it';
      if (kept.has(word) || !/^th(is|at|ese|ose)$/i.test(article) || isStopWord(noun.toLowerCase())) return whole;
      return called.has(word) || GENERAL.has(word) ? 'it' : whole;
    },
  );
}

/** What anything on sale may be called. */
const GENERAL = new Set(
  'one pair product item thing piece sword blade weapon polearm book kit set practice'.split(' ').map(stem),
);
