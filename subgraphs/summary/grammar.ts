import type { Bundle } from './bundle.ts';
import type { Grammar, T5 } from './t5.ts';

/** Tokens of a whole output, at most; templates end it long before. */
export const MOST_TOKENS = 192;

/** One token after another; where an entity stands, any placeholder of its family. */
type Step = number | ReadonlySet<number>;
type Sentence = readonly Step[];

/** Who and what are told even when nobody has named them. */
const UNNAMED = { who: 'the customer', what: 'the item' };
const NAMED = '{name}';

/**
 * `<ISSUE> label <SUMMARY> sentence <RESOLUTION> sentence <RESOLVED>|<OPEN>`: a label of the model's list, the sentence of that
 * label, and one of those that tell how a conversation ends, with its flag. The model chooses the label, the ending, what is worth
 * telling and which entity stands where; nothing else can be written.
 */
export class FieldsGrammar {
  private readonly field: { issue: number; summary: number; resolution: number; resolved: number; open: number };
  private readonly labels: readonly { steps: Sentence; summaries: readonly Sentence[] }[];
  private readonly endings: readonly { steps: Sentence; resolved: boolean }[];
  private readonly families = new Map<string, ReadonlySet<number>>();

  /** @throws Error when the model's vocabulary has no fields */
  constructor(t5: T5, { issues, resolutions, slots, entities }: Bundle) {
    const id = (token: string) => {
      const found = t5.id(token);
      if (found === undefined) throw new Error(`the vocabulary has no ${token}`);
      return found;
    };
    this.field = {
      issue: id('<ISSUE>'),
      summary: id('<SUMMARY>'),
      resolution: id('<RESOLUTION>'),
      resolved: id('<RESOLVED>'),
      open: id('<OPEN>'),
    };
    for (const [family, most] of Object.entries(entities.most)) {
      this.families.set(family, new Set(Array.from({ length: most }, (_, n) => id(`<${family}_${n + 1}>`))));
    }
    const steps = (sentence: string): Step[] =>
      sentence.split(/(\{\w+\})/).flatMap((piece): Step[] => {
        const slot = /^\{(\w+)\}$/.exec(piece)?.[1];
        if (slot === undefined) return t5.encode(piece);
        const family = this.families.get(slots[slot] ?? '');
        if (!family) throw new Error(`there is no family of entities for {${slot}}`);
        return [family];
      });
    this.labels = issues.map(({ label, sentence }) => ({
      steps: t5.encode(label),
      summaries: variants(sentence).map(steps),
    }));
    this.endings = resolutions.flatMap(({ sentence, resolved }) =>
      variants(sentence).map((one) => ({ steps: steps(one), resolved })),
    );
  }

  /** For one conversation. @param known the placeholders that stand for something there */
  of(known: ReadonlySet<number>): Grammar {
    const { issue, summary, resolution, resolved, open } = this.field;
    const possible = (sentence: Sentence) => fits(sentence, known);
    const endings = this.endings.filter(({ steps }) => possible(steps));
    return {
      next: (written) => {
        if (written.length === 0) return [issue];
        const last = written.at(-1) as number;
        if (last === resolved || last === open) return [];
        const at = { summary: written.indexOf(summary), resolution: written.indexOf(resolution) };
        if (at.summary < 0) {
          return following(this.labels, written.slice(1), known, () => summary);
        }
        if (at.resolution < 0) {
          const label = written.slice(1, at.summary);
          const summaries = this.labels
            .filter(({ steps }) => same(steps, label))
            .flatMap((found) => found.summaries.filter(possible))
            .map((steps) => ({ steps }));
          return following(summaries, written.slice(at.summary + 1), known, () => resolution);
        }
        return following(endings, written.slice(at.resolution + 1), known, (ending) =>
          ending.resolved ? resolved : open,
        );
      },
    };
  }
}

/** A template with each of its optional parts or without, and with those named that have a name or not. */
function variants(template: string): string[] {
  const optional = /\[([^\]]*)\]/.exec(template);
  if (optional) {
    const [part, inside] = optional;
    return [...variants(template.replace(part, inside as string)), ...variants(template.replace(part, ''))];
  }
  const unnamed = Object.entries(UNNAMED).find(([slot]) => template.includes(`{${slot}}`));
  if (!unnamed) return [template.charAt(0).toUpperCase() + template.slice(1)];
  const [slot, words] = unnamed;
  return [...variants(template.replace(`{${slot}}`, words)), ...variants(template.replace(`{${slot}}`, NAMED))];
}

/** Tokens that may come after `written` in one of the sentences, or after its end. No entity stands twice in a sentence. */
function following<S extends { steps: Sentence }>(
  sentences: readonly S[],
  written: readonly number[],
  known: ReadonlySet<number>,
  end: (sentence: S) => number,
): number[] {
  const next = new Set<number>();
  const left = new Set([...known].filter((placeholder) => !written.includes(placeholder)));
  for (const sentence of sentences) {
    const { steps } = sentence;
    if (!begins(steps, written) || !fits(steps.slice(written.length), left)) continue;
    const step = steps[written.length];
    if (step === undefined) next.add(end(sentence));
    else if (typeof step === 'number') next.add(step);
    else for (const placeholder of step) if (left.has(placeholder)) next.add(placeholder);
  }
  return [...next];
}

const begins = (steps: Sentence, written: readonly number[]): boolean =>
  written.every((token, at) => {
    const step = steps[at];
    return typeof step === 'object' ? step.has(token) : step === token;
  });

const same = (steps: Sentence, written: readonly number[]): boolean =>
  steps.length === written.length && begins(steps, written);

/** Whether there are entities for all that the sentence names. */
function fits(steps: Sentence, known: ReadonlySet<number>): boolean {
  const needed = new Map<ReadonlySet<number>, number>();
  for (const step of steps) if (typeof step === 'object') needed.set(step, (needed.get(step) ?? 0) + 1);
  return [...needed].every(([family, count]) => {
    let there = 0;
    for (const placeholder of family) if (known.has(placeholder)) there++;
    return there >= count;
  });
}
