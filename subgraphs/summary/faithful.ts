const PLACEHOLDER = /<[A-Z]+_\d+>/g;
const WORD = /[\p{L}\p{N}][\p{L}\p{N}'’-]*/gu;

/** Words of a text in small letters, each also in the parts that a hyphen or an apostrophe joins. */
export function wordsOf(text: string): Set<string> {
  const words = new Set<string>();
  for (const [word] of text.toLowerCase().matchAll(WORD)) {
    words.add(word);
    for (const part of word.split(/['’-]/)) words.add(part);
  }
  return words;
}

/**
 * What of a text has no ground in what it is a summary of: words, with their numbers and names. Empty when it is faithful.
 * @param text as the model wrote it; what a placeholder stands for was said, so it need not be looked at
 * @param said words of the transcript
 * @param own words that summaries are made of, whatever they are about
 */
export function unfounded(text: string, said: ReadonlySet<string>, own: ReadonlySet<string>): string[] {
  const plain = text.replace(PLACEHOLDER, ' ');
  return [...plain.matchAll(WORD)]
    .map(([word]) => word)
    .filter((word) => {
      const small = word.toLowerCase();
      return !said.has(small) && !own.has(small);
    });
}

/**
 * Numbers, and names inside a sentence, that nobody said.
 * @param text without placeholders
 */
export function inventedNames(text: string, said: ReadonlySet<string>): string[] {
  return [...text.matchAll(WORD)]
    .filter(({ 0: word, index }) => {
      const begins = /(?:^|[.!?:“"]\s*)$/.test(text.slice(0, index));
      return (/\p{N}/u.test(word) || (/^\p{Lu}/u.test(word) && !begins)) && !said.has(word.toLowerCase());
    })
    .map(([word]) => word);
}
