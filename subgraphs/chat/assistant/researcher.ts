import type { Product, ProductFilter } from '../../catalog/model.ts';
import type { Embedder } from '../../kit/embedder.ts';
import { badInput } from '../../kit/errors.ts';
import type { Ask, Turn } from '../generator.ts';
import { aspectsOfName, aspectsOfQuestion } from './aspects.ts';
import { type Constraints, constraintsIn, isConstrained } from './constraints.ts';
import { answering, rankPassages } from './evidence.ts';
import { comparison, differences, type Finding, facts, listing, nothing, overview } from './extract.ts';
import { comparativeIn, type Extreme, superlativeIn } from './extremes.ts';
import { trustworthy } from './guard.ts';
import { measureOf } from './measures.ts';
import { type Mention, pointingAt, productsNamed, withoutName } from './names.ts';
import { type Passage, passagesOf, sentencesOf } from './passages.ts';
import { quantities } from './quantity.ts';
import { mended } from './spelling.ts';
import type { CategoryTerm, ValueTerm, Vocabulary } from './vocabulary.ts';
import { fold, indexOfPhrase, stem, stems, tokens } from './words.ts';

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

/** A product as retrieval finds it. */
export interface Hit {
  productId: string;
  /** Fused; comparable within one search only. */
  score: number;
  /** Cosine of question and product; null when only words found it. */
  similarity: number | null;
}

/** Where a researcher looks. */
export interface Library {
  /** Best first. @throws HashiraError VECTORS_UNAVAILABLE, DATABASE_UNAVAILABLE */
  search(text: string, filter: ProductFilter, limit: number, signal: AbortSignal): Promise<Hit[]>;
  /** In the order of the ids, null where there is none. */
  products(ids: readonly string[], signal: AbortSignal): Promise<(Product | null)[]>;
  /** Products that a filter lets through, the cheapest first. */
  filtered(filter: ProductFilter, limit: number, signal: AbortSignal): Promise<Product[]>;
  vocabulary(): Promise<Vocabulary>;
}

/** Products that a wish is searched among; more would cost a second. */
const MAX_FILTERED = 3_000;
const SEARCHED = 30;
const NAMED = 30;
const LISTED = 3;
const MAX_SOURCES = 10;
/** Words of the language are known to the embedder in one or two. */
const PIECES_OF_NAMES = 3;

const SEEKS =
  /\b(show|find|search|looking for|look for|recommend|suggest|do you (have|sell|carry|stock|offer)|have you got|got any|is there an?|are there|i (need|want|would like|look)|need|looking|i am after|im after|any|something|anything|which \S+ (do|should|would)|what \S+ (do|should|would))\b/;
/** Beside a product under view: others are asked for. */
const SEEKS_OTHERS =
  /\b(others?|another|alternatives?|instead|else|similar|(cheap|light|heavi|long|short|small|larg|bigg)er (one|ones|than this))\b/;
/** Likewise, unless "it" says that this one is meant. */
const SEEKS_MORE =
  /\b(show me|find me|looking for|recommend|suggest|do you (have|sell|carry|stock|offer)|have you got|got any|which of your|what .{0,20}do you (have|sell))\b/;
