/** `[1]`, `[1, 3]`, with the blanks before: they go with a marker that goes. */
const MARKER = /([ \t]{0,8})\[\s{0,4}(\d{1,6}(?:\s{0,4}[,;]\s{0,4}\d{1,6}){0,20})\s{0,4}\]/g;
const BEGUN = /^\[[\d\s,;]*$/;
/** A marker is not waited for longer than so many characters. */
const MAX_HELD = 80;

/**
 * The text of an answer as the reader gets it, made of its pieces. Markers cite sources by number; those that name no source go,
 * the others are numbered anew in the order in which they first appear, so that `[n]` is the nth citation of the message.
 * A marker, or half of a character, that a piece ends in is held back until the rest is here.
 */
export class CitedText {
  private held = '';
  private readonly numbers = new Map<number, number>();

  /** @param sources how many there are; their numbers begin with 1 */
  constructor(private readonly sources: number) {}

  /** The next of the text; empty when all of it must wait. */
  push(piece: string): string {
    const text = this.held + piece;
    const end = sureEnd(text);
    this.held = text.slice(end);
    return this.resolved(text.slice(0, end));
  }

  /** The rest. */
  end(): string {
    const rest = this.held;
    this.held = '';
    return this.resolved(rest);
  }

  /** The numbers of the sources that are cited, in the order of their new numbers. */
  get cited(): number[] {
    return [...this.numbers.keys()];
  }

  private resolved(text: string): string {
    // What no database keeps must not be told either: the stored text is what was told.
    return text
      .replaceAll('\0', '')
      .toWellFormed()
      .replace(MARKER, (_, blanks: string, list: string) => {
        const numbers = list
          .split(/[,;]/)
          .map(Number)
          .filter((number) => number >= 1 && number <= this.sources);
        if (numbers.length === 0) return '';
        return `${blanks}[${[...new Set(numbers.map((number) => this.renumbered(number)))].join(', ')}]`;
      });
  }

  private renumbered(source: number): number {
    const number = this.numbers.get(source) ?? this.numbers.size + 1;
    this.numbers.set(source, number);
    return number;
  }
}

/** Up to where nothing that follows can change what is there. */
function sureEnd(text: string): number {
  let end = text.length;
  if (/[\ud800-\udbff]$/.test(text.slice(-1))) end--;
  const open = text.lastIndexOf('[', end - 1);
  if (open >= 0 && end - open <= MAX_HELD && BEGUN.test(text.slice(open, end))) end = open;
  const least = Math.max(0, text.length - 2 * MAX_HELD);
  while (end > least && (text[end - 1] === ' ' || text[end - 1] === '\t')) end--;
  return end;
}
