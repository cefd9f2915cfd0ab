import { z } from 'zod';

/** What `ml/summarizer/entities.json` holds; it ships with each model. */
export const entitySpec = z.object({
  version: z.literal(1),
  parts: z.record(z.string(), z.string()),
  patterns: z.array(
    z.object({
      family: z.string(),
      pattern: z.string(),
      ignoreCase: z.boolean().optional(),
      needs: z.string().optional(),
    }),
  ),
  most: z.record(z.string(), z.number()),
});
export type EntitySpec = z.infer<typeof entitySpec>;

/** Texts with placeholders, and what each placeholder stands for. */
export interface Masked {
  texts: string[];
  values: Map<string, string>;
}

/** What a family has too many of. */
const OVERFLOW = '<OTHER>';
const PLACEHOLDER = /<[A-Z]+_\d+>/g;
/** A pattern's finds are kept as one character of the private area, so that later patterns cannot look into them. */
const FIRST_MARK = 0xe000;
const MOST_MARKS = 6_000;
const MARKS = /[\ue000-\uf8ff]/g;
/** Names looked for again in other letters: enough for a conversation, and few enough for a long one. */
const MOST_NAMES = 40;

interface Found {
  family: string;
  value: string;
}
interface Word {
  text: string;
  start: number;
  end: number;
  capital: boolean;
}

/**
 * Replaces every number, date, amount, address and proper name by a placeholder such as `<DATE_1>`: what a model never reads or
 * writes itself. Mirrors ml/summarizer/entities.py; golden files hold both together.
 */
export class Masker {
  private readonly patterns: { family: string; pattern: RegExp; needs: RegExp }[];
  private readonly word: RegExp;
  private readonly upper: RegExp;
  private readonly wholeName: RegExp;
  private readonly particle: RegExp;
  private readonly letter: string;

  /**
   * @param starters words that begin sentences and no names, in small letters
   * @param common words that alone at a beginning are no name
   */
  constructor(
    private readonly spec: EntitySpec,
    private readonly starters: ReadonlySet<string>,
    private readonly common: ReadonlySet<string>,
  ) {
    const compiled = (pattern: string, flags = '') => {
      let source = pattern;
      while (/\{[A-Za-z]+\}/.test(source)) {
        source = source.replace(/\{([A-Za-z]+)\}/g, (_, name: string) => spec.parts[name] ?? '');
      }
      return new RegExp(source, flags);
    };
    this.patterns = spec.patterns.map(({ family, pattern, ignoreCase, needs }) => ({
      family,
      pattern: compiled(pattern, ignoreCase ? 'gi' : 'g'),
      needs: compiled(needs ?? ''),
    }));
    this.word = compiled("[{W}][{W}'’-]*", 'g');
    this.upper = compiled('^[{U}]');
    this.wholeName = compiled("^[{U}][{W}'’-]*(?: [{U}][{W}'’-]*){0,3}[.!]?$");
    this.particle = compiled('^{particle}$');
    this.letter = spec.parts.W ?? '';
  }

  /** Placeholders are numbered by family in the order of appearance; equal values share one. */
  mask(texts: readonly string[]): Masked {
    const found: Found[] = [];
    const mark = (family: string, value: string) => {
      if (found.length >= MOST_MARKS) return value;
      found.push({ family, value });
      return String.fromCharCode(FIRST_MARK + found.length - 1);
    };
    // Marks come from the texts themselves, so none may be there before.
    let marked = texts.map((text) => this.patterned(text.replace(MARKS, ' '), mark));
    marked = marked.map((text) => this.named(text, mark));
    marked = this.again(marked, found, mark);
    return this.numbered(marked, found);
  }

  private patterned(given: string, mark: (family: string, value: string) => string): string {
    let text = given;
    for (const { family, pattern, needs } of this.patterns) {
      text = text.replace(pattern, (value) => (needs.test(value) ? mark(family, value) : value));
    }
    return text;
  }

