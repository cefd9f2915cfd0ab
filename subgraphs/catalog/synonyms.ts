import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ConfigError } from '../kit/config.ts';

/** A stretch of a text in shoppers' words. */
export interface Synonym {
  start: number;
  end: number;
  /** As shoppers say it. */
  said: string;
  /** The shop's word for it. */
  meant: string;
}

const SHIPPED = fileURLToPath(new URL('./synonyms.txt', import.meta.url));
const MAX_RULES = 5_000;

/** Shoppers' words for the shop's own, from lines such as `saya, scabbard => sheath`; `#` begins a remark. */
export class Synonyms {
  readonly #meanings: ReadonlyMap<string, string>;
  readonly #pattern: RegExp | null;

  /** @param lines of the rules @throws Error with the number of a line that is no rule */
  constructor(lines: readonly string[] = []) {
    const meanings = new Map<string, string>();
    lines.forEach((line, index) => {
      const rule = line.replace(/#.*/, '').trim().toLowerCase();
      if (rule === '') return;
      const [said = '', meant = '', more] = rule.split('=>').map((side) => side.trim());
      const words = said.split(',').map((word) => word.trim());
      if (meant === '' || more !== undefined || words.includes(''))
        throw new Error(`Line ${index + 1} of the synonyms is not like "scabbard, saya => sheath".`);
      for (const word of words) meanings.set(word.replace(/[\s-]+/g, ' '), meant);
    });
    if (meanings.size > MAX_RULES) throw new Error(`There are more than ${MAX_RULES} synonyms.`);
    // Of words that begin alike the longest: "hilt tape" before "hilt".
    const words = [...meanings.keys()].sort((a, b) => b.length - a.length).map(escaped);
    this.#meanings = meanings;
    this.#pattern =
      words.length === 0
        ? null
        : new RegExp(`(?<![\\p{L}\\p{N}])(${words.join('|')})(?:e?s)?(?![\\p{L}\\p{N}])`, 'giu');
  }

  /** @param file the shipped ones when not given @throws ConfigError when it cannot be read or a line is no rule */
  static read(file: string = SHIPPED): Synonyms {
    try {
      return new Synonyms(readFileSync(file, 'utf8').split(/\r?\n/));
    } catch (cause) {
      throw new ConfigError(`SYNONYMS_FILE cannot be used: ${(cause as Error).message}`, { cause });
    }
  }

  /** Where a text says things in shoppers' words, from left to right. */
  in(text: string): Synonym[] {
    if (!this.#pattern) return [];
    return [...text.matchAll(this.#pattern)].map((match) => {
      const said = (match[1] ?? '').toLowerCase();
      return {
        start: match.index,
        end: match.index + match[0].length,
        said,
        meant: this.#meanings.get(said.replace(/[\s-]+/g, ' ')) ?? said,
      };
    });
  }
}

/** The text with the shop's words in place of those. */
export function reworded(text: string, synonyms: readonly Synonym[]): string {
  let end = 0;
  const parts = synonyms.flatMap((synonym) => {
    const before = text.slice(end, synonym.start);
    end = synonym.end;
    return [before, synonym.meant];
  });
  return [...parts, text.slice(end)].join('');
}

const escaped = (word: string): string => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/[\s-]+/g, '[\\s-]+');
