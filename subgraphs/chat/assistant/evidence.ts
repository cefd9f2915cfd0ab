import { cosine, type Embedder } from '../../kit/embedder.ts';
import { type Aspect, asksForFact, aspectsOfName, aspectsOfQuestion } from './aspects.ts';
import type { Passage } from './passages.ts';
import { quantities } from './quantity.ts';
import { fold, stems } from './words.ts';

/** A passage with how well it answers a question. */
export interface Evidence {
  passage: Passage;
  /** For the order among passages of one product. */
  score: number;
  features: Features;
}

export interface Features {
  /** Cosine of the question and the passage. */
  dense: number;
  /** Cosine of the question and the attribute's name; of a sentence as `dense`. */
  name: number;
  /** Share of the question's meaning words that the passage has, rarer ones counting more. */
  lexical: number;
  /** 1: the attribute tells what is asked for; 0.5: it has a value of that measure; 0: neither is known. */
  aspect: number;
  /** 1 for an attribute of whose values, of this or another product, the question has a word: "is it for cutting?" of a use. */
  kind: number;
  /** 1 for a sentence that has words of what is asked for: "Forged at Seki" of a maker. */
  told: number;
  /** 1 for a sentence of the description. */
  sentence: number;
  /** 1 for price and stock: they are near to every question. */
  fact: number;
}

/** What a question is about, besides what the product tells of itself. */
export interface Evidences {
  /** Best first. */
  ranked: Evidence[];
  /** The best score of what the product does not tell: attributes of other products, and what shops are asked often. */
  rival: { name: string; score: number; features: Features } | null;
  /** The same of sentences in the descriptions of other products. */
  elsewhere: number;
  /** Whether all that is asked is one aspect: then nothing else can be meant. */
  plain: boolean;
  /** Whether the price or the stock is asked for, and nothing that goes with it ("shipping cost"). */
  fact: boolean;
}

const WEIGHTS: Features = {
  dense: 1,
  name: 0.15,
  lexical: 0.35,
  aspect: 0.12,
  kind: 0.06,
  told: 0.1,
  sentence: 0.08,
  fact: -0.05,
};

const NOTHING: Features = { dense: 0, name: 0, lexical: 0, aspect: 0, kind: 0, told: 0, sentence: 0, fact: 0 };

