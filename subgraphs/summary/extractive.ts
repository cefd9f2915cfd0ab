import type { Digest, TranscriptTurn } from './model.ts';
import { roles } from './prompt.ts';

const MOST_QUOTE = 240;
const SUBSTANTIAL = 4;

/**
 * A summary in the speakers' own words, for a transcript that no model's summary held for: the first thing that the customer
 * said at some length, and the last of the other side. Whether it was settled nobody has judged, so it counts as open.
 */
export function extract(turns: readonly TranscriptTurn[], keyIssue = 'Not classified'): Digest {
  const called = roles(turns.map(({ speaker }) => speaker));
  const customerOf = turns.find(({ speaker }) => called.get(speaker) === 'Customer')?.speaker ?? turns[0]?.speaker;
  const substantial = ({ text }: TranscriptTurn) => text.trim().split(/\s+/).length >= SUBSTANTIAL;
  const mine = turns.filter(({ speaker }) => speaker === customerOf);
  const theirs = turns.filter(({ speaker }) => called.get(speaker) !== called.get(customerOf ?? ''));
  const concern = mine.find(substantial) ?? mine.find(({ text }) => text.trim());
  const answer = theirs.findLast(substantial) ?? theirs.findLast(({ text }) => text.trim());
  return {
    summary: concern ? `The customer wrote: “${quote(concern.text)}”` : 'The customer wrote nothing.',
    keyIssue,
    resolution: answer ? `The last answer was: “${quote(answer.text)}”` : 'Nobody answered.',
    resolved: false,
  };
}

/** The beginning of a text, up to the end of a sentence or a word. */
function quote(text: string): string {
  const whole = text.replace(/\s+/g, ' ').trim();
  if (whole.length <= MOST_QUOTE) return whole;
  const head = whole.slice(0, MOST_QUOTE);
  const stop = Math.max(head.lastIndexOf('. '), head.lastIndexOf('? '), head.lastIndexOf('! '));
  if (stop > MOST_QUOTE / 3) return head.slice(0, stop + 1);
  // Half of a surrogate pair could not be stored.
  return `${head.slice(0, head.lastIndexOf(' ') > 0 ? head.lastIndexOf(' ') : -2).replace(/[\ud800-\udbff]$/, '')}…`;
}
