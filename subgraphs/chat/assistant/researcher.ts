import type { Product, ProductFilter } from '../../catalog/model.ts';
import type { Embedder } from '../../kit/embedder.ts';
import { badInput } from '../../kit/errors.ts';
import type { Ask, Turn } from '../generator.ts';
import { aspectsOfQuestion } from './aspects.ts';
import { isConstrained } from './constraints.ts';
import { type Finding, nothing } from './extract.ts';
import { type Hit, type Library, type Shelf, shelfOf } from './library.ts';
import { type Mention, pointingAt, productsNamed, withoutName } from './names.ts';
import { compared } from './pair.ts';
import { asksForAll, readOut } from './reading.ts';
import { selected } from './selection.ts';
import { mended, writtenOut } from './spelling.ts';
import { CLOSE, introduced, suggested } from './suggestion.ts';
import type { Vocabulary } from './vocabulary.ts';
import { GOES_ON, isLookUp, REFERS, SEEKS_MORE, seeksOthers, tellsNeed, type Wish, wishIn } from './wish.ts';
import { fold, tokens } from './words.ts';

/** A turn of the conversation with what it was about. */
export interface StoredTurn extends Turn {
  /** Products that the answer cites, in their order. */
  productIds: readonly string[];
  /** The product that was under view. */
  productId: string | null;
}

export interface Question {
  text: string;
  /** Of the product under view. */
  productId: string | null;
  history: readonly StoredTurn[];
}

/** A question with all that was found on it. */
interface Case {
  text: string;
  wish: Wish;
  history: readonly StoredTurn[];
  vocabulary: Vocabulary;
  hits: readonly Hit[];
  /** The products of the hits, of names in the question and of the conversation. */
  shelf: Shelf;
  viewed: Product | null;
  signal: AbortSignal;
}

/** Products that a wish is searched among; more would cost a second. */
const MAX_FILTERED = 3_000;
const SEARCHED = 60;
const NAMED = 30;
const MAX_SOURCES = 10;
/** Share of a name's words with which no other product is meant. */
const FULLY_NAMED = 0.67;
/** Words of the language are known to the embedder in one or two. */
const PIECES_OF_NAMES = 3;

const PAIRS = /\b(or|vs|versus|compare[ds]?|comparison|differences?|differ|between|than|both)\b/;
const GREETS =
  /^(hi|hello|hey|good (morning|afternoon|evening|day)|thanks|thank you|thank you very much|ok|okay|great|bye|goodbye)\W*$/;
/** So few are seldom a new question. */
const FEW_WORDS = 6;
const ORDINALS = ['first', 'second', 'third'];

/** Finds what the catalogue has on a question. */
export class Researcher {
  constructor(
    private readonly library: Library,
    private readonly embedder: Embedder,
  ) {}

  /**
   * @throws HashiraError BAD_USER_INPUT (no such product), VECTORS_UNAVAILABLE, DATABASE_UNAVAILABLE; the reason of the signal
   */
  async research(question: Question, signal: AbortSignal): Promise<Ask> {
    const { sources, extract } = GREETS.test(fold(question.text).trim())
      ? nothing('Hello! Ask me about a product, or tell me what you are looking for.')
      : await this.find(await this.caseOf(question, signal));
    return {
      question: question.text,
      history: question.history.map(({ role, text }) => ({ role, text })),
      sources: sources.slice(0, MAX_SOURCES),
      extract,
    };
  }