const REFERS = /\b(it|its|this|that|these|those|them|they|the (first|second|third|last|other) one|both)\b/;
const GOES_ON = /^(and|but|or|what about|how about|what if|only|also|then|so|ok|okay|same|now)\b/;
const PAIRS = /\b(or|vs|versus|compare[ds]?|comparison|differences?|differ|between|than|both)\b/;
const OVERVIEW =
  /\b(tell me (more |something |all )?about|summari[sz]e|describe|description|overview|introduce|more (info|information|details))\b|^what (is|are) (it|this|that|these)( product| item)?\W*$/;
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
    const { sources, extract } = await this.find(question, signal);
    return {
      question: question.text,
      history: question.history.map(({ role, text }) => ({ role, text })),
      sources: sources.slice(0, MAX_SOURCES),
      extract,
    };
  }

  private async find({ text: typed, productId, history }: Question, signal: AbortSignal): Promise<Finding> {
    const vocabulary = await this.library.vocabulary();
    const text = mended(typed, vocabulary.words);
    const [hits, [viewed = null]] = await Promise.all([
      this.library.search(text, { attributes: new Map() }, SEARCHED, signal),
      productId === null ? [] : this.library.products([productId], signal),
    ]);
    if (productId !== null && !viewed)
      throw badInput('"productId" is not a product of the catalogue.', 'input.productId');
    if (GREETS.test(fold(text).trim()))
      return nothing('Hello! Ask me about a product, or tell me what you are looking for.');
    const found = await this.candidates(text, hits, history, vocabulary, signal);
    const wish = wishIn(text, history, vocabulary);
    const mentions = productsNamed(text, [...(viewed ? [viewed] : []), ...found.products], vocabulary);
    const surely = mentions.filter(({ sure }) => sure);
    // A wish in a few words may have a word of some product's name by chance.
    const asks = isLookUp(text) || text.trim().endsWith('?') || OVERVIEW.test(fold(text));
    const surest = surely.filter(({ unique, coverage }) => unique || coverage >= 0.67);
    const meant = asks && !wish.seeks && !wish.selects ? mentions : surest;
    // "Which breathing style does it belong to" goes on about what was spoken of, whatever is called Breathing.
    const faint = history.length > 0 && REFERS.test(fold(text)) && meant.every(({ coverage }) => coverage < 0.5);
    const named = faint ? [] : meant.map(({ product }) => product);
    const focus = viewed ?? this.reference(text, wish, named, history, found);
    // Beside a product under view other products must be asked for.
    const elsewhere = focus ? seeksOthers(text) : wish.seeks;

    const pair = pairOf(named, focus, text);
    if (pair && (PAIRS.test(fold(text)) || wish.comparative || named.length > 1))
      return this.compare(wish.comparative ?? wish.superlative, pair, text, signal);
    if (named.length === 0 && !focus && this.asksOfUnknown(text, wish, vocabulary, hits))
      return nothing('The catalogue does not have a product that this could be about: nothing was found.');
    if (named.length === 0 && wish.selects && (!focus || elsewhere || wish.goesOn)) {
      const selected = await this.select(wish, hits, signal);
      // Without a limit a wish may be put in other words than the catalogue's.
      const firm = wish.superlative !== null || isConstrained(wish.constraints) || wish.goesOn;
      if (selected.sources.length > 0 || firm) return selected;
      return this.browse(wish, hits, found, vocabulary, signal);
    }
    const subject =
      this.subjectOf(
        mentions.filter(({ product }) => named.includes(product)),
        viewed,
      ) ?? focus;
    if (subject && !(named.length === 0 && elsewhere)) {
      const question = named.includes(subject) ? withoutName(text, subject.name) : text;
      const told = await this.look(subject, question, vocabulary, found, signal);
      const goesOn = viewed !== null || named.length > 0 || REFERS.test(fold(text));
      if (told.sources.length > 0 || goesOn) return told;
    }
    return this.browse(wish, hits, found, vocabulary, signal);
  }

  /** Whether a question is about one thing that the catalogue does not know: "how long is Zanpakuro?", "Zanpakuro – price?" */
  private asksOfUnknown(text: string, wish: Wish, vocabulary: Vocabulary, hits: readonly Hit[]): boolean {
    const strangers = vocabulary.strangersIn(text);
    const asks = aspectsOfQuestion(fold(text)).length > 0 || isLookUp(text);
    if (!asks || strangers.length === 0 || SEEKS_MORE.test(fold(text))) return false;
    if (isNameLike(text, strangers) || strangers.some((word) => this.embedder.pieces(word) >= PIECES_OF_NAMES))
      return true;
    if (wish.seeks || wish.category || wish.values.length > 0 || wish.kinds.length > 0) return false;
    return aspectsOfQuestion(fold(text)).length > 0 && !hits.some(({ similarity }) => (similarity ?? 0) >= CLOSE);
  }

  /** The product that is named with most of its name; beside one under view others must be named well. */
  private subjectOf(mentions: readonly Mention<Product>[], viewed: Product | null): Product | null {
    const [best] = [...mentions].sort((a, b) => b.coverage - a.coverage);
    return best && (viewed === null || best.product.id === viewed.id || best.coverage >= 0.5) ? best.product : null;
  }

  /** What was found, and what the conversation was about, as products. */
  private async candidates(
    text: string,
    hits: readonly Hit[],
    history: readonly StoredTurn[],
    vocabulary: Vocabulary,
    signal: AbortSignal,
  ): Promise<Found> {
    const spoken = [...history]
      .reverse()
      .flatMap(({ productIds, productId }) => [...productIds, ...(productId ? [productId] : [])]);
    const called = vocabulary.names.find(text, NAMED);
    const ids = [...new Set([...called, ...hits.map((hit) => hit.productId), ...spoken])];
    const products = (await this.library.products(ids, signal)).filter((product) => product !== null);
    return { products, byId: new Map(products.map((product) => [product.id, product])) };
  }

  /** The product that a question goes on about without naming it. */
  private reference(
    text: string,
    wish: Wish,
    named: readonly Product[],
    history: readonly StoredTurn[],
    { byId }: Found,
  ): Product | null {
    if (named.length > 0) return null;
    const folded = fold(text);
    const last = [...history]
      .reverse()
      .find(({ productIds, productId }) => productIds.length > 0 || productId !== null);
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
    return id ? (byId.get(id) ?? null) : null;
  }

  private async look(
    product: Product,
    question: string,
    vocabulary: Vocabulary,
    found: Found,
    signal: AbortSignal,
  ): Promise<Finding> {
    const passages = this.passages(product);
    if (OVERVIEW.test(fold(question))) return overview(product, passages);
    const told = new Set(
      passages.flatMap(({ kind, name }) => (kind === 'attribute' && name ? tokens(name).map(stem) : [])),
    );
    const pointed = pointingAt(
      question,
      { name: product.name, category: vocabulary.categoryNames.get(product.categoryId) ?? '' },
      told,
    );
    const evidence = await rankPassages(
      this.embedder,
      pointed,
      passages,
      { names: vocabulary.attributeNames, sentences: this.sentencesBeside(product, found) },
      signal,
    );
    const { answers, further } = answering(evidence);
    if (answers.length === 0) return nothing(`The catalogue does not say this about ${product.name}.`);
    return facts(product, answers, further);
  }

  /** What products of the same category say in their descriptions. */
  private sentencesBeside(product: Product, { products }: Found): string[] {
    return products
      .filter(({ id, categoryId }) => id !== product.id && categoryId === product.categoryId)
      .flatMap(({ description }) => sentencesOf(description));
  }

  private async compare(
    extreme: Extreme | null,
    pair: readonly [Product, Product],
    text: string,
    signal: AbortSignal,
  ): Promise<Finding> {
    if (extreme) {
      const found = comparison(extreme, pair);
      if (found.sources.length > 0) return found;
    }
    if (/\b(compare[ds]?|comparison|differences?|differ)\b/.test(fold(text)))
      return differences(pair, (product) => this.passages(product));
    const question = pair.reduce((rest, { name }) => withoutName(rest, name), text);
    const sides = await Promise.all(
      pair.map(async (product) => {
        const evidence = await rankPassages(this.embedder, question, this.passages(product), undefined, signal);
        return { product, evidence, answers: answering(evidence).answers };
      }),
    );
    if (!extreme || comparison(extreme, pair).sources.length < 2) {
      // What is asked about is measured in both: then that is what they are compared by.
      const [best] = sides.flatMap(({ evidence }) => evidence.ranked.slice(0, 1)).sort((a, b) => b.score - a.score);
      const by = best && measuring(best.passage.name, text);
      const found = by && comparison(by, pair);
      if (found && found.sources.length === 2) return found;
    }
    if (sides.every(({ answers }) => answers.length === 0))
      return nothing(`The catalogue does not say this about ${pair[0].name} and ${pair[1].name}.`);
    const telling = sides.filter(({ answers }) => answers.length > 0);
    return listing(
      '',
      telling.map(({ product, answers }) => ({
        product,
        passages: answers.slice(0, 1).map(({ passage }) => passage),
        score: answers[0]?.score ?? 0,
      })),
    );
  }

  /** The products that a wish lets through, computed from their attributes. */
  private async select(wish: Wish, hits: readonly Hit[], signal: AbortSignal): Promise<Finding> {
    const { constraints, category, values, superlative, strangers } = wish;
    const filter: ProductFilter = {
      minPrice: constraints.minPrice,
      maxPrice: constraints.maxPrice,
      inStock: constraints.inStock,
      attributes: new Map(),
    };
    const lists = await Promise.all(
      (category?.roots ?? [undefined]).map((categoryId) =>
        this.library.filtered({ ...filter, categoryId }, MAX_FILTERED, signal),
      ),
    );
    const unique = [...new Map(lists.flat().map((product) => [product.id, product])).values()];
    const ofKind = category ? byTerm(unique, category) : unique;
    const called = ofKind.filter(({ name }) => wish.kinds.every((kind) => tokens(name).map(stem).includes(kind)));
    const keeping = called.filter((product) => withinLimits(product, constraints));
    const exact = keeping.filter((product) => values.every((term) => hasValue(product, term)));
    // What it is for may be said in other words than the catalogue has.
    const fitting =
      exact.length > 0 ? exact : keeping.filter((product) => wish.firm.every((term) => hasValue(product, term)));
    const rank = new Map(hits.map(({ productId, score }, place) => [productId, { place, score }]));
    const unknown = !category && values.length === 0 && wish.kinds.length === 0 && strangers.length > 0;
    if (unknown && !hits.some(({ similarity }) => (similarity ?? 0) >= CLOSE))
      return nothing('The catalogue does not have this: nothing was found.');
    if (!category && values.length === 0 && wish.kinds.length === 0 && !superlative) {
      // Nothing but a number was understood of the wish: what it means decides among the products that keep to it.
      const near = fitting
        .filter(({ id }) => rank.has(id))
        .sort((a, b) => (rank.get(a.id)?.place ?? 0) - (rank.get(b.id)?.place ?? 0));
      return near.length > 0
        ? this.list(wish, near, near.length)
        : nothing('The catalogue does not have a product that fits this: nothing was found.');
    }
    if (fitting.length === 0)
      return nothing('The catalogue does not have a product that fits all of this: nothing was found.');
    if (!superlative) {
      const byRank = [...fitting].sort(
        (a, b) => (rank.get(a.id)?.place ?? SEARCHED) - (rank.get(b.id)?.place ?? SEARCHED),
      );
      return this.list(wish, byRank, fitting.length);
    }
    const measured = fitting.flatMap((product) => {
      const measure = measureOf(product, superlative);
      return measure ? [{ product, measure }] : [];
    });
    if (measured.length === 0) return nothing(`The catalogue does not say which is the ${superlative.word}.`);
    // Lengths are not compared with weights: what most products have is meant.
    const kinds = Map.groupBy(measured, ({ measure }) => measure.dimension);
    const [most] = [...kinds.values()].sort((a, b) => b.length - a.length);
    const ordered = (most ?? []).sort((a, b) =>
      superlative.more ? b.measure.value - a.measure.value : a.measure.value - b.measure.value,
    );
    return listing(
      `${/^(\p{L}+est|(most|least|fewest) \p{L}+)$/u.test(superlative.word) ? `The ${superlative.word}` : 'The first'} of ${ordered.length}:`,
      ordered.slice(0, LISTED).map(({ product, measure }) => ({
        product,
        passages: [measure.passage, ...this.telling(product, wish, [measure.passage])],
        score: 1,
      })),
    );
  }

  private list(wish: Wish, products: readonly Product[], count: number): Finding {
    const shown = products.slice(0, LISTED);
    return listing(
      count > shown.length ? `${count} products fit, among them:` : 'This fits:',
      shown.map((product) => {
        const telling = this.telling(product, wish, []);
        return { product, passages: telling.length > 0 ? telling : this.opening(product), score: 0.8 };
      }),
    );
  }

  /** What shows that a product keeps to a wish: its price, its values. */
  private telling(product: Product, { constraints, values }: Wish, said: readonly Passage[]): Passage[] {
    const passages = this.passages(product);
    const told = passages.filter(({ kind, name, value }) => {
      if (kind === 'fact' && name === 'price')
        return constraints.minPrice !== undefined || constraints.maxPrice !== undefined;
      if (kind === 'fact' && name === 'availability') return constraints.inStock === true;
      if (kind !== 'attribute') return false;
      const words = tokens(value).map(stem);
      const measures = quantities(value);
      return (
        values.some((term) => indexOfPhrase(words, term.words) >= 0) ||
        constraints.limits.some(({ dimension }) => measures.some((measure) => measure.dimension === dimension))
      );
    });
    return told.filter(({ snippet }) => !said.some((other) => other.snippet === snippet)).slice(0, 3);
  }

  /** A search in one category. */
  private async within(
    wish: Wish,
    { roots }: CategoryTerm,
    signal: AbortSignal,
  ): Promise<{ hits: Hit[]; found: Found }> {
    const lists = await Promise.all(
      roots.map((categoryId) =>
        this.library.search(wish.text, { categoryId, attributes: new Map() }, SEARCHED, signal),
      ),
    );
    const hits = lists.flat();
    const products = (
      await this.library.products(
        hits.map(({ productId }) => productId),
        signal,
      )
    ).filter((product) => product !== null);
    return { hits, found: { products, byId: new Map(products.map((product) => [product.id, product])) } };
  }

  /** What a search found for a described need, or nothing when it is not near enough. */
  private async browse(
    wish: Wish,
    all: readonly Hit[],
    known: Found,
    vocabulary: Vocabulary,
    signal: AbortSignal,
  ): Promise<Finding> {
    const { hits, found } = wish.category
      ? await this.within(wish, wish.category, signal)
      : { hits: all, found: known };
    const words = [...new Set(stems(wish.text))].filter((word) => !SAYS_NOTHING.has(word));
    const near = hits.flatMap((hit) => {
      const product = found.byId.get(hit.productId);
      if (!product || (wish.category && !wish.category.ids.includes(product.categoryId))) return [];
      const text = new Set(
        stems(
          [
            product.name,
            product.description,
            vocabulary.categoryNames.get(product.categoryId) ?? '',
            ...product.attributes.flatMap(({ name, value }) => [name, value]),
          ].join(' '),
        ),
      );
      const coverage = words.length === 0 ? 0 : words.filter((word) => text.has(word)).length / words.length;
      const called = new Set(tokens(product.name).map(stem));
      const kinds = wish.kinds.filter((kind) => called.has(kind)).length;
      return wish.category || kinds > 0 || isNear(hit, coverage, wish.strangers.length > 0)
        ? [{ product, nearness: (hit.similarity ?? 0) + COVERED * coverage + CALLED * kinds }]
        : [];
    });
    if (near.length === 0)
      return nothing('The catalogue does not have this: no product was found that fits the question.');
    near.sort((a, b) => b.nearness - a.nearness);
    return listing(
      'This may fit:',
      near.slice(0, LISTED).map(({ product }) => ({ product, passages: this.opening(product), score: 0.6 })),
    );
  }

  /** How a product is introduced: by the first sentence of its description, and its price. */
  private opening(product: Product): Passage[] {
    const passages = this.passages(product);
    const sentence =
      passages.find(({ kind }) => kind === 'sentence') ?? passages.find(({ kind }) => kind === 'attribute');
    const price = passages.find(({ name, kind }) => kind === 'fact' && name === 'price');
    return [sentence, price].filter((passage) => passage !== undefined);
  }

  private passages(product: Product): Passage[] {
    return trustworthy(passagesOf(product));
  }
}

