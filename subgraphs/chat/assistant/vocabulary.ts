import type { Queryable } from '../../kit/database.ts';
import type { Logger } from '../../kit/log.ts';
import { DEGREES } from './extremes.ts';
import { NameIndex } from './name-index.ts';
import { plain } from './passages.ts';
import { isOfQuestions } from './spelling.ts';
import { type AttributeRow, type CategoryRow, catalogueVersion, readWords, type Words } from './store.ts';
import { indexOfPhrase, isStopWord, seeking, stem, stems, tokens } from './words.ts';

/** A category as a question may name it. */
export interface CategoryTerm {
  ids: string[];
  /** Of the categories themselves, without those below. */
  roots: string[];
  /** Stemmed words, such as [wooden, sword]. */
  words: string[];
  /** Whether the category's name has other terms too: "Naginata and spears". Then the product's name must have this one. */
  partial: boolean;
}

/** An attribute value as a question may name it. */
export interface ValueTerm {
  words: string[];
  /** As written, with the attributes that have it. */
  values: { name: string; value: string }[];
}

/** The words that a catalogue is made of: what categories, attributes and values it has. */
export class Vocabulary {
  readonly categories: readonly CategoryTerm[];
  readonly values: readonly ValueTerm[];
  /** Plain names of all attributes, the most frequent first. */
  readonly attributeNames: readonly string[];
  /** Stems of the values that products have for an attribute, by its plain name; of attributes with few values. */
  readonly valueWords: ReadonlyMap<string, ReadonlySet<string>>;
  readonly categoryNames: ReadonlyMap<string, string>;
  /** Words that tell what kind of product it is, not which: they are in categories and values. */
  private readonly common: ReadonlySet<string>;
  /** All words of categories, attributes and values, folded. */
  readonly words: ReadonlySet<string>;

  private constructor(
    { categories, attributes }: Words,
    /** The products by name. */
    readonly names: NameIndex,
  ) {
    this.categoryNames = new Map(categories.map(({ id, name }) => [id, name]));
    this.categories = categoryTerms(categories);
    this.values = valueTerms(attributes);
    const counts = new Map<string, number>();
    for (const { name, products } of attributes) counts.set(name, (counts.get(name) ?? 0) + products);
    this.attributeNames = [...counts]
      .filter(([, products]) => products > 1)
      .sort((a, b) => b[1] - a[1])
      .map(([name]) => plain(name));
    this.valueWords = wordsOfValues(attributes);
    this.words = new Set([
      ...categories.flatMap(({ name }) => tokens(name)),
      ...attributes.flatMap(({ name, value }) => [...tokens(plain(name)), ...tokens(value)]),
    ]);
    this.common = new Set([
      ...this.categories.flatMap(({ words }) => words),
      ...this.values.flatMap(({ words }) => words),
      ...this.attributeNames.flatMap((name) => tokens(name).map(stem)),
    ]);
  }

  static async of(words: Words): Promise<Vocabulary> {
    return new Vocabulary(words, await NameIndex.of(words.products));
  }

  /** Whether a word of a name tells what kind of product it is, not which. */
  isCommon(stemmed: string): boolean {
    return stemmed.length <= 2 || /^\d/.test(stemmed) || this.common.has(stemmed) || !this.names.isRare(stemmed);
  }

  /**
   * The category that a question asks for: the last one named before the first preposition that follows a name, since "a sheath for
   * my katana" is a sheath.
   */
  categoryIn(question: string): CategoryTerm | null {
    const clauses = question.split(/[.:;?!–—](?:\s|$)/).reverse();
    for (const clause of clauses) {
      const found = this.categoryInClause(clause);
      if (found) return found;
    }
    return null;
  }

