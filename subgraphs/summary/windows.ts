/**
 * Cuts a transcript into parts that a model can read at once. Nothing is left out: a line that is too long goes on in the next
 * part, with its speaker before it.
 * @param lines "Speaker: text"
 * @param most tokens of a part
 * @param count tokens of a text
 */
export function windows(lines: readonly string[], most: number, count: (text: string) => number): string[][] {
  const parts: string[][] = [];
  let part: string[] = [];
  let used = 0;
  for (const line of lines.flatMap((whole) => pieces(whole, most, count))) {
    const tokens = count(line);
    if (used + tokens > most && part.length > 0) {
      parts.push(part);
      part = [];
      used = 0;
    }
    part.push(line);
    used += tokens;
  }
  if (part.length > 0) parts.push(part);
  return parts;
}

/** A line in pieces of at most `most` tokens, cut between words; a word that is longer than that is cut too. */
function pieces(line: string, most: number, count: (text: string) => number): string[] {
  // A character is a token at most, and a placeholder may count for more than what it stands for.
  if (line.length <= most || count(line) <= most) return [line];
  const speaker = /^[^:]{1,100}: /.exec(line)?.[0] ?? '';
  const room = most - count(speaker);
  const made: string[] = [];
  let text = line.slice(speaker.length);
  while (text) {
    let length = Math.min(text.length, room * 4);
    while (length > 1 && count(text.slice(0, length)) > room) length = Math.floor(length * 0.8);
    if (length < text.length) {
      const space = text.lastIndexOf(' ', length);
      if (space > length / 2) length = space;
    }
    made.push(speaker + text.slice(0, length).trim());
    text = text.slice(length).trim();
  }
  return made;
}
