import { extract } from './extractive.ts';
import { inventedNames, wordsOf } from './faithful.ts';
import type { TranscriptTurn } from './model.ts';
import { lines } from './prompt.ts';
import type { Written } from './summarizer.ts';
import { type Grammar, T5 } from './t5.ts';
import { windows } from './windows.ts';

const PROMPT = 'Summarize the following customer support conversation and identify the key issue and the resolution:';
/** Flan-T5 was trained on so many. */
const MOST_READ = 512;
const MOST_WRITTEN = 96;
/** A line that repeats itself says nothing more. */
const REPEATED = 3;

/**
 * Summaries by a T5 that was not trained for this, Flan-T5 as it is published for example. It reads the transcript as it is and writes
 * one text; what it is about and how it ended, the speakers' own words tell. Numbers and names that nobody said are not served.
 */
export class PlainSummarizer {
  private constructor(
    private readonly t5: T5,
    private readonly end: number,
  ) {}

  /** @throws Error when the folder holds no T5 */
  static async load(dir: string): Promise<PlainSummarizer> {
    const t5 = await T5.load(dir);
    const end = t5.id('</s>');
    if (end === undefined) throw new Error('the vocabulary has no end');
    return new PlainSummarizer(t5, end);
  }

  /** @throws the signal's reason */
  async summarize(turns: readonly TranscriptTurn[], signal?: AbortSignal): Promise<Written> {
    const extracted = extract(turns);
    const said = wordsOf(turns.map(({ speaker, text }) => `${speaker} ${text}`).join('\n'));
    const room = MOST_READ - this.t5.encode(PROMPT).length - 1;
    const texts: string[] = [];
    for (const part of windows(lines(turns), room, (text) => this.t5.encode(text).length)) {
      const text = await this.part(part, said, signal);
      if (text === null) return { digest: extracted, by: 'extractive' };
      if (text && !texts.includes(text)) texts.push(text);
    }
    if (texts.length === 0) return { digest: extracted, by: 'extractive' };
    return { digest: { ...extracted, summary: texts.join(' ') }, by: 'model' };
  }

  async dispose(): Promise<void> {
    await this.t5.dispose();
  }

  /** Null when nothing faithful could be written. */
  private async part(part: readonly string[], said: ReadonlySet<string>, signal?: AbortSignal): Promise<string | null> {
    const source = [...this.t5.encode([PROMPT, ...part].join('\n')).slice(0, MOST_READ - 1), this.end];
    const banned = new Set<number>();
    // Once more without what had no ground.
    for (let attempt = 0; attempt < 2; attempt++) {
      const written = await this.t5.write(source, { grammar: new Free(this.end), banned, most: MOST_WRITTEN, signal });
      const text = this.t5.tokenizer.decode(written, { skip_special_tokens: true }).trim();
      const wrong = inventedNames(text, said);
      if (wrong.length === 0) return text;
      for (const word of wrong) for (const id of this.t5.encode(word)) banned.add(id);
    }
    return null;
  }
}

/** Any text, up to its end, or until it goes round in circles. */
class Free implements Grammar {
  constructor(private readonly end: number) {}

  next(written: readonly number[]): Iterable<number> | null {
    if (written.at(-1) === this.end) return [];
    const tail = written.slice(-REPEATED);
    for (let at = 0; tail.length === REPEATED && at < written.length - REPEATED; at++) {
      if (tail.every((token, offset) => written[at + offset] === token)) return [];
    }
    return null;
  }
}