  private categoryInClause(question: string): CategoryTerm | null {
    // What stands before the first preposition is looked for; "looking for" is none.
    const words = tokens(seeking(question));
    const stemmed = words.map(stem);
    const aside = words.findIndex(
      (word, place) =>
        PURPOSES.has(word) && words.slice(0, place).some((before) => isThing(before) && this.isKnown(stem(before))),
    );
    const found = this.categories
      .map((term) => ({ term, at: indexOfPhrase(stemmed, term.words) }))
      // "my blade" is not what is looked for.
      .filter(({ at }) => at >= 0 && !OWNED.has(words[at - 1] ?? '') && (aside < 0 || at < aside))
      // In "sheath wax" the sheath only says which wax.
      .filter(({ term, at }) => !this.isThingBehind(words[at + term.words.length]))
      .sort((a, b) => a.at - b.at || b.term.words.length - a.term.words.length);
    const first = found[0];
    if (!first) return null;
    const preposition = words.findIndex((word, place) => place > first.at && PREPOSITIONS.has(word));
    const head = found.filter(({ at }) => preposition < 0 || at < preposition);
    // Of names that end at the same word the longest: "wooden sword", not "sword".
    const end = Math.max(...head.map(({ term, at }) => at + term.words.length));
    return (
      head
        .filter(({ term, at }) => at + term.words.length === end)
        .sort((a, b) => b.term.words.length - a.term.words.length)[0]?.term ?? null
    );
  }

  private isKnown(stemmed: string): boolean {
    return this.common.has(stemmed) || this.names.count(stemmed) > 0;
  }

  private isThingBehind(word: string | undefined): boolean {
    if (word === undefined || isStopWord(word) || isOfQuestions(word)) return false;
    const stemmed = stem(word);
    const names = this.names.count(stemmed);
    return (
      names > 0 &&
      !this.values.some(({ words }) => words.length === 1 && words[0] === stemmed) &&
      !this.categories.some(({ words }) => words[0] === stemmed)
    );
  }

  /** Whether a question says what an attribute is called. */
  namesAttribute(question: string): boolean {
    const stemmed = tokens(question).map(stem);
    return this.attributeNames.some((name) => indexOfPhrase(stemmed, tokens(name).map(stem)) >= 0);
  }

  /** Words of a question that neither the catalogue nor questions about products have. */
  strangersIn(question: string): string[] {
    return tokens(question).filter(
      (word) =>
        !/^\d/.test(word) &&
        !isStopWord(word) &&
        !isOfQuestions(word) &&
        !this.common.has(stem(word)) &&
        this.names.count(stem(word)) === 0,
    );
  }

  /** Words of the question that many products are called by, and no category or value is: "suburito", "boar". */
  kindsIn(question: string): string[] {
    return [
      ...new Set(
        tokens(question)
          .filter((word) => !isStopWord(word))
          .map(stem),
      ),
    ].filter((word) => !/^\d/.test(word) && !this.common.has(word) && this.names.count(word) > 1);
  }

  /** The values that a question names, the longest where they overlap. */
  valuesIn(question: string): ValueTerm[] {
    const stemmed = tokens(question).map(stem);
    const taken = new Set<number>();
    const found: ValueTerm[] = [];
    for (const term of this.values) {
      const at = indexOfPhrase(stemmed, term.words);
      if (at < 0) continue;
      const places = term.words.map((_, index) => at + index);
      if (places.some((place) => taken.has(place))) continue;
      for (const place of places) taken.add(place);
      found.push(term);
    }
    return found;
  }
}

const PURPOSES = new Set('for with to on of in around from against'.split(' '));
/** Whether a word can be what is looked for. */
const isThing = (word: string): boolean =>
  !isStopWord(word) && !/^\d/.test(word) && !DEGREES.includes(word) && !SEEKING.has(word);
const SEEKING = new Set(
  'seek show find recommend suggest give buy sell cheap best good nice price cost weight length width height size load pages'.split(
    ' ',
  ),
);
const OWNED = new Set('my our his her their'.split(' '));
const PREPOSITIONS = new Set(
  'for with to of that in under below over above from which on at without like as'.split(' '),
);

