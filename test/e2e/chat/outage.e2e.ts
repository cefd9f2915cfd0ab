import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, createClient } from 'graphql-ws';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { type QuestionSet, type Shop, startShop } from '../../evaluation/chat/shop.ts';
import { answer, endsWith, FakeGemini } from '../../support/fake-gemini.ts';

/** The real assistant on a real shop, whose Chroma, PostgreSQL and model go away and come back. */
const SET: QuestionSet = {
  categories: [{ id: 'swords', name: 'Swords', parentId: null }],
  products: ['Aonami', 'Kirikaze', 'Hayate'].map((name, place) => ({
    id: name.toLowerCase(),
    sku: name,
    name: `${name} Katana`,
    description: `${name} is made for display.`,
    price: 10_000 + place,
    currency: 'JPY',
    categoryId: 'swords',
    stock: 3,
    attributes: [
      { name: 'steel', value: place === 0 ? 'tamahagane' : '1060 carbon steel' },
      { name: 'weight', value: `${1_000 + place} g` },
    ],
  })),
  questions: [],
};
const CHAT = `subscription($input: ChatInput!) { chat(input: $input) {
  __typename
  ... on ChatDelta { text }
  ... on ChatCompleted { message { text model notice } }
  ... on ChatFailed { code retryable }
} }`;

interface Event {
  __typename: string;
  text?: string;
  message?: { text: string; model: string; notice: string | null };
  code?: string;
  retryable?: boolean;
}

const resources = new AsyncDisposableStack();
let shop: Shop;
let gemini: FakeGemini;
const clients: Record<'extractive' | 'gemini', Client> = {} as never;

beforeAll(async () => {
  shop = await startShop(SET, resources);
  gemini = await FakeGemini.start();
  resources.defer(() => gemini.stop());
  const urls = {
    extractive: shop.url,
    gemini: await shop.again({ GEMINI_API_KEY: 'any', GEMINI_BASE_URL: gemini.url }),
  };
  for (const name of ['extractive', 'gemini'] as const) {
    const url = urls[name].replace('http', 'ws');
    clients[name] = createClient({ url, webSocketImpl: WebSocket, retryAttempts: 0 });
    resources.defer(async () => clients[name].dispose());
  }
});
beforeEach(() => gemini.reset());
afterAll(() => resources.disposeAsync());

let asked = 0;
const question = () => ({ clientMessageId: `outage-${Date.now()}-${asked++}`, text: 'What is Aonami made of?' });

/** @param during called once, when the first piece has come */
async function ask(client: Client, input: object = question(), during?: () => Promise<void>): Promise<Event[]> {
  const events: Event[] = [];
  for await (const { data } of client.iterate<{ chat: Event }>({ query: CHAT, variables: { input } })) {
    if (!data) continue;
    events.push(data.chat);
    if (data.chat.__typename !== 'ChatDelta' || !during) continue;
    const now = during;
    during = undefined;
    await now();
  }
  return events;
}
const slowly = () =>
  answer(
    Array.from({ length: 40 }, (_, n) => `word ${n} `),
    { everyMs: 50 },
  );

test('without Chroma there is a failure that may be tried again, and with it there is an answer', async () => {
  expect((await ask(clients.extractive)).at(-1)).toMatchObject({
    message: { text: expect.stringContaining('tamahagane') },
  });
  await shop.chroma.kill('SIGKILL');
  const retried = question();
  expect((await ask(clients.extractive, retried)).at(-1)).toEqual({
    __typename: 'ChatFailed',
    code: 'VECTORS_UNAVAILABLE',
    retryable: true,
  });
  await shop.chroma.again();
  expect((await ask(clients.extractive, retried)).at(-1)).toMatchObject({
    message: { text: expect.stringContaining('tamahagane') },
  });
});

test('a model that breaks off in its answer is a failure, one that never begins is replaced by an extract', async () => {
  gemini.script(endsWith('cut', ['The steel ', 'is '], { everyMs: 50 }));
  expect((await ask(clients.gemini)).at(-1)).toEqual({
    __typename: 'ChatFailed',
    code: 'CHAT_MODEL_UNAVAILABLE',
    retryable: true,
  });
  gemini.script({ status: 500, error: { code: 500, message: 'broken', status: 'INTERNAL' } });
  expect((await ask(clients.gemini)).at(-1)).toMatchObject({
    message: { model: 'extractive-1', text: expect.stringContaining('tamahagane'), notice: expect.any(String) },
  });
  expect((await ask(clients.gemini)).at(-1)).toMatchObject({
    message: { model: expect.stringMatching(/^gemini/), notice: null },
  });
});

test('PostgreSQL that dies while an answer is written is a failure, and afterwards the same question is answered', async () => {
  const retried = question();
  gemini.script(slowly());
  const events = await ask(clients.gemini, retried, () => shop.postgres.stop());
  expect(events.at(-1)).toEqual({ __typename: 'ChatFailed', code: 'DATABASE_UNAVAILABLE', retryable: true });
  await shop.postgres.again();
  await vi.waitFor(async () => {
    expect((await ask(clients.gemini, retried)).at(-1)).toMatchObject({ __typename: 'ChatCompleted' });
  }, 20_000);
});

test('who leaves ends the call of the model within 100 ms', async () => {
  gemini.script(slowly());
  const stream = clients.gemini.iterate<{ chat: Event }>({ query: CHAT, variables: { input: question() } });
  for await (const { data } of stream) if (data?.chat.__typename === 'ChatDelta') break;
  const left = Date.now();
  const request = gemini.requests.at(-1);
  for (const end = left + 2_000; request?.state === 'open' && Date.now() < end; ) await sleep(5);
  expect(request?.state).toBe('aborted');
  expect((request?.endedAt ?? Number.POSITIVE_INFINITY) - left).toBeLessThanOrEqual(100);
});