/** What other products tell, which may be what is asked for. */
export interface Others {
  /** Names of attributes, the most frequent first. */
  names: readonly string[];
  /** Sentences of descriptions. */
  sentences: readonly string[];
  /** Stems of the values of an attribute, by its name. */
  values?: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Passages longer than this are known to the embedder by a part only; more of them than this are not worth its time. */
const MAX_EMBEDDED = 60;
const MAX_RIVALS = 150;
/** Sentences of other products count when they share this much more with the question than any passage does. */
const MORE_SHARED = 0.25;
/** What goes with a price or the stock shares a word with the question, and means what it does. */
const WITH_FACT = 0.35;
const MAX_SENTENCES = 6;
/** Names nearer than this mean the same. */
const SAME_NAME = 0.7;
/** A passage nearer than this to what is often asked tells it. */
const TOLD = 0.5;

/** What shoppers ask of any product, and catalogues seldom tell. */
const OFTEN_ASKED = [
  ...[
    'warranty or guarantee',
    'delivery time and shipping',
    'shipping cost',
    'return policy and refund',
    'exchange for another size',
  ],
  ...[
    'discount or coupon',
    'loyalty points',
    'gift wrapping',
    'gift card',
    'payment methods and instalments',
    'tax and customs duty',
  ],
  ...[
    'customer reviews and rating',
    'popularity and number sold',
    'release date',
    'expiry date and shelf life',
    'age rating',
  ],
  ...[
    'country of origin',
    'safety certificate',
    'patent or licence',
    'serial number and barcode',
    'insurance',
    'resale value',
  ],
  ...[
    'battery life and charging',
    'power consumption and voltage',
    'bluetooth or wifi',
    'software and app',
    'GPS and tracking',
  ],
  ...[
    'screen resolution',
    'camera and memory',
    'speed and horsepower',
    'noise level',
    'remote control',
    'warranty of the battery',
  ],
  ...[
    'calories and nutrition',
    'allergens',
    'vegan or animal products',
    'smell and scent',
    'taste and flavour',
    'waterproof',
    'fireproof',
  ],
  ...[
    'recycling and environment',
    'assembly time',
    'installation service',
    'repair service and spare parts',
    'rental',
    'trial and sample',
  ],
  ...[
    'engraving and personalisation',
    'custom order',
    'instructions as a video',
    'phone number and contact',
    'store opening hours',
  ],
  ...[
    'name of the designer',
    'who reviewed it',
    'celebrity endorsement',
    'legal age and permit to own',
    'left-handed version',
    'carbon footprint',
    'awards and prizes',
    'PayPal and credit cards',
    'renting it for a day',
    'discount for buying several',
    'when it will be restocked',
    'export papers',
    'fair trade',
    'paying with bitcoin',
    'trade-in of an old one',
    'club membership',
    'film or episode it appears in',
    'second-hand or used',
  ],
];

/**
 * How well each passage answers the question, best first.
 * @param question about one product, whose name it does not hold
 * @param others what the catalogue tells of other products
 */
export async function rankPassages(
  embedder: Embedder,
  question: string,
  passages: readonly Passage[],
  others: Others = { names: [], sentences: [] },
  signal?: AbortSignal,
): Promise<Evidences> {
  const words = [...new Set(stems(question))];
  const asked = aspectsOfQuestion(fold(question));
  const texts = passages.map(textOf);
  const bags = texts.map((text) => new Set(stems(text)));
  const weights = words.map((word) => rarity(word, bags));
  const share = (bag: ReadonlySet<string> | undefined) => {
    const total = weights.reduce((sum, weight) => sum + weight, 0) || 1;
    return words.reduce((sum, word, n) => sum + (bag?.has(word) ? (weights[n] as number) : 0), 0) / total;
  };
  const first = passages.map((passage, place) => ({
    passage,
    text: texts[place] as string,
    lexical: share(bags[place]),
    aspect: passage.name === null ? 0 : aspectMatch(asked, passage.name, passage.value),
    kind: passage.name !== null && words.some((word) => others.values?.get(passage.name ?? '')?.has(word)) ? 1 : 0,
    told: passage.name === null && asked.some((aspect) => aspect.asked.test(fold(passage.value))) ? 1 : 0,
  }));
  const kept =
    first.length <= MAX_EMBEDDED
      ? first
      : first.sort((a, b) => b.lexical + b.aspect - a.lexical - a.aspect).slice(0, MAX_EMBEDDED);
  const own = new Set(passages.map(({ name }) => name));
  const topics = OFTEN_ASKED.filter((name) => !own.has(name));
  const general = topics.length;
  const mostShared = Math.max(0, ...first.map(({ lexical }) => lexical));
  const telling = [...new Set(others.sentences)]
    .map((sentence) => ({ sentence, lexical: share(new Set(stems(sentence))) }))
    .filter(({ lexical }) => lexical > mostShared + MORE_SHARED)
    .sort((a, b) => b.lexical - a.lexical)
    .slice(0, MAX_SENTENCES)
    .map(({ sentence }) => sentence);
  // Who tells of its steel tells of its material.
  const aspectsTold = new Set(passages.flatMap(({ name }) => (name === null ? [] : aspectsOfName(name))));
  const isTold = (name: string) => {
    const aspects = aspectsOfName(name);
    return own.has(name) || (aspects.length > 0 && aspects.every((aspect) => aspectsTold.has(aspect)));
  };
  const rivals = [...topics, ...others.names.slice(0, MAX_RIVALS).filter((name) => !isTold(name))];

  const vectors = await embedder.embed(
    [
      question,
      ...kept.map(({ text }) => text),
      ...kept.map(({ passage, text }) => passage.name ?? text),
      ...rivals,
      ...telling,
    ],
    signal,
  );
  const query = vectors[0] as Float32Array;
  const near = (place: number) => cosine(query, vectors[1 + place] as Float32Array);
  const ranked = kept.map(({ passage, lexical, aspect, kind, told }, place) => {
    const features: Features = {
      dense: near(place),
      name: near(kept.length + place),
      lexical,
      aspect,
      kind,
      told,
      sentence: passage.kind === 'sentence' ? 1 : 0,
      fact: passage.kind === 'fact' ? 1 : 0,
    };
    return { passage, score: scoreOf(features), features };
  });
  const told = kept.map((_, place) => vectors[1 + place] as Float32Array);
  const names = kept.map((_, place) => vectors[1 + kept.length + place] as Float32Array);
  const strangers = rivals.flatMap((name, place) => {
    const vector = vectors[1 + 2 * kept.length + place] as Float32Array;
    // The product does tell it, under another name.
    if (names.some((known) => cosine(known, vector) > SAME_NAME)) return [];
    if (place < general && told.some((known) => cosine(known, vector) > TOLD)) return [];
    const dense = cosine(query, vector);
    const features: Features = {
      ...NOTHING,
      dense,
      name: dense,
      lexical: share(new Set(stems(name))),
      aspect: aspectMatch(asked, name, ''),
    };
    return [{ name, score: scoreOf(features), features }];
  });
  const elsewhere = telling.map((sentence, place) => {
    const dense = cosine(query, vectors[1 + 2 * kept.length + rivals.length + place] as Float32Array);
    return scoreOf({ ...NOTHING, dense, name: dense, lexical: share(new Set(stems(sentence))), sentence: 1 });
  });
  const rest = asked.reduce((text, { asked }) => text.replace(new RegExp(asked, 'g'), ' '), fold(question));
  const rival = strangers.sort((a, b) => b.score - a.score)[0] ?? null;
  const goesWith = strangers.some(({ features }) => features.lexical > 0 && features.dense > WITH_FACT);
  return {
    fact: asksForFact(fold(question)) && !goesWith,
    plain: asked.length === 1 && stems(rest).length === 0,
    elsewhere: Math.max(0, ...elsewhere),
    ranked: ranked.sort((a, b) => b.score - a.score),
    rival,
  };
}

const textOf = ({ name, value }: Passage): string => (name === null ? value : `${name}: ${value}`);

export const scoreOf = (features: Features): number =>
  (Object.keys(WEIGHTS) as (keyof Features)[]).reduce((sum, key) => sum + WEIGHTS[key] * features[key], 0);

/** Words that fewer passages have tell more; one that none has counts as the rarest. */
function rarity(word: string, bags: readonly ReadonlySet<string>[]): number {
  const having = bags.reduce((count, bag) => count + (bag.has(word) ? 1 : 0), 0);
  return Math.log(1 + (bags.length + 1) / (having + 1));
}

function aspectMatch(asked: readonly Aspect[], name: string, value: string): number {
  if (asked.length === 0) return 0;
  if (aspectsOfName(name).some((aspect) => asked.includes(aspect))) return 1;
  const measured = new Set(quantities(value).map(({ dimension }) => dimension));
  return asked.some(({ dimension }) => dimension && dimension !== 'count' && measured.has(dimension)) ? 0.5 : 0;
}

/**
 * How sure it is that the best passage answers: a linear model of its score, of the words it shares with the question, and of what
 * competes with it. Fitted by logistic regression on the development questions and scaled to the score.
 */
const SURE = { lexical: 0.2, aspect: 0.09, kind: 0.08, rival: -0.61, least: 0.085 };
/** What the product does not tell is asked for, whatever else speaks for its best passage. */
const OUTDONE = 0.45;
const TOLD_ELSEWHERE = 0.4;
const MARGIN = 0.15;
const MAX_ANSWERS = 3;
const MAX_FURTHER = 5;

/** The evidence that answers, and what else is near: nothing when the best is not good enough. */
export function answering({ ranked, rival, elsewhere, plain, fact }: Evidences): {
  answers: Evidence[];
  further: Evidence[];
} {
  const asked = fact && ranked.find(({ features }) => features.fact === 1 && features.aspect === 1);
  if (asked)
    return { answers: [asked], further: ranked.filter((evidence) => evidence !== asked).slice(0, MAX_FURTHER) };
  const answers = ranked.filter(({ score }) => score >= (ranked[0]?.score ?? 0) - MARGIN).slice(0, MAX_ANSWERS);
  const sure = answers.some(
    (evidence) =>
      (plain && evidence.features.aspect === 1) ||
      (isSure(evidence, rival?.score ?? 0) && !isElsewhere(evidence, elsewhere)),
  );
  if (!sure) return { answers: [], further: [] };
  return { answers, further: ranked.slice(answers.length, answers.length + MAX_FURTHER) };
}

/** Other products have a sentence that answers far better than what this one has: then this one does not tell. */
const isElsewhere = ({ score, features }: Evidence, elsewhere: number): boolean =>
  features.aspect < 1 && elsewhere - score > TOLD_ELSEWHERE;

function isSure({ score, features }: Evidence, rival: number): boolean {
  if (rival - score > OUTDONE) return false;
  const { lexical, aspect, kind } = features;
  return score + SURE.lexical * lexical + SURE.aspect * aspect + SURE.kind * kind + SURE.rival * rival >= SURE.least;
}
