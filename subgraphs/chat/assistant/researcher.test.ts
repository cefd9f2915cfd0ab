import { beforeAll, describe, expect, test } from 'vitest';
import { SHOP, shopOf } from './testing.ts';

let shop: Awaited<ReturnType<typeof shopOf>>;
beforeAll(async () => {
  shop = await shopOf(SHOP);
});

/** Every statement is cited, and every citation stands in the catalogue. */
function expectGrounded({ extract, sources }: Awaited<ReturnType<typeof shop.ask>>) {
  for (const [, number] of extract.matchAll(/\[(\d+)\]/g)) expect(sources[Number(number) - 1]).toBeDefined();
  for (const { productId, snippet } of sources) {
    const found = SHOP.find(({ id }) => id === productId);
    const told = [found?.description ?? '', ...(found?.attributes ?? []).map(({ name, value }) => `${name}: ${value}`)];
    if (!/^(price|availability): /.test(snippet)) expect(told.some((text) => text.includes(snippet))).toBe(true);
  }
}

describe('about a product', () => {
  test.each([
    ['What is it made of?', 'steel: tamahagane'],
    ['how heavy is it', 'weight: 1,200 g'],
    ['How long is this katana?', 'length: 72 cm'],
    ['how do I look after it?', 'care: oil once a month'],
    ['Does this sword work well with Water Breathing?', 'breathing style: Water'],
    ['How much is it?', 'price: 42,000 JPY'],
    ['is it in sotck', 'availability: in stock'],
    ['How much does this one cost', 'price: 42,000 JPY'],
    ['what sum do you ask for it', 'price: 42,000 JPY'],
    ['I care about the feel, so which steel is it?', 'steel: tamahagane'],
    ['can you tell me its weight pls', 'weight: 1,200 g'],
  ])('under view, "%s" is answered by "%s"', async (question, snippet) => {
    const found = await shop.ask(question, 'aonami');
    expect(found.extract).toContain(snippet);
    expect(found.sources.map((source) => source.snippet)).toContain(snippet);
    expectGrounded(found);
  });

  test('it may be named, also in part, and with a slip', async () => {
    for (const question of ['What is Aonami made of?', 'what steel is the aonmai water katana']) {
      expect((await shop.ask(question)).extract).toContain('tamahagane');
    }
  });

  test('what its description says is quoted', async () => {
    expect((await shop.ask('Can I swing it?', 'aonami')).extract).toContain(
      '“For display only: it is not made to be swung.”',
    );
  });

  test.each([
    'how long is the warranty?',
    'does it have bluetooth?',
    'how many pages does it have',
    'what is its diameter?',
    'who won the world cup?',
  ])('what the catalogue does not tell is refused: %s', async (question) => {
    const { extract, sources } = await shop.ask(question, 'aonami');
    expect(extract).toMatch(/does not say/);
    expect(sources).toEqual([]);
  });

  test.each(['how long is Zanpakuro?', 'is murakumori sharp', 'Zanpakuro – price?'])(
    'what is not sold here is not taken for something that is: %s',
    async (question) => {
      expect(await shop.ask(question)).toMatchObject({ sources: [] });
    },
  );

  test('a product that is not there is an error of the asker', async () => {
    await expect(shop.ask('what is it?', 'gone')).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  });
});

describe('computed from attributes', () => {
  test('two products are compared, and both values told', async () => {
    const found = await shop.ask('Which is heavier, Kirikaze or Aonami?');
    expect(found.extract).toMatch(
      /^Aonami Water Katana is heavier than Kirikaze Flame Katana: weight: 1,200 g \[1\] against weight: 950 g \[2\]/,
    );
    expectGrounded(found);
  });

  test.each(['Compare the price of Kirikaze and Aonami. Which is higher?', 'costs more: Kirikaze / Aonami'])(
    'what they are compared by may be named, and the names set apart by a stroke: %s',
    async (question) => {
      expect((await shop.ask(question)).extract).toMatch(/^Aonami Water Katana is more expensive than Kirikaze/);
    },
  );

  test('one value that is not known is said not to be', async () => {
    expect((await shop.ask('which is heavier, Aonami or Nagare Choji Oil?')).extract).toContain('does not say this');
  });

  test.each([
    ['the lightest katana', 'Kirikaze'],
    ['cheapest water-style katana', 'Hayate'],
    ['longest naginata', 'Shirakaze'],
    ['the cheapest katana in stock', 'Kirikaze'],
    ['I want to buy the lightest katana that you have', 'Kirikaze'],
    ['a katana, and none in the shop should be longer', 'Hayate'],
    ['I must not go beyond 40,000 yen for a water katana', 'Hayate'],
    ['a water katana under 40,000 yen', 'Hayate'],
  ])('"%s" is %s', async (question, name) => {
    const found = await shop.ask(question);
    expect(found.sources[0]?.productName).toContain(name);
    expectGrounded(found);
  });

  test('a limit that nothing keeps to finds nothing', async () => {
    expect(await shop.ask('a katana under 500 yen')).toMatchObject({ sources: [] });
  });
});

describe('for a need', () => {
  test('products that fit are shown', async () => {
    expect((await shop.ask('something to keep my blade from rusting')).sources[0]?.productId).toBe('oil');
  });

  test.each(['do you sell bicycles?', 'frozen pizza', 'asdf qwer zxcv'])('"%s" finds nothing', async (question) => {
    expect(await shop.ask(question)).toMatchObject({ sources: [], extract: expect.stringMatching(/does not have/) });
  });
});

describe('in a conversation', () => {
  test('a question goes on about the product before it', async () => {
    expect((await shop.ask(['What is Aonami made of?', 'and is it heavy?'])).extract).toContain('weight: 1,200 g');
    expect((await shop.ask(['the lightest katana', 'how long is the second one?'])).extract).toContain(
      'Hayate Water Katana: length: 74 cm',
    );
  });

  test('a wish is narrowed down', async () => {
    expect((await shop.ask(['the longest katana', 'and under 30,000 yen?'])).sources[0]?.productId).toBe('kirikaze');
  });

  test('another product takes its place when it is named', async () => {
    expect((await shop.ask(['What is Aonami made of?', 'and what is Kirikaze made of?'])).extract).toContain(
      '1060 carbon steel',
    );
  });
});

describe('against planted instructions', () => {
  test.each(['what is it for?', 'tell me about it', 'is it free?'])(
    'they are neither followed nor quoted: %s',
    async (question) => {
      const found = await shop.ask(question, 'oil');
      expect(JSON.stringify(found.sources)).not.toMatch(/ignore|free/i);
      expect(found.extract).not.toMatch(/ignore|it is free/i);
    },
  );
});
