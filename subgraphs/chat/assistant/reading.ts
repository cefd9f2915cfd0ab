import type { Product } from '../../catalog/model.ts';
import type { Embedder } from '../../kit/embedder.ts';
import { answering, rankPassages } from './evidence.ts';
import { type Finding, facts, nothing, overview } from './extract.ts';
import type { Shelf } from './library.ts';
import { pointingAt } from './names.ts';
import { sentencesOf } from './passages.ts';
import { quotable } from './showing.ts';
import type { Vocabulary } from './vocabulary.ts';
import { fold, stem, tokens } from './words.ts';

const OVERVIEW =
  /\b(tell me (more |something |all |a bit |a little )?about|summari[sz]e|sum .{0,30}up|sum up|(main|key|most important) (things|facts|points|features)|in (short|brief|a nutshell)|the gist|run ?down|essentials|what .{0,15}(need|have|ought) to know about|describe|description|overview|introduce|more (info|information|details))\b|^what (is|are) (it|this|that|these)( product| item)?\W*$/;

/** Whether everything about a product is asked for. */
export const asksForAll = (text: string): boolean => OVERVIEW.test(fold(text));

/**
 * What a product tells on a question, in its own words, or nothing.
 * @param question about the product, whose name it does not hold
 * @param beside products that were found too: what they tell may be what is asked, and then this one does not tell it
 */
export async function readOut(
  embedder: Embedder,
  product: Product,
  question: string,
  beside: Shelf,
  vocabulary: Vocabulary,
  signal: AbortSignal,
): Promise<Finding> {
  const passages = quotable(product);
  if (asksForAll(question)) return overview(product, passages);
  const named = new Set(
    passages.flatMap(({ kind, name }) => (kind === 'attribute' && name ? tokens(name).map(stem) : [])),
  );
  const category = vocabulary.categoryNames.get(product.categoryId) ?? '';
  const evidence = await rankPassages(
    embedder,
    pointingAt(question, { name: product.name, category }, named),
    passages,
    { names: vocabulary.attributeNames, sentences: sentencesBeside(product, beside), values: vocabulary.valueWords },
    signal,
  );
  const { answers, further } = answering(evidence);
  if (answers.length === 0) return nothing(`The catalogue does not say this about ${product.name}.`);
  return facts(product, answers, further);
}

/** What products of the same category say in their descriptions. */
const sentencesBeside = (product: Product, shelf: Shelf): string[] =>
  [...shelf.values()]
    .filter(({ id, categoryId }) => id !== product.id && categoryId === product.categoryId)
    .flatMap(({ description }) => sentencesOf(description));
