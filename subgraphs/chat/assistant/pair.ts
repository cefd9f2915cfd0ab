import type { Product } from '../../catalog/model.ts';
import type { Embedder } from '../../kit/embedder.ts';
import { aspectsOfName } from './aspects.ts';
import { answering, rankPassages } from './evidence.ts';
import { comparison, differences, type Finding, listing, nothing } from './extract.ts';
import type { Extreme } from './extremes.ts';
import { withoutName } from './names.ts';
import { quantities } from './quantity.ts';
import { quotable } from './showing.ts';
import { fold, stems } from './words.ts';

const DIFFERENCES = /\b(compare[ds]?|comparison|differences?|differ)\b/;

/**
 * What a question about two products asks: which has more, in what they differ, or a fact of both.
 * @param extreme by what they are compared, where the question says so
 */
export async function compared(
  embedder: Embedder,
  text: string,
  extreme: Extreme | null,
  pair: readonly [Product, Product],
  signal: AbortSignal,
): Promise<Finding> {
  // "Compare the page count. Which is higher?" says by what; the adjective alone does not.
  const named = namedMeasure(
    pair.reduce((rest, { name }) => withoutName(rest, name), text),
    pair,
  );
  for (const by of [named && measuring(named, text), extreme]) {
    const found = by && comparison(by, pair);
    if (found && (by === extreme || found.sources.length === 2) && found.sources.length > 0) return found;
  }
  if (DIFFERENCES.test(fold(text))) return differences(pair, quotable);
  const question = pair.reduce((rest, { name }) => withoutName(rest, name), text);
  const sides = await Promise.all(
    pair.map(async (product) => {
      const evidence = await rankPassages(embedder, question, quotable(product), undefined, signal);
      return { product, evidence, answers: answering(evidence).answers };
    }),
  );
  // What is asked about is measured in both: then that is what they are compared by.
  const [best] = sides.flatMap(({ evidence }) => evidence.ranked.slice(0, 1)).sort((a, b) => b.score - a.score);
  const by = best && measuring(best.passage.name, text);
  const found = by && comparison(by, pair);
  if (found && found.sources.length === 2) return found;
  const telling = sides.filter(({ answers }) => answers.length > 0);
  if (telling.length === 0)
    return nothing(`The catalogue does not say this about ${pair[0].name} and ${pair[1].name}.`);
  return listing(
    '',
    telling.map(({ product, answers }) => ({
      product,
      passages: answers.slice(0, 1).map(({ passage }) => passage),
      score: answers[0]?.score ?? 0,
    })),
  );
}

/** The attribute of both products that a question names. */
function namedMeasure(question: string, [one, other]: readonly [Product, Product]): string | null {
  const said = new Set(stems(question));
  const theirs = new Set(quotable(other).map(({ name }) => name));
  const named = quotable(one).flatMap(({ name, value }) => {
    const words = stems(name ?? '');
    const measured = name === 'price' || quantities(value).length > 0;
    return name && measured && theirs.has(name) && words.length > 0 && words.every((word) => said.has(word))
      ? [{ name, words: words.length }]
      : [];
  });
  return named.sort((a, b) => b.words - a.words)[0]?.name ?? null;
}

const LESS =
  /\b(less|least|lower|lowest|fewer|fewest|smaller|smallest|cheap\w*|light\w*|short\w*|thin\w*|narrow\w*|minimum|under)\b/;

/** A comparison by the attribute of this name. */
function measuring(name: string | null, question: string): Extreme | null {
  const noun = stems(name ?? '').at(-1);
  if (noun === undefined) return null;
  const aspect = aspectsOfName(name ?? '').find(({ id }) => id === noun || id === 'price' || id === 'load') ?? null;
  const folded = fold(question);
  return { aspect, noun: aspect ? null : noun, more: !LESS.test(folded), said: new Set(stems(question)), word: 'more' };
}