  private async caseOf({ text: typed, productId, history }: Question, signal: AbortSignal): Promise<Case> {
    const vocabulary = await this.library.vocabulary();
    const previous = [...history].reverse().find(({ role }) => role === 'USER')?.text ?? null;
    const reworded = (text: string) => this.library.reworded(mended(writtenOut(text), vocabulary.words), signal);
    const [text, before] = await Promise.all([reworded(typed), previous === null ? null : reworded(previous)]);
    const [hits, [viewed = null]] = await Promise.all([
      this.library.search(text, { attributes: new Map() }, SEARCHED, signal),
      productId === null ? [] : this.library.products([productId], signal),
    ]);
    if (productId !== null && !viewed)
      throw badInput('"productId" is not a product of the catalogue.', 'input.productId');
    const spoken = [...history]
      .reverse()
      .flatMap(({ productIds, productId }) => [...productIds, ...(productId ? [productId] : [])]);
    const called = vocabulary.names.find(text, NAMED);
    const shelf = await shelfOf(this.library, [...called, ...hits.map((hit) => hit.productId), ...spoken], signal);
    return { text, wish: wishIn(text, before, vocabulary), history, vocabulary, hits, shelf, viewed, signal };
  }

  private async find(asked: Case): Promise<Finding> {
    const { text, wish, viewed, vocabulary, shelf, signal } = asked;
    const mentions = mentionsIn(asked);
    const named = mentions.map(({ product }) => product);
    const focus = viewed ?? (named.length > 0 ? null : spokenOf(asked));
    // Beside a product under view other products must be asked for.
    const elsewhere = focus ? seeksOthers(pointed(text, focus, vocabulary)) : wish.seeks;

    const pair = pairOf(named, focus, text);
    if (pair && (PAIRS.test(fold(text)) || wish.comparative || named.length > 1))
      return compared(this.embedder, text, wish.comparative ?? wish.superlative, pair, signal);
    if (named.length === 0 && !focus && this.asksOfUnknown(asked))
      return nothing('The catalogue does not have a product that this could be about: nothing was found.');
    if (named.length === 0 && wish.selects && (!focus || elsewhere || wish.goesOn)) {
      const found = await this.select(asked);
      // Without a limit a wish may be put in other words than the catalogue's.
      const firm = wish.superlative !== null || isConstrained(wish.constraints) || wish.goesOn;
      if (found.sources.length > 0 || firm) return found;
      return this.suggest(asked);
    }
    const subject = subjectOf(mentions, viewed) ?? focus;
    if (subject && !(named.length === 0 && elsewhere)) {
      const question = named.includes(subject) ? withoutName(text, subject.name) : text;
      const found = await readOut(this.embedder, subject, question, shelf, vocabulary, signal);
      if (found.sources.length > 0) return found;
      // "A striking post for the dojo" is no question about the only one.
      const [mention] = mentions;
      if (viewed === null && wish.seeks && mention && mention.coverage < FULLY_NAMED) return introduced(named);
      if (viewed !== null || named.length > 0 || REFERS.test(fold(text))) return found;
    }
    return this.suggest(asked);
  }

  /** Whether a question is about one thing that the catalogue does not know: "how long is Zanpakuro?", "Zanpakuro – price?" */
  private asksOfUnknown({ text, wish, vocabulary, hits }: Case): boolean {
    const strangers = vocabulary.strangersIn(text);
    const asksForFact = aspectsOfQuestion(fold(text)).length > 0 || vocabulary.namesAttribute(text);
    if (!(asksForFact || isLookUp(text)) || strangers.length === 0 || SEEKS_MORE.test(fold(text))) return false;
    if (isNameLike(text, strangers)) return true;
    // "What can I rewrap the hilt with?" has words of its own, and names nothing.
    const pieces = Math.max(...strangers.map((word) => this.embedder.pieces(word)));
    if (pieces >= PIECES_OF_NAMES + (tellsNeed(text) ? 1 : 0)) return true;
    if (tellsNeed(text)) return false;
    if (wish.seeks || wish.category || wish.values.length > 0 || wish.kinds.length > 0) return false;
    return asksForFact && !hits.some(({ similarity }) => (similarity ?? 0) >= CLOSE);
  }

  private async select({ wish, hits, signal }: Case): Promise<Finding> {
    const { minPrice, maxPrice, inStock } = wish.constraints;
    const filter: ProductFilter = { minPrice, maxPrice, inStock, attributes: new Map() };
    const lists = await Promise.all(
      (wish.category?.roots ?? [undefined]).map((categoryId) =>
        this.library.filtered({ ...filter, categoryId }, MAX_FILTERED, signal),
      ),
    );
    const products = new Map(lists.flat().map((product) => [product.id, product]));
    return selected(wish, [...products.values()], hits);
  }

