import { type Bundle, readBundle } from './bundle.ts';
import { Masker, restore } from './entities.ts';
import { extract } from './extractive.ts';
import { unfounded, wordsOf } from './faithful.ts';
import { FieldsGrammar, MOST_TOKENS } from './grammar.ts';
import type { Digest, TranscriptTurn } from './model.ts';
import { type Draft, lines, parse } from './prompt.ts';
import { T5 } from './t5.ts';
import { windows } from './windows.ts';

/** A digest, and whether the model wrote it or, where what it wrote did not hold, the transcript itself. */
export interface Written {
  digest: Digest;
  by: 'model' | 'extractive';
}

/** Left for what is known of the parts before. */
const RESERVED_TOKENS = 96;
/** Words of a transcript that are English, at least; in other languages a model that knows only English makes things up. */
const LEAST_ENGLISH = 0.5;

/** Summaries by a T5 that ml/summarizer trained. */
export class Summarizer {
  private readonly masker: Masker;
  private readonly grammar: FieldsGrammar;
  private readonly labels: ReadonlyMap<string, string>;
  private readonly own: ReadonlySet<string>;
  private readonly common: ReadonlySet<string>;

  private constructor(
    private readonly t5: T5,
    private readonly bundle: Bundle,
  ) {
    this.common = new Set(bundle.common);
    this.masker = new Masker(bundle.entities, new Set(bundle.starters), this.common);
    this.grammar = new FieldsGrammar(t5, bundle);
    this.labels = new Map(bundle.issues.map(({ label }) => [label.toLowerCase(), label]));
    this.own = new Set(bundle.words);
  }

  /** @throws Error when the folder holds no model of this kind */
  static async load(dir: string): Promise<Summarizer> {
    const [bundle, t5] = await Promise.all([readBundle(dir), T5.load(dir)]);
    return new Summarizer(t5, bundle);
  }

  /** @throws the signal's reason */
  async summarize(turns: readonly TranscriptTurn[], signal?: AbortSignal): Promise<Written> {
    if (!this.readable(turns)) return { digest: extract(turns), by: 'extractive' };
    const { prompt, mostTokens } = this.bundle;
    const room = mostTokens - this.t5.encode(prompt).length - RESERVED_TOKENS;
    const parts = windows(lines(turns), room, (text) => this.t5.encode(`\n${text}`).length);
    let draft: Draft | null = null;
    for (const part of parts) {
      signal?.throwIfAborted();
      const next = await this.part(part, draft, signal);
      if (!next) return { digest: extract(turns, draft?.issue), by: 'extractive' };
      draft = draft ? this.joined(draft, next) : next;
    }
    if (!draft) return { digest: extract(turns), by: 'extractive' };
    const { issue, summary, resolution, resolved } = draft;
    return { digest: { summary: `${summary} ${resolution}`, keyIssue: issue, resolution, resolved }, by: 'model' };
  }

  async dispose(): Promise<void> {
    await this.t5.dispose();
  }

  /** What is known after one part more; null when nothing faithful could be written of it. */
  private async part(part: readonly string[], before: Draft | null, signal?: AbortSignal): Promise<Draft | null> {
    const soFar = before ? [`${this.bundle.soFar}: ${before.issue}. ${before.summary} ${before.resolution}`] : [];
    const { texts, values } = this.masker.mask([...soFar, ...part]);
    const said = wordsOf([...soFar, ...part].join('\n'));
    const source = [...this.t5.encode([this.bundle.prompt, ...texts].join('\n')).slice(0, this.bundle.mostTokens - 1)];
    source.push(this.t5.id('</s>') as number);
    const grammar = this.grammar.of(new Set([...values.keys()].map((name) => this.t5.id(name) ?? -1)));
    const banned = new Set<number>();
    // Once more without what had no ground.
    for (let attempt = 0; attempt < 2; attempt++) {
      const written = await this.t5.write(source, { grammar, banned, most: MOST_TOKENS, signal });
      const text = this.t5.tokenizer.decode(written, { skip_special_tokens: false });
      const draft = parse(text, this.labels);
      const wrong = draft ? unfounded(`${draft.summary} ${draft.resolution}`, said, this.own) : [];
      if (draft && wrong.length === 0) return restored(draft, values);
      for (const word of wrong) for (const id of this.t5.encode(word)) banned.add(id);
    }
    return null;
  }

  /** A later part knows how it ends; what it is about, an earlier one may know better. */
  private joined(before: Draft, next: Draft): Draft {
    const nothing = this.bundle.issues.at(-1)?.label;
    return next.issue === nothing && before.issue !== nothing
      ? { ...next, issue: before.issue, summary: before.summary }
      : next;
  }

  /** Whether it is text that the model has learned to read. */
  private readable(turns: readonly TranscriptTurn[]): boolean {
    const words = turns.flatMap(({ text }) => text.match(/\p{L}[\p{L}'’]*/gu) ?? []);
    if (words.length === 0) return false;
    const known = words.filter((word) => this.common.has(word.toLowerCase().replace(/['’].*$/, ''))).length;
    return known / words.length >= LEAST_ENGLISH;
  }
}

function restored(draft: Draft, values: ReadonlyMap<string, string>): Draft | null {
  const summary = restore(draft.summary, values);
  const resolution = restore(draft.resolution, values);
  return summary === null || resolution === null ? null : { ...draft, summary, resolution };
}
