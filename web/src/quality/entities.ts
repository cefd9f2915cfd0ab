/** Numbers with what belongs to them, addresses, and words with a capital, also several in a row. */
const CANDIDATE = /\S+@\S+\.\S+|[\p{L}#€$£¥-]*\d[\p{L}\d.,:/-]*|\p{Lu}[\p{L}\p{N}’'-]*(?: \p{Lu}[\p{L}\p{N}’'-]*)*/gu;

/**
 * What a summary tells of this conversation and of no other: names, numbers, dates, amounts, addresses. What summaries say in
 * words of their own begins with a capital, too, but does not stand so in the conversation.
 * @returns each once, the longest first
 */
export function sharedEntities(summary: string, transcript: readonly { speaker: string; text: string }[]): string[] {
  const said = transcript.map(({ text }) => text).join('\n');
  const found = new Set<string>();
  for (const [candidate] of summary.matchAll(CANDIDATE)) {
    const entity = candidate.replace(/[.,:;!?'’-]+$/, '');
    const isWord = !/\d|@/.test(entity);
    const begins = isWord && startsSentence(summary, entity);
    if (entity.length < 2 || (begins && !/ /.test(entity) && !midSentence(said, entity))) continue;
    if (said.includes(entity)) found.add(entity);
  }
  return [...found].sort((a, b) => b.length - a.length);
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const startsSentence = (text: string, word: string) => new RegExp(`(^|[.!?]\\s+)${escaped(word)}\\b`, 'u').test(text);
const midSentence = (text: string, word: string) => new RegExp(`[\\p{L},] ${escaped(word)}\\b`, 'u').test(text);

/** A text in pieces, those that are entities marked as such. */
export function markEntities(text: string, entities: readonly string[]): { text: string; isEntity: boolean }[] {
  if (entities.length === 0) return [{ text, isEntity: false }];
  const pattern = new RegExp(`(?<![\\p{L}\\p{N}])(${entities.map(escaped).join('|')})(?![\\p{L}\\p{N}])`, 'gu');
  return text
    .split(pattern)
    .map((part, place) => ({ text: part, isEntity: place % 2 === 1 }))
    .filter((part) => part.text !== '');
}
