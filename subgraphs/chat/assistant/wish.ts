import { type Constraints, constraintsIn, isConstrained } from './constraints.ts';
import { comparativeIn, type Extreme, superlativeIn } from './extremes.ts';
import type { CategoryTerm, ValueTerm, Vocabulary } from './vocabulary.ts';
import { fold, seeking } from './words.ts';

const SEEKS =
  /\b(show|find|search|looking for|look for|recommend|suggest|do you (have|sell|carry|stock|offer)|have you got|got any|is there an?|are there|i (need|want|would like|look)|need|looking|i am after|im after|any|something|anything|which \S+ (do|should|would)|what \S+ (do|should|would))\b/;
/** Somebody tells what they need, own or have to do, in whatever words. */
const NEEDS =
  /\b((can|could|do|does|should|must|shall|would) (i|we|one|people|he|she|they|somebody|someone)|(i|we) (need|want|would like|search|own|have|must|hit|left|play|lose|keep|wonder (if|whether) (you|there))|my|our|which product|helps?)\b/;
export const tellsNeed = (text: string): boolean => NEEDS.test(fold(text));

/** Beside a product under view: others are asked for. */
const SEEKS_OTHERS =
  /\b(others?|another|alternatives?|instead|(?<!\bor (some|any)thing )else|similar|(cheap|light|heavi|long|short|small|larg|bigg)er (one|ones|than this))\b/;
/** Likewise, unless "it" says that this one is meant. */
export const SEEKS_MORE =
  /\b(show me|find me|looking for|recommend|suggest|do you (have|sell|carry|stock|offer)|have you got|got any|which of your|what .{0,20}do you (have|sell))\b/;
export const REFERS = /\b(it|its|this|that|these|those|them|they|the (first|second|third|last|other) one|both)\b/;
export const GOES_ON =
  /^(and|but|or|what about|how about|what if|only|also|then|so|ok|okay|same|now)\b|^\W*(can|could|would|will) you also\b/;
/** What follows says what a thing is for. */
const BEHIND = /\b(?:for|to|with)\b/;
/** Before a verb, it says nothing of that. */
const WANTS_TO = /\b(want|wish|like|love|need|have|hope|intend|plan|going|ready|try|trying|able|prefer) to\b/g;

/** What a wish says of the thing itself: "a stand" of "I want to buy a stand for two swords". */
const headOf = (text: string): string => seeking(fold(text)).replace(WANTS_TO, '$1').split(BEHIND)[0] ?? '';

/** What a question wishes of a product. */
export interface Wish {
  text: string;
  constraints: Constraints;
  category: CategoryTerm | null;
  values: ValueTerm[];
  /** Those of the values that are said of the thing itself, not of what it is for. */
  firm: ValueTerm[];
  /** Words that nothing in the catalogue is called by. */
  strangers: string[];
  /** Words of products' names that tell what it shall be. */
  kinds: string[];
  superlative: Extreme | null;
  comparative: Extreme | null;
  /** Whether it asks for products, not about one. */
  seeks: boolean;
  /** Whether products can be picked by computing. */
  selects: boolean;
  /** Whether it narrows the wish before it. */
  goesOn: boolean;
}

/**
 * "And under 20,000?" goes on with the wish before it.
 * @param previous the question before, or null
 */
export function wishIn(text: string, previous: string | null, vocabulary: Vocabulary): Wish {
  const own = wishOf(text, vocabulary);
  const folded = fold(text);
  if (previous === null || own.category || !GOES_ON.test(folded) || REFERS.test(folded)) return own;
  if (!(own.selects || own.values.length > 0)) return own;
  const before = wishOf(previous, vocabulary);
  if (!before.selects && !before.seeks) return own;
  const constraints = {
    ...before.constraints,
    ...own.constraints,
    limits: [...before.constraints.limits, ...own.constraints.limits],
  };
  return {
    text: `${previous} ${text}`,
    constraints,
    category: before.category,
    values: [...before.values, ...own.values],
    firm: [...before.firm, ...own.firm],
    kinds: [...before.kinds, ...own.kinds],
    strangers: [],
    superlative: own.superlative ?? before.superlative,
    comparative: own.comparative,
    seeks: true,
    selects: true,
    goesOn: true,
  };
}

function wishOf(text: string, vocabulary: Vocabulary): Wish {
  const constraints = constraintsIn(text);
  const superlative = superlativeIn(text);
  const category = vocabulary.categoryIn(text);
  const values = vocabulary
    .valuesIn(text)
    .filter(({ words }) => !category || words.some((word) => !category.words.includes(word)));
  const seeks = SEEKS.test(fold(text));
  const head = headOf(text);
  const kinds = vocabulary.kindsIn(head);
  return {
    text,
    constraints,
    category,
    values,
    firm: vocabulary.valuesIn(head).filter((term) => values.includes(term)),
    kinds,
    strangers: vocabulary.strangersIn(head),
    superlative,
    comparative: comparativeIn(text),
    seeks,
    goesOn: false,
    selects:
      superlative !== null ||
      isConstrained(constraints) ||
      ((category !== null || kinds.length > 0) && values.length > 0),
  };
}

export const seeksOthers = (text: string): boolean =>
  SEEKS_OTHERS.test(fold(text)) || (SEEKS_MORE.test(fold(text)) && !REFERS.test(fold(text)));

/** What only leads to a question: "and could you please tell me what ..." */
const LEADS =
  /^\W*((and|so|but|ok|okay|then|also|please|kindly|well|hi|hello|hey)\W+)*((can|could|would|will) you (please |also |kindly |just |perhaps )*(tell|say|explain|describe|inform|let)|please tell|tell|let me know|say|(i )?(want|need|would like|d like|wish|would love) to know|(i )?((was|am) )?wonder(ing)?|do you (happen to )?know|(have you )?any idea|may i ask|state)?\W*((me|us|know|if|whether|also|please)\W+)*/;

const QUESTION =
  /^(what|who|whose|whom|how|when|where|why|which|is|are|does|do|did|can|could|will|would|should|has|have|at|in|for|on|from|to)\b/;

/** Whether a question asks for a fact, not for products. */
export const isLookUp = (text: string): boolean =>
  QUESTION.test(fold(text).replace(LEADS, '')) || QUESTION.test(lastClause(fold(text)).replace(LEADS, ''));

/** "I read slowly, so how many pages are there?" asks in its last clause. */
const lastClause = (text: string): string =>
  (text.split(/[,;:.–—]\s+/).at(-1) ?? '').replace(/^((so|and|but|then|now|please|just)\s+)+/, '');
