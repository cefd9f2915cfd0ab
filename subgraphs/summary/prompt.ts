import type { TranscriptTurn } from './model.ts';

/** How a speaker is called before the model, by what the label says. Mirrors ml/summarizer/examples.py. */
const CUSTOMER =
  /customer|client|user|guest|shopper|visitor|buyer|purchaser|caller|consumer|member|enquirer|kund|cliente?|\bme\b|\byou\b/i;
const AGENT =
  /agent|support|assistant|\bbot\b|advis|represent|\brep\b|staff|service|help|operator|\bteam\b|\bshop\b|\bstore\b|seller|\bcare\b|relations|desk\b/i;

function role(label: string): string | null {
  if (AGENT.test(label)) return 'Agent';
  return CUSTOMER.test(label) ? 'Customer' : null;
}

/** What each speaker is called. Where one of two is known, the other one is the other; several agents may serve one customer. */
export function roles(labels: readonly string[]): Map<string, string> {
  const distinct = [...new Set(labels)];
  const called = new Map<string, string>();
  for (const label of distinct) {
    const known = role(label);
    if (known) called.set(label, known);
  }
  const rest = distinct.filter((label) => !called.has(label));
  const kinds = new Set(called.values());
  if (kinds.size === 1 && rest.length > 0) {
    const other = kinds.has('Customer') ? 'Agent' : 'Customer';
    if (other === 'Agent' || rest.length === 1) for (const label of rest) called.set(label, other);
  }
  return new Map(distinct.map((label) => [label, called.get(label) ?? label]));
}

/** A transcript as lines of "Customer: text", one a turn. */
export function lines(turns: readonly TranscriptTurn[]): string[] {
  const called = roles(turns.map(({ speaker }) => speaker));
  return turns.map(({ speaker, text }) => `${called.get(speaker)}: ${text.replace(/\s+/g, ' ').trim()}`);
}

/** What a model wrote, in parts; null where it is not of the form that it was trained to write. */
export interface Draft {
  issue: string;
  summary: string;
  resolution: string;
  resolved: boolean;
}

const FORM =
  /^<ISSUE>([^<>]+)<SUMMARY>((?:[^<>]|<[A-Z]+_\d+>)+)<RESOLUTION>((?:[^<>]|<[A-Z]+_\d+>)+)<(RESOLVED|OPEN)>$/;

/** @param issues the labels that the model was trained on, by their small letters */
export function parse(text: string, issues: ReadonlyMap<string, string>): Draft | null {
  const match = FORM.exec(text.trim());
  if (!match) return null;
  const [, issue, summary, resolution, flag] = match.map((part) => part.trim()) as [
    string,
    string,
    string,
    string,
    string,
  ];
  const label = issues.get(issue.toLowerCase());
  return label === undefined || !summary || !resolution
    ? null
    : { issue: label, summary: sentence(summary), resolution: sentence(resolution), resolved: flag === 'RESOLVED' };
}

/** As it is written: a capital at the beginning, no space before a full stop. */
const sentence = (text: string): string => {
  const tidy = text
    .replace(/ +([.,;:!?%)])/g, '$1')
    .replace(/\( +/g, '(')
    .replace(/ +/g, ' ');
  return tidy.charAt(0).toUpperCase() + tidy.slice(1);
};