  private async suggest({ wish, hits, shelf, vocabulary, signal }: Case): Promise<Finding> {
    if (!wish.category) return suggested(wish, hits, shelf, vocabulary);
    const lists = await Promise.all(
      wish.category.roots.map((categoryId) =>
        this.library.search(wish.text, { categoryId, attributes: new Map() }, SEARCHED, signal),
      ),
    );
    const within = lists.flat();
    const ids = within.map(({ productId }) => productId);
    return suggested(wish, within, await shelfOf(this.library, ids, signal), vocabulary);
  }
}

/** The products that a question means by their names. */
function mentionsIn({ text, wish, history, vocabulary, shelf, viewed }: Case): Mention<Product>[] {
  const mentions = productsNamed(text, [...new Set([...(viewed ? [viewed] : []), ...shelf.values()])], vocabulary);
  // A wish in a few words may have a word of some product's name by chance.
  const asks = isLookUp(text) || text.trim().endsWith('?') || asksForAll(text);
  const meant =
    asks && !wish.seeks && !wish.selects && !(viewed === null && tellsNeed(text))
      ? mentions
      : mentions.filter(({ sure, unique, coverage }) => sure && (unique || coverage >= FULLY_NAMED));
  // "Which breathing style does it belong to" goes on about what was spoken of, whatever is called Breathing.
  const faint = history.length > 0 && REFERS.test(fold(text)) && meant.every(({ coverage }) => coverage < 0.5);
  return faint ? [] : meant;
}

/** The product that is named with most of its name; beside one under view others must be named well. */
function subjectOf(mentions: readonly Mention<Product>[], viewed: Product | null): Product | null {
  const [best] = [...mentions].sort((a, b) => b.coverage - a.coverage);
  return best && (viewed === null || best.product.id === viewed.id || best.coverage >= 0.5) ? best.product : null;
}

/** The product that a question goes on about without naming it. */
function spokenOf({ text, wish, history, shelf }: Case): Product | null {
  const folded = fold(text);
  const last = [...history].reverse().find(({ productIds, productId }) => productIds.length > 0 || productId !== null);
  if (!last) return null;
  const goesOn =
    REFERS.test(folded) ||
    GOES_ON.test(folded) ||
    (isLookUp(text) && !wish.superlative && !seeksOthers(text)) ||
    (tokens(text).length <= FEW_WORDS && !wish.superlative && !wish.seeks && !isConstrained(wish.constraints)) ||
    !(wish.seeks || wish.selects || wish.category || wish.values.length > 0);
  if (!goesOn) return null;
  const distinct = [...new Set(last.productIds)];
  const place = ORDINALS.findIndex((word) => folded.includes(`${word} one`));
  const id = distinct[Math.max(0, place)] ?? last.productId;
  return id ? (shelf.get(id) ?? null) : null;
}

/** "Do you have the uniform in L?" is about the uniform that is under view. */
const pointed = (text: string, focus: Product, { categoryNames }: Vocabulary): string =>
  pointingAt(text, { name: focus.name, category: categoryNames.get(focus.categoryId) ?? '' }, new Set());

/** Whether one of the words is written as names are, and not because a sentence begins with it. */
const isNameLike = (text: string, words: readonly string[]): boolean =>
  [...text.matchAll(/(?<![.!?]\s+|^\W*)\p{Lu}[\p{L}]+/gu)].some(([word]) => words.includes(fold(word)));

function pairOf(named: readonly Product[], focus: Product | null, text: string): readonly [Product, Product] | null {
  const [first, second] = named;
  if (first && second) return [first, second];
  if (first && focus && first.id !== focus.id && (REFERS.test(fold(text)) || PAIRS.test(fold(text))))
    return [focus, first];
  return null;
}