const seeksOthers = (text: string): boolean =>
  SEEKS_OTHERS.test(fold(text)) || (SEEKS_MORE.test(fold(text)) && !REFERS.test(fold(text)));

/** Whether a question asks for a fact, not for products. */
const isLookUp = (text: string): boolean =>
  /^\W*(and |so |but |ok |then )*(what|who|whose|how|when|where|why|which|is|are|does|do|did|can|could|will|would|should|has|have|at|in|for|on|from|to)\b/.test(
    fold(text),
  );

/** Whether one of the words is written as names are, and not because a sentence begins with it. */
const isNameLike = (text: string, words: readonly string[]): boolean =>
  [...text.matchAll(/(?<![.!?]\s+|^\W*)\p{Lu}[\p{L}]+/gu)].some(([word]) => words.includes(fold(word)));

const LESS =
  /\b(less|least|lower|lowest|fewer|fewest|smaller|smallest|cheap\w*|light\w*|short\w*|thin\w*|narrow\w*|minimum|under)\b/;

/** A comparison by the attribute of this name. */
function measuring(name: string | null, question: string): Extreme | null {
  const noun = stems(name ?? '').at(-1);
  if (noun === undefined) return null;
  const aspect = aspectsOfName(name ?? '').find(({ id }) => id === noun || id === 'price' || id === 'load') ?? null;
  const folded = fold(question);
  return { aspect, noun: aspect ? null : noun, more: !LESS.test(folded), said: new Set(stems(question)), word: 'more' };
}

