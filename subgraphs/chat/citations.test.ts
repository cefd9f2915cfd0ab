import { expect, test } from 'vitest';
import { CitedText } from './citations.ts';

/** A text in pieces as the reader gets it. */
function told(pieces: readonly string[], sources = 5) {
  const cited = new CitedText(sources);
  const deltas = pieces.map((piece) => cited.push(piece));
  deltas.push(cited.end());
  return { text: deltas.join(''), cited: cited.cited, deltas };
}

test.each([
  ['is 70 cm [1].', 'is 70 cm [1].', [1]],
  ['a [3] b [1] c [3]', 'a [1] b [2] c [1]', [3, 1]],
  ['a [4, 2] b', 'a [1, 2] b', [4, 2]],
  ['a [2][4]', 'a [1][2]', [2, 4]],
  ['a [1, 9] b', 'a [1] b', [1]],
  ['a [1, 1] b', 'a [1] b', [1]],
  ['a [9]. b [0]', 'a. b', []],
  ['[9]', '', []],
  ['a [b] [1a] [] b', 'a [b] [1a] [] b', []],
  ['a [1;2] b', 'a [1, 2] b', [1, 2]],
  ['a [ 1 ] b', 'a [1] b', [1]],
  ['a [[1]]', 'a [[1]]', [1]],
])('"%s" is told as "%s", whatever its pieces', (text, expected, cited) => {
  expect(told([text])).toMatchObject({ text: expected, cited });
  expect(told([...text])).toMatchObject({ text: expected, cited });
  for (let cut = 1; cut < text.length; cut++) {
    expect(told([text.slice(0, cut), text.slice(cut)])).toMatchObject({ text: expected, cited });
  }
});

test('only what may be the beginning of a marker is held back', () => {
  expect(told(['The blade', ' is [1', '] long']).deltas).toEqual(['The blade', ' is', ' [1] long', '']);
});

test('what begins like a marker and never ends is told', () => {
  const endless = `[${'1, '.repeat(200)}`;
  expect(told([...endless]).text).toBe(endless);
  expect(told(['a [1']).text).toBe('a [1');
});

test('halves of a character in two pieces become the character, and what cannot be stored is not told', () => {
  expect(told(['a \ud83d', '\ude00 b']).deltas.slice(0, 2)).toEqual(['a', ' \u{1f600} b']);
  expect(told(['a\0b \ud83d']).text).toBe('ab \ufffd');
});
