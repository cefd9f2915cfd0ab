import { DEGREES } from './extremes.ts';
import { isOneSlipFrom } from './names.ts';
import { isStopWord, stem } from './words.ts';

/** Words of questions about products, which no catalogue need have. */
const ASKING = new Set([
  ...DEGREES,
  ...`available availability back blade brand bring buy capacity care carry category cheap cheaper cheapest clean cleaning close colour color
  come compare contain contents cost costs country cover customer deliver delivery description design diameter difference different dimensions
  display does enough expensive fabric feature fit floor forge forged gift good guarantee hand hard heavier heaviest heavy height
  heavy hold how include included instructions keep kind language large last learn length lighter lightest light long longer longest look
  machine made make maker many material measure metal much need number option order origin pages pattern pieces price print purpose
  quality recommend return review safe screws season sell shape sharp ship shipping short show size sizes sold something stand steel
  still stock strong style suit suitable swing table take tell thick type under uniform use used wall warranty wash washable
  water waterproof wear weigh weighs weight what when where which whole wide width with wood work works workshop`.split(
    /\s+/,
  ),
]);

const ASKING_STEMS = new Set([...ASKING].map(stem));

/** As people write on phones. */
const SHORT: Record<string, string> = {
  pls: 'please',
  plz: 'please',
  incl: 'included',
  diam: 'diameter',
  dims: 'dimensions',
  lxwxh: 'size',
  wt: 'weight',
  qty: 'quantity',
  approx: 'approximately',
  b4: 'before',
};

/** "A / B" is "A or B", "w/" is "with", "y/n" says only that it is a question. */
export const writtenOut = (question: string): string =>
  question
    .replace(/\b[yY]\/[nN]\b\??/g, '?')
    .replace(/\bw\/\s*/g, 'with ')
    .replace(/(?<=\p{L}{2,}|\s)\/(?=\s|\p{L}{2,})/gu, (_slash, at: number, text: string) =>
      /\s/.test(text[at + 1] ?? '') ? 'or' : ' or ',
    )
    .replace(/\p{L}[\p{L}\d]+/gu, (word) => SHORT[word.toLowerCase()] ?? word);

export const isOfQuestions = (word: string): boolean => ASKING_STEMS.has(stem(word));

/**
 * Mends slips of the fingers: a word that is not known, and is one slip from exactly one that is. Only words of four letters or more:
 * shorter ones are near to too many.
 * @param known words of the catalogue, folded
 */
export function mended(question: string, known: ReadonlySet<string>): string {
  return question.replace(/\p{L}{4,}/gu, (word) => {
    const folded = word.toLowerCase();
    if (known.has(folded) || ASKING.has(folded) || isStopWord(folded)) return word;
    // Endings of known words are no slips.
    if (/(s|es|ed|ing|er|est|ly)$/.test(folded) && hasStem(folded, known)) return word;
    const near = [...neighbours(folded, ASKING), ...neighbours(folded, known)];
    return new Set(near).size === 1 ? (near[0] as string) : word;
  });
}

function hasStem(word: string, known: ReadonlySet<string>): boolean {
  return [/s$/, /es$/, /ed$/, /d$/, /ing$/, /er$/, /r$/, /est$/, /ly$/].some((ending) => {
    const base = word.replace(ending, '');
    return base !== word && (known.has(base) || ASKING.has(base) || known.has(`${base}e`) || ASKING.has(`${base}e`));
  });
}

/** Swapped neighbours count for all words, a wrong, missing or doubled letter only in long ones; the first letter is right. */
function neighbours(word: string, known: ReadonlySet<string>): string[] {
  return [...known].filter(
    (other) =>
      other[0] === word[0] &&
      isOneSlipFrom(other, word) &&
      (word.length >= 9 || (other.length === word.length && sameLetters(other, word))),
  );
}

const sameLetters = (a: string, b: string): boolean => [...a].sort().join('') === [...b].sort().join('');