/** What follows says what a thing is for. */
const BEHIND = /\b(?:for|to|with)\b/i;

interface Found {
  products: Product[];
  byId: ReadonlyMap<string, Product>;
}

/** What a question wishes of a product. */
interface Wish {
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

/** "and under 20,000?" goes on with the wish before it. */
function wishIn(text: string, history: readonly StoredTurn[], vocabulary: Vocabulary): Wish {
  const own = wishOf(text, vocabulary);
  const folded = fold(text);
  const previous = [...history].reverse().find(({ role }) => role === 'USER');
  if (!previous || own.category || !GOES_ON.test(folded) || REFERS.test(folded)) return own;
  if (!(own.selects || own.values.length > 0)) return own;
  const before = wishOf(previous.text, vocabulary);
  if (!before.selects && !before.seeks) return own;
  const constraints = {
    ...before.constraints,
    ...own.constraints,
    limits: [...before.constraints.limits, ...own.constraints.limits],
  };
  return {
    text: `${previous.text} ${text}`,
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
  const kinds = vocabulary.kindsIn(text.split(BEHIND)[0] ?? '');
  return {
    text,
    constraints,
    category,
    values,
    firm: vocabulary.valuesIn(text.split(BEHIND)[0] ?? '').filter((term) => values.includes(term)),
    kinds,
    strangers: vocabulary.strangersIn(text.split(BEHIND)[0] ?? ''),
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

function pairOf(named: readonly Product[], focus: Product | null, text: string): readonly [Product, Product] | null {
  const [first, second] = named;
  if (first && second) return [first, second];
  if (first && focus && first.id !== focus.id && (REFERS.test(fold(text)) || PAIRS.test(fold(text))))
    return [focus, first];
  return null;
}

/** Where a category goes by several names, "Naginata and spears", the product's own name must have the one that was said. */
function byTerm(products: readonly Product[], { words, partial }: CategoryTerm): Product[] {
  if (!partial) return [...products];
  const so = products.filter(({ name }) => indexOfPhrase(tokens(name).map(stem), words) >= 0);
  return so.length > 0 ? so : [...products];
}

function hasValue(product: Product, term: ValueTerm): boolean {
  if (
    product.attributes.some(({ name, value }) =>
      term.values.some((known) => known.name === name && known.value === value),
    )
  )
    return true;
  return [product.name, ...product.attributes.map(({ value }) => value)].some(
    (text) => indexOfPhrase(tokens(text).map(stem), term.words) >= 0,
  );
}

function withinLimits(product: Product, { limits }: Constraints): boolean {
  return limits.every(({ dimension, min, max }) => {
    const measures = product.attributes
      .flatMap(({ value }) => quantities(value))
      .filter((measure) => measure.dimension === dimension);
    return measures.some(({ value }) => (min === undefined || value >= min) && (max === undefined || value <= max));
  });
}

const SAYS_NOTHING = new Set(
  'look search find recommend suggest sell buy shop catalogu good best nice great thing new gift'.split(' '),
);

/** What a product gains that is called by a word of the question that tells a kind. */
const CALLED = 0.2;
/** What a question whose words a product all has gains over its meaning. */
const COVERED = 0.15;

/** Whether a product is near enough to a question to be shown: by what it means, or by that and its words. */
/** Near enough whatever the words. */
const CLOSE = 0.42;

function isNear({ similarity }: Hit, coverage: number, strange: boolean): boolean {
  const near = similarity ?? 0;
  return near >= (strange ? CLOSE : 0.38) || (near >= 0.33 && coverage >= 0.5) || coverage >= 0.8;
}
