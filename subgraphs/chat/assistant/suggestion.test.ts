import { expect, test } from 'vitest';
import { suggested } from './suggestion.ts';
import { product, shopOf } from './testing.ts';
import { wishIn } from './wish.ts';

const stands = ['41', '42', '43', '44'].map((width) =>
  product(`stand-${width}`, `Oak Table Stand, ${width} cm`, 'guards', { description: 'A table stand of oak.' }),
);
const mount = product('mount', 'Walnut Wall Mount, 40 cm', 'guards', { description: 'It screws to the wall.' });
const products = [...stands, mount];

async function suggest(text: string, similarities: readonly number[]) {
  const { vocabulary } = await shopOf(products);
  const hits = products.map(({ id }, place) => ({ productId: id, score: 1, similarity: similarities[place] ?? 0 }));
  const shelf = new Map(products.map((one) => [one.id, one]));
  const { sources } = suggested(wishIn(text, null, vocabulary), hits, shelf, vocabulary);
  return [...new Set(sources.map(({ productId }) => productId))];
}

test('what is near and different is shown before more of the same', async () => {
  const shown = await suggest('where do I put my sword', [0.5, 0.5, 0.5, 0.5, 0.45]);
  expect(shown).toHaveLength(3);
  expect(shown.slice(0, 2)).toEqual(['stand-41', 'mount']);
});

test('rare words of the question count more than a little nearness', async () => {
  expect((await suggest('something that screws to the wall', [0.5, 0.5, 0.5, 0.5, 0.45]))[0]).toBe('mount');
});

test('what is not near is not shown', async () => {
  expect(await suggest('where do I put my sword', [0.2, 0.2, 0.2, 0.2, 0.5])).toEqual(['mount']);
  expect(await suggest('where do I put my sword', [0.2, 0.2, 0.2, 0.2, 0.2])).toEqual([]);
});
