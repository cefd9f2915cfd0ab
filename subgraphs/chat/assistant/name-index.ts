import { setImmediate } from 'node:timers/promises';
import { isStopWord, stem, tokens } from './words.ts';

interface Entry {
  id: string;
  words: string[];
}

/** Share of all products. */
const RARE = 0.002;
const AT_ONCE = 2_000;

/** Products by the words of their names, rare words first: a name said in a question is found whatever else is asked. */
export class NameIndex {
  private readonly entries: Entry[] = [];
  private readonly byWord = new Map<string, number[]>();

  private constructor() {}

  /** Many names are read in several turns of the event loop. */
  static async of(products: Iterable<{ id: string; name: string }>): Promise<NameIndex> {
    const index = new NameIndex();
    for (const { id, name } of products) {
      index.add(id, name);
      if (index.entries.length % AT_ONCE === 0) await setImmediate();
    }
    return index;
  }

  private add(id: string, name: string): void {
    const number = this.entries.length;
    const words = [...new Set(contentWords(name))];
    this.entries.push({ id, words });
    for (const word of words) {
      const list = this.byWord.get(word);
      if (list) list.push(number);
      else this.byWord.set(word, [number]);
    }
  }

  /** Ids of the products whose names the text has most of, best first. */
  find(text: string, limit: number): string[] {
    const scores = new Map<number, number>();
    for (const word of new Set(contentWords(text))) {
      const having = this.byWord.get(word) ?? [];
      for (const number of having) scores.set(number, (scores.get(number) ?? 0) + this.rarity(word));
    }
    return [...scores]
      .map(([number, said]) => ({ number, score: said - 0.5 * (this.weight(number) - said) }))
      .sort((a, b) => b.score - a.score || a.number - b.number)
      .slice(0, limit)
      .map(({ number }) => (this.entries[number] as Entry).id);
  }

  /** How many products have the word in their names. */
  count(stemmed: string): number {
    return this.byWord.get(stemmed)?.length ?? 0;
  }

  /** Whether few products have this word in their names, so that it tells which is meant. */
  isRare(stemmed: string): boolean {
    return this.count(stemmed) <= Math.max(3, this.entries.length * RARE);
  }

  private weight(number: number): number {
    return (this.entries[number] as Entry).words.reduce((sum, word) => sum + this.rarity(word), 0);
  }

  private rarity(word: string): number {
    return Math.log(1 + this.entries.length / (this.byWord.get(word)?.length ?? 1));
  }
}

const contentWords = (text: string): string[] =>
  tokens(text)
    .filter((word) => !isStopWord(word))
    .map(stem);