  private named(text: string, mark: (family: string, value: string) => string): string {
    const words: Word[] = [...text.matchAll(this.word)].map((match) => ({
      text: match[0],
      start: match.index,
      end: match.index + match[0].length,
      capital: this.upper.test(match[0]) && !/^I(['’]|$)/.test(match[0]),
    }));
    // Who shouts says nothing about names.
    const loud = words.filter(({ text: word }) => word.length > 1 && isUpper(word)).length;
    if (loud >= 3 && loud * 2 > words.length) return text;
    const whole = this.wholeName.test(text.trim());
    const spans: [number, number][] = [];
    for (let at = 0; at < words.length; ) {
      const first = words[at] as Word;
      if (!first.capital) {
        at++;
        continue;
      }
      let end = at + 1;
      for (let next = this.next(text, words, end); next !== null; next = this.next(text, words, end)) end = next;
      let begin = at;
      if (begins(text, first.start)) {
        const word = bare(first.text).toLowerCase();
        if (this.starters.has(word) || (end - begin === 1 && this.common.has(word) && !whole)) {
          begin++;
          while (begin < end && !words[begin]?.capital) begin++;
        }
      }
      if (begin < end) {
        const last = words[end - 1] as Word;
        spans.push([(words[begin] as Word).start, last.start + bare(last.text).length]);
      }
      at = end;
    }
    return spans.reduceRight(
      (rest, [begin, end]) => rest.slice(0, begin) + mark('NAME', rest.slice(begin, end)) + rest.slice(end),
      text,
    );
  }

  /** The end of a name that goes on with the word at `end`, over particles if need be; null where it ends before. */
  private next(text: string, words: readonly Word[], end: number): number | null {
    for (let at = end; at < words.length && at - end < 3; at++) {
      const word = words[at] as Word;
      if (text.slice(words[at - 1]?.end, word.start) !== ' ') return null;
      if (word.capital) return at + 1;
      if (!this.particle.test(word.text)) return null;
    }
    return null;
  }

  /** Names written elsewhere in other letters. */
  private again(
    marked: readonly string[],
    found: readonly Found[],
    mark: (family: string, value: string) => string,
  ): string[] {
    const names = [
      ...new Set(
        found.filter(({ family, value }) => family === 'NAME' && value.includes(' ')).map(({ value }) => value),
      ),
    ].sort((a, b) => b.length - a.length || (a < b ? -1 : 1));
    return names.slice(0, MOST_NAMES).reduce<string[]>(
      (texts, name) => {
        const pattern = new RegExp(
          `(?<![${this.letter}])${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?![${this.letter}])`,
          'gi',
        );
        return texts.map((text) => text.replace(pattern, (value) => mark('NAME', value)));
      },
      [...marked],
    );
  }

  private numbered(marked: readonly string[], found: readonly Found[]): Masked {
    const values = new Map<string, string>();
    const known = new Map<string, string>();
    const parts = new Map<string, string>();
    const counts = new Map<string, number>();
    const placeholder = (character: string): string => {
      const entity = found[character.charCodeAt(0) - FIRST_MARK];
      if (!entity) return ' ';
      const { family, value } = entity;
      const key = entityKey(value);
      const existing = known.get(`${family} ${key}`) ?? (family === 'NAME' ? parts.get(key) : undefined);
      if (existing) return existing;
      const count = (counts.get(family) ?? 0) + 1;
      counts.set(family, count);
      if (count > (this.spec.most[family] ?? 0)) return OVERFLOW;
      const name = `<${family}_${count}>`;
      known.set(`${family} ${key}`, name);
      values.set(name, family === 'CODE' ? value.replace(/^[ #]+|[ #]+$/g, '') : value);
      if (family === 'NAME' && value.includes(' ')) {
        for (const part of key.split(' ')) if (!parts.has(part)) parts.set(part, name);
      }
      return name;
    };
    return { texts: marked.map((text) => text.replace(MARKS, placeholder)), values };
  }
}

/** The text with its entities; null when a placeholder stands for nothing. */
export function restore(text: string, values: ReadonlyMap<string, string>): string | null {
  let whole = true;
  const restored = text.replace(PLACEHOLDER, (name) => {
    const value = values.get(name);
    whole &&= value !== undefined;
    return value ?? '';
  });
  return whole ? restored : null;
}

const entityKey = (value: string): string =>
  value
    .replace(/^[ #]+|[ #]+$/g, '')
    .replace(/\s+/g, ' ')
    .toLowerCase();

const bare = (word: string): string => word.replace(/['’][sS]?$/, '').replace(/[-'’]+$/, '');

const isUpper = (word: string): boolean => word === word.toUpperCase() && word !== word.toLowerCase();

/** Whether a sentence begins here. */
function begins(text: string, at: number): boolean {
  const before = text.slice(0, at).replace(/[ "'“”‘’(*\-–—]+$/, '');
  const last = before.at(-1);
  if (last === undefined || '.!?:;\n…'.includes(last)) return true;
  const mark = last >= '\ue000' && last <= '\uf8ff';
  return !(mark || /[\p{L}\p{N}]/u.test(last) || ",'’&/".includes(last));
}
