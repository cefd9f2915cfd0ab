import type { Grammar, T5 } from './t5.ts';

/** Tokens of a sentence of a summary, at most; what a model has not ended by then is ended for it. */
const MOST_SENTENCE = 80;
/** Tokens of a whole output, at most. */
export const MOST_TOKENS = 2 * MOST_SENTENCE + 32;

interface Branch {
  next: Map<number, Branch>;
  ends: boolean;
}

/** `<ISSUE> label <SUMMARY> sentence <RESOLUTION> sentence <RESOLVED>|<OPEN>`, with a label of a fixed list: nothing else can be written. */
export class FieldsGrammar implements Grammar {
  private readonly labels: Branch = { next: new Map(), ends: false };
  private readonly field: { issue: number; summary: number; resolution: number; flags: number[] };
  private readonly closing: number[];
  private readonly words: number[];
  private readonly openEnded: Map<readonly number[], number[]>;

  /** @throws Error when the model's vocabulary has no fields */
  constructor(t5: T5, issues: readonly string[]) {
    const id = (token: string) => {
      const found = t5.id(token);
      if (found === undefined) throw new Error(`the vocabulary has no ${token}`);
      return found;
    };
    this.field = {
      issue: id('<ISSUE>'),
      summary: id('<SUMMARY>'),
      resolution: id('<RESOLUTION>'),
      flags: [id('<RESOLVED>'), id('<OPEN>')],
    };
    for (const issue of issues) {
      let branch = this.labels;
      for (const token of t5.encode(issue)) {
        const next = branch.next.get(token) ?? { next: new Map(), ends: false };
        branch.next.set(token, next);
        branch = next;
      }
      branch.ends = true;
    }
    this.closing = [this.field.resolution];
    const control = new Set([id('<pad>'), id('<unk>'), id('</s>'), this.field.issue, this.field.summary]);
    for (const token of [this.field.resolution, ...this.field.flags]) control.add(token);
    this.words = [...t5.tokenizer.get_vocab().values()].filter((token) => !control.has(token));
    this.openEnded = new Map([this.closing, this.field.flags].map((ids) => [ids, [...this.words, ...ids]]));
  }

  next(written: readonly number[]): Iterable<number> {
    const { issue, summary, resolution, flags } = this.field;
    if (written.length === 0) return [issue];
    if (flags.includes(written.at(-1) as number)) return [];
    const resolutionAt = written.indexOf(resolution);
    if (resolutionAt >= 0) return this.sentence(written.length - resolutionAt - 1, flags);
    const summaryAt = written.indexOf(summary);
    if (summaryAt >= 0) return this.sentence(written.length - summaryAt - 1, this.closing);
    let branch: Branch | undefined = this.labels;
    for (const token of written.slice(1)) branch = branch?.next.get(token);
    const labels = [...(branch?.next.keys() ?? [])];
    return branch?.ends ? [...labels, summary] : labels;
  }

  private sentence(length: number, closing: readonly number[]): number[] {
    if (length === 0) return this.words;
    return length < MOST_SENTENCE ? (this.openEnded.get(closing) as number[]) : [...closing];
  }
}