function categoryTerms(categories: readonly CategoryRow[]): CategoryTerm[] {
  const below = (id: string): string[] => {
    const all = [id];
    for (let next = 0; next < all.length && all.length < categories.length; next++) {
      for (const { id: child, parentId } of categories)
        if (parentId === all[next] && !all.includes(child)) all.push(child);
    }
    return all;
  };
  const terms = new Map<string, CategoryTerm>();
  const add = (words: string[], root: string, partial: boolean) => {
    const ids = below(root);
    const key = words.join(' ');
    const known = terms.get(key);
    // A category that is called just so is meant before one that has the term among others.
    if (words.length === 0 || (known && partial && !known.partial)) return;
    if (known && known.partial === partial) known.ids.push(...ids.filter((id) => !known.ids.includes(id)));
    else terms.set(key, { ids: [...ids], roots: [], words, partial });
    terms.get(key)?.roots.push(root);
  };
  const heads = new Map<string, Set<string>>();
  const elsewhere = new Set<string>();
  for (const { id, name } of categories) {
    const parts = name.split(/\s*(?:,|&|\/|\band\b)\s*/i).filter(Boolean);
    for (const part of parts) {
      const words = tokens(part).map(stem);
      add(words, id, parts.length > 1);
      const head = words.at(-1) as string;
      for (const word of words.slice(0, -1)) elsewhere.add(word);
      if (words.length > 1) heads.set(head, (heads.get(head) ?? new Set()).add(id));
    }
  }
  // "a guard" for a sword guard, where no category is called so itself; but not "a sword" for a wooden one.
  for (const [head, ids] of heads)
    if (!terms.has(head) && !elsewhere.has(head)) for (const id of ids) add([head], id, false);
  return [...terms.values()];
}

/** Values that no question names. */
const SAYS_NOTHING = new Set(['no', 'yes', 'none', 'any', 'true', 'false', 'one', 'two', 'other', 'n/a', 'na', 'all']);

function valueTerms(attributes: readonly AttributeRow[]): ValueTerm[] {
  const terms = new Map<string, ValueTerm>();
  for (const { name, value } of attributes) {
    const words = tokens(value).map(stem);
    if (SAYS_NOTHING.has(value.toLowerCase().trim())) continue;
    if (words.length === 0 || words.length > 5 || words.every((word) => /^\d/.test(word) || isStopWord(word))) continue;
    if (/^\d/.test(words[0] as string) && words.length <= 2) continue; // a measure
    const key = words.join(' ');
    const known = terms.get(key);
    if (known) known.values.push({ name, value });
    else terms.set(key, { words, values: [{ name, value }] });
  }
  return [...terms.values()].sort((a, b) => b.words.length - a.words.length);
}

/** An attribute with more different values does not tell kinds apart: it measures, or names. */
const MAX_KINDS = 60;

function wordsOfValues(attributes: readonly AttributeRow[]): Map<string, Set<string>> {
  const byName = Map.groupBy(attributes, ({ name }) => plain(name));
  return new Map(
    [...byName]
      .filter(([, rows]) => rows.length > 1 && rows.length <= MAX_KINDS)
      .map(([name, rows]) => [
        name,
        new Set(rows.flatMap(({ value }) => stems(value)).filter((word) => !/^\d/.test(word) && word.length > 2)),
      ]),
  );
}

/** Changes of the catalogue are looked for at most this often, and waited for at most this often. */
const LOOK_EVERY_MS = 300;
const WAIT_EVERY_MS = 2_000;

/** The vocabulary of the catalogue as it is: a question that follows a change knows of it. */
export class Vocabularies {
  #current: { vocabulary: Vocabulary; version: string } | null = null;
  #reading: Promise<Vocabulary> | null = null;
  #lookedAt = 0;
  #readAt = 0;

  constructor(
    private readonly database: Queryable,
    private readonly log: Logger,
  ) {}

  /** @throws HashiraError DATABASE_UNAVAILABLE */
  async get(): Promise<Vocabulary> {
    if (!this.#current) return this.#read();
    const now = Date.now();
    if (now - this.#lookedAt < LOOK_EVERY_MS) return this.#current.vocabulary;
    this.#lookedAt = now;
    if ((await catalogueVersion(this.database)) === this.#current.version) return this.#current.vocabulary;
    // While a catalogue is being filled, questions do not wait for each of its changes.
    if (now - this.#readAt > WAIT_EVERY_MS) return this.#read();
    this.#read().catch((err: unknown) => this.log.debug({ err }, 'the words of the catalogue could not be read again'));
    return this.#current.vocabulary;
  }

  #read(): Promise<Vocabulary> {
    this.#reading ??= (async () => {
      try {
        const version = await catalogueVersion(this.database);
        const vocabulary = await Vocabulary.of(await readWords(this.database));
        this.#current = { vocabulary, version };
        return vocabulary;
      } finally {
        this.#readAt = Date.now();
        this.#reading = null;
      }
    })();
    return this.#reading;
  }
}
