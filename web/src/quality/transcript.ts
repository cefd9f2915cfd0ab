import type { TranscriptTurnInput } from '../graphql/graphql.ts';

/** A conversation as people paste it: "Speaker: what was said", a line without a speaker goes on with the one before. */
export function readTranscript(text: string): TranscriptTurnInput[] {
  const turns: TranscriptTurnInput[] = [];
  for (const line of text.split(/\r?\n/)) {
    const [, speaker, said] = /^\s*([^:]{1,100}?)\s*:(?!\/\/)\s*(.*)$/.exec(line) ?? [];
    const last = turns.at(-1);
    if (speaker && said !== undefined) turns.push({ speaker, text: said.trim() });
    else if (last && line.trim()) last.text = `${last.text}\n${line.trim()}`.trim();
    else if (line.trim()) turns.push({ speaker: 'Customer', text: line.trim() });
  }
  return turns.filter((turn) => turn.text !== '');
}
