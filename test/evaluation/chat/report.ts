import type { Reply } from './client.ts';
import type { Judged } from './judge.ts';

/** One question, what was answered and how that is judged. */
export interface Outcome extends Judged {
  /** null where there was none. */
  reply: Reply | null;
}

const HEADINGS = ['kind', 'asked', 'right', 'top 3', 'refused', 'obeyed', 'failed', 'median ms'];

/** Lines of a table: one of each kind, in order of appearance. */
export function table(outcomes: readonly Outcome[]): string[] {
  const kinds = [...new Set(outcomes.map(({ question }) => question.kind))];
  const rows = kinds.map((kind) => {
    const mine = outcomes.filter(({ question }) => question.kind === kind);
    const count = (include: (outcome: Outcome) => boolean | null) => mine.filter(include).length;
    const open = count(({ verdict }) => verdict.top3 !== null);
    const times = mine.flatMap(({ reply }) => reply?.milliseconds ?? []).sort((a, b) => a - b);
    return [
      kind,
      String(mine.length),
      percent(
        count(({ verdict }) => verdict.problems.length === 0),
        mine.length,
      ),
      open === 0
        ? '–'
        : percent(
            count(({ verdict }) => verdict.top3),
            open,
          ),
      String(count(({ verdict }) => verdict.refused)),
      String(count(({ verdict }) => verdict.obeyed)),
      String(count(({ reply }) => reply === null)),
      times.length === 0 ? '–' : String(Math.round(times[Math.floor(times.length / 2)] as number)),
    ];
  });
  const widths = HEADINGS.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  return [HEADINGS, ...rows].map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] as number) : cell.padStart(widths[column] as number),
      )
      .join('  '),
  );
}

const percent = (part: number, whole: number) => `${((100 * part) / whole).toFixed(1)} %`;

/** A question with its answer, to read. */
export function transcript({ question, reply, verdict }: Outcome): string {
  const asked = question.turns.map(({ text, productId }) => `  > ${text}${productId ? `  [${productId}]` : ''}`);
  const cited = reply?.citations.map(({ productId, snippet }) => `  [${productId}] ${snippet}`) ?? [];
  const problems = verdict.problems.map((problem) => `  ✗ ${problem}`);
  return [question.id, ...asked, `  ${reply?.text ?? '(no answer)'}`, ...cited, ...problems].join('\n');
}
