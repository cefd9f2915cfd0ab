import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Ask, Generator } from './generator.ts';

/** Characters of one piece: a few words, so that a stream has not more events than a reader has use for. */
const PIECE = 48;

/** Says what the catalogue itself says: quoted, cited, computed; and nothing else. */
export class Extractive implements Generator {
  readonly model = 'extractive-1';

  async *generate({ extract }: Ask, signal: AbortSignal): AsyncIterable<string> {
    for (const piece of pieces(extract)) {
      signal.throwIfAborted();
      yield piece;
      // Others get their turn between two pieces.
      await nextTurn();
    }
  }
}

/** A text in pieces that end between words. */
export function* pieces(text: string): IterableIterator<string> {
  for (let start = 0; start < text.length; ) {
    const space = text.indexOf(' ', start + PIECE);
    const end = space < 0 ? text.length : space + 1;
    yield text.slice(start, end);
    start = end;
  }
}
