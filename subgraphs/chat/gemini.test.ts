import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import {
  answer,
  badKey,
  blockedPrompt,
  cut,
  endsWith,
  FakeGemini,
  hang,
  overloaded,
  refusal,
  times,
  tooManyRequests,
} from '../../test/support/fake-gemini.ts';
import { until } from '../../test/support/small-subgraph.ts';
import { HashiraError } from '../kit/errors.ts';
import type { Logger } from '../kit/log.ts';
import { Gemini, type GeminiConfig } from './gemini.ts';
import type { Ask } from './generator.ts';

const KEY = 'AIza"secret-key/1234567890';
let fake: FakeGemini;

beforeAll(async () => {
  fake = await FakeGemini.start({ key: KEY });
});
afterEach(() => {
  fake.reset();
  vi.restoreAllMocks();
});
afterAll(() => fake.stop());

const gemini = (config: Partial<GeminiConfig> = {}, log?: Logger) =>
  new Gemini(
    {
      GEMINI_API_KEY: KEY,
      GEMINI_MODEL: 'gemini-2.5-flash',
      GEMINI_BASE_URL: fake.url,
      GEMINI_TIMEOUT_MS: 5_000,
      GEMINI_RETRIES: 2,
      GEMINI_MAX_INPUT_TOKENS: 6_000,
      GEMINI_MAX_OUTPUT_TOKENS: 800,
      ...config,
    },
    log,
  );

const ask: Ask = {
  question: 'How long is the blade?',
  history: [],
  sources: [{ productId: 'p1', productName: 'Nichirin Katana', snippet: 'Blade length: 70 cm', score: 0.9 }],
  extract: '',
};

/** All that was said, and how it ended. */
async function told(generator: Gemini, signal = new AbortController().signal) {
  const pieces: string[] = [];
  try {
    for await (const piece of generator.generate(ask, signal)) pieces.push(piece);
    return { pieces };
  } catch (error) {
    return { pieces, error };
  }
}

const failed = (code: string) => expect.objectContaining({ code }) as unknown as HashiraError;

test('pieces come in their order, each as soon as it was sent', async () => {
  fake.script(answer(['The blade', ' is 70 cm', ' long [1].'], { everyMs: 80 }));
  const came: { piece: string; at: number }[] = [];
  for await (const piece of gemini().generate(ask, new AbortController().signal)) came.push({ piece, at: Date.now() });
  expect(came.map(({ piece }) => piece)).toEqual(['The blade', ' is 70 cm', ' long [1].']);
  expect((came[2]?.at ?? 0) - (came[0]?.at ?? 0)).toBeGreaterThan(120);
  expect(fake.counts).toMatchObject({ begun: 1, finished: 1, aborted: 0 });
});

test('asks the model of the configuration with the key in a header, the limit and no thinking', async () => {
  expect((await told(gemini({ GEMINI_MAX_OUTPUT_TOKENS: 77 }))).pieces.join('')).toBe(
    'Nichirin Katana: Blade length: 70 cm [1].',
  );
  const [request] = fake.requests;
  expect(request).toMatchObject({ model: 'gemini-2.5-flash', streamed: true, headers: { 'x-goog-api-key': KEY } });
  expect(request?.body.generationConfig).toEqual({
    maxOutputTokens: 77,
    temperature: 0.2,
    thinkingConfig: { thinkingBudget: 0 },
  });
  expect(request?.body.systemInstruction?.parts[0]?.text).toContain('Answer only from this data');
});

test.each([
  ['gemini-2.5-flash', 0],
  ['gemini-2.5-flash-lite', 0],
  ['gemini-2.5-flash-preview-09-2025', 0],
  ['gemini-2.5-pro', undefined],
  ['gemini-2.0-flash', undefined],
  ['gemini-3-flash-preview', undefined],
])('%s has the thinking budget %s', async (model, budget) => {
  const generator = gemini({ GEMINI_MODEL: model });
  expect(await told(generator)).not.toHaveProperty('error');
  expect(generator.model).toBe(model);
  expect(fake.requests[0]?.model).toBe(model);
  expect(fake.requests[0]?.body.generationConfig?.thinkingConfig?.thinkingBudget).toBe(budget);
});

test('an answer keeps its connection for the next one', async () => {
  const generator = gemini();
  await told(generator);
  await sleep(10);
  await told(generator);
  expect(fake.counts).toMatchObject({ begun: 2, finished: 2 });
  expect(fake.connections).toBe(1);
});

test('asks again after 429, waiting longer each time, and answers', async () => {
  fake.script(times(2, tooManyRequests()), answer('It is [1].'));
  expect((await told(gemini())).pieces.join('')).toBe('It is [1].');
  const [first, second, third] = fake.requests.map(({ at }) => at) as [number, number, number];
  expect(second - first).toBeGreaterThanOrEqual(145);
  expect(third - second).toBeGreaterThanOrEqual(295);
});

test('503 to the end is CHAT_MODEL_UNAVAILABLE after as many tries as configured', async () => {
  fake.script(times(9, overloaded()));
  const { pieces, error } = await told(gemini({ GEMINI_RETRIES: 1 }));
  expect(pieces).toEqual([]);
  expect(error).toEqual(failed('CHAT_MODEL_UNAVAILABLE'));
  expect((error as HashiraError).message).toBe('The assistant cannot answer right now. Please try again in a moment.');
  expect(inspect(error)).toContain('The model is overloaded');
  expect(fake.counts.begun).toBe(2);
});

test('no retries means one request', async () => {
  fake.script(times(9, overloaded()));
  expect((await told(gemini({ GEMINI_RETRIES: 0 }))).error).toEqual(failed('CHAT_MODEL_UNAVAILABLE'));
  expect(fake.counts.begun).toBe(1);
});

test.each([
  ['RetryInfo', tooManyRequests({ retryDelay: '0.8s' }), 795],
  ['Retry-After', tooManyRequests({ retryAfter: '1' }), 995],
])('waits as long as %s says', async (_, reply, ms) => {
  fake.script(reply);
  expect(await told(gemini())).not.toHaveProperty('error');
  const [first, second] = fake.requests.map(({ at }) => at) as [number, number];
  expect(second - first).toBeGreaterThanOrEqual(ms);
  expect(second - first).toBeLessThan(ms + 3_000);
});

test('a RetryInfo too long to wait for is not waited for', async () => {
  fake.script(tooManyRequests({ retryDelay: '47s' }));
  expect((await told(gemini())).error).toEqual(failed('CHAT_MODEL_UNAVAILABLE'));
  expect(fake.counts.begun).toBe(1);
});

test.each([
  ['500', refusal(500, 'INTERNAL', 'An internal error has occurred.')],
  ['404', refusal(404, 'NOT_FOUND', 'models/x is not found for API version v1beta')],
  ['a wrong key', badKey()],
])('%s is not asked again', async (_, reply) => {
  fake.script(times(3, reply));
  expect((await told(gemini())).error).toEqual(failed('CHAT_MODEL_UNAVAILABLE'));
  expect(fake.counts.begun).toBe(1);
});

test('asks again when the connection is cut before the first piece', async () => {
  fake.script(cut, endsWith('cut', []), answer('Here [1].'));
  expect((await told(gemini())).pieces.join('')).toBe('Here [1].');
  expect(fake.counts).toMatchObject({ begun: 3, cut: 2, finished: 1 });
});

test('a server that is not there is CHAT_MODEL_UNAVAILABLE with what the operator needs', async () => {
  const gone = await FakeGemini.start();
  const { url } = gone;
  await gone.stop();
  const { error } = await told(gemini({ GEMINI_BASE_URL: url, GEMINI_RETRIES: 1 }));
  expect(error).toEqual(failed('CHAT_MODEL_UNAVAILABLE'));
  expect(inspect(error)).toContain('ECONNREFUSED');
});

test.each([
  ['cut', 'cut'],
  ['that ends without a reason', 'close'],
  ['that ends with a reason unknown', 'OTHER'],
])('a stream %s after the first piece is CHAT_MODEL_UNAVAILABLE, and not begun anew', async (_, end) => {
  fake.script(endsWith(end, ['The blade', ' is'], { everyMs: 20 }));
  const { pieces, error } = await told(gemini());
  expect(pieces).toEqual(['The blade', ' is']);
  expect(error).toEqual(failed('CHAT_MODEL_UNAVAILABLE'));
  expect(fake.counts.begun).toBe(1);
});

test('a prompt that Gemini blocks is ANSWER_BLOCKED with a helpful message', async () => {
  fake.script(blockedPrompt('PROHIBITED_CONTENT'));
  const { pieces, error } = await told(gemini());
  expect(pieces).toEqual([]);
  expect(error).toEqual(failed('ANSWER_BLOCKED'));
  expect((error as HashiraError).message).toMatch(/other words/);
  expect(inspect(error)).toContain('PROHIBITED_CONTENT');
  expect(fake.counts.begun).toBe(1);
});

test.each(['SAFETY', 'RECITATION', 'SPII'])('an answer that Gemini stops for %s is ANSWER_BLOCKED', async (reason) => {
  fake.script(endsWith(reason, ['The blade', ' is']));
  const { pieces, error } = await told(gemini());
  expect(pieces).toEqual(['The blade', ' is']);
  expect(error).toEqual(failed('ANSWER_BLOCKED'));
});

test('an answer that reached the limit stands, with a sign that it goes on', async () => {
  fake.script(endsWith('MAX_TOKENS', ['The blade', ' is of']));
  expect(await told(gemini())).toEqual({ pieces: ['The blade', ' is of', '…'] });
});

test.each(['MAX_TOKENS', 'STOP'])('%s before the first word is no answer', async (reason) => {
  fake.script(endsWith(reason, []));
  const { pieces, error } = await told(gemini());
  expect(pieces).toEqual([]);
  expect(error).toEqual(failed('CHAT_MODEL_UNAVAILABLE'));
});

test.each([
  ['that says nothing', hang],
  ['that says nothing after its headers', endsWith('hang', [])],
  ['that stops in the middle', endsWith('hang', ['The blade'])],
])('a stream %s is ended after the longest wait', async (_, reply) => {
  fake.script(reply);
  const began = Date.now();
  const { error } = await told(gemini({ GEMINI_TIMEOUT_MS: 150 }));
  expect(error).toEqual(failed('CHAT_MODEL_UNAVAILABLE'));
  expect(Date.now() - began).toBeLessThan(3_000);
  await until(() => fake.counts.aborted === 1, 1_000);
  expect(fake.counts.begun).toBe(1);
});

test('the longest wait is for each piece, not for the whole, and not for who reads slowly', async () => {
  fake.script(answer(['a', 'b', 'c', 'd', 'e'], { everyMs: 250 }));
  const pieces: string[] = [];
  for await (const piece of gemini({ GEMINI_TIMEOUT_MS: 800 }).generate(ask, new AbortController().signal)) {
    pieces.push(piece);
    if (piece === 'b') await sleep(1_000);
  }
  expect(pieces.join('')).toBe('abcde');
});

test.each([
  ['before the first piece', hang],
  ['in the middle', endsWith('hang', ['The blade'])],
])('an abort %s ends the request within 100 ms and throws its reason', { retry: 2 }, async (_, reply) => {
  fake.script(reply);
  const leaving = new AbortController();
  const ended = told(gemini(), leaving.signal);
  await until(() => fake.counts.open === 1);
  await sleep(100);
  const at = Date.now();
  leaving.abort(new Error('the shopper left'));
  expect((await ended).error).toBe(leaving.signal.reason);
  await until(() => fake.counts.aborted === 1, 1_000);
  expect((fake.requests[0]?.endedAt ?? Number.NaN) - at).toBeLessThanOrEqual(100);
});

test('an abort during the wait for another try ends it at once', { retry: 2 }, async () => {
  fake.script(tooManyRequests({ retryDelay: '4s' }));
  const leaving = new AbortController();
  const ended = told(gemini(), leaving.signal);
  await until(() => fake.counts.finished === 1);
  const at = Date.now();
  leaving.abort();
  expect((await ended).error).toBe(leaving.signal.reason);
  expect(Date.now() - at).toBeLessThan(100);
  expect(fake.counts.begun).toBe(1);
});

test('who has left before is not asked for', async () => {
  expect((await told(gemini(), AbortSignal.abort('gone'))).error).toBe('gone');
  expect(fake.counts.begun).toBe(0);
});

test('a reader that stops reading ends the request', async () => {
  fake.script(endsWith('hang', ['The blade', ' is']));
  for await (const _ of gemini().generate(ask, new AbortController().signal)) break;
  await until(() => fake.counts.aborted === 1, 1_000);
});

test('the signal of a long life keeps no listener of an answer that ended', async () => {
  const { signal } = new AbortController();
  const added = vi.spyOn(signal, 'addEventListener');
  const removed = vi.spyOn(signal, 'removeEventListener');
  fake.script(overloaded());
  await told(gemini(), signal);
  expect(removed.mock.calls.length).toBeGreaterThanOrEqual(
    added.mock.calls.filter(([type]) => type === 'abort').length,
  );
});

test.each([
  [
    'a server that repeats it',
    refusal(503, 'UNAVAILABLE', `API key ${KEY} is busy, ${encodeURIComponent(KEY)}`),
    `${KEY} `,
  ],
  ['a client that cannot send it', answer('x'), `${KEY}\nx`],
])('the key is in no error and no log for %s', async (_, reply, key) => {
  fake.script(times(2, reply));
  const printed = vi.spyOn(console, 'warn');
  const log = { warn: vi.fn(), debug: vi.fn() };
  const { error } = await told(gemini({ GEMINI_API_KEY: key, GEMINI_RETRIES: 1 }, log as unknown as Logger));
  expect(error).toEqual(failed('CHAT_MODEL_UNAVAILABLE'));
  const logged = JSON.stringify([printed.mock.calls, log.warn.mock.calls, log.debug.mock.calls]);
  const shown = inspect(error, { depth: 10, showHidden: true }) + logged;
  expect(shown).toContain('[key]');
  expect(shown).not.toContain('secret');
});

test('a redirect is not followed: it would carry the key away', async () => {
  const other = await FakeGemini.start();
  fake.script(
    refusal(307, 'MOVED', 'elsewhere', [], { location: `${other.url}/v1beta/models/m:streamGenerateContent` }),
  );
  expect((await told(gemini({ GEMINI_RETRIES: 0 }))).error).toEqual(failed('CHAT_MODEL_UNAVAILABLE'));
  expect(other.counts.begun).toBe(0);
  await other.stop();
});

test('the budget of the configuration bounds what is sent', async () => {
  const long: Ask = {
    ...ask,
    history: [{ role: 'USER', text: 'x'.repeat(8_000) }],
    sources: [...ask.sources, { productId: 'p2', productName: 'Other', snippet: 'y'.repeat(8_000), score: 0.1 }],
  };
  for await (const _ of gemini({ GEMINI_MAX_INPUT_TOKENS: 1_000 }).generate(long, new AbortController().signal));
  const { contents, systemInstruction } = fake.requests[0]?.body ?? {};
  const sent = JSON.stringify([contents, systemInstruction]);
  expect(sent.length / 4).toBeLessThan(1_100);
  expect(sent).toContain('How long is the blade?');
  expect(sent).toContain('70 cm');
});

test('many answers at a time are kept apart', async () => {
  const generator = gemini();
  const answers = await Promise.all(Array.from({ length: 100 }, () => told(generator)));
  expect(new Set(answers.map(({ pieces }) => pieces.join('')))).toEqual(
    new Set(['Nichirin Katana: Blade length: 70 cm [1].']),
  );
  expect(fake.counts).toMatchObject({ begun: 100, finished: 100 });
});

test('what Gemini counted, and which prompt asked, is told to the log', async () => {
  const log = { warn: vi.fn(), debug: vi.fn() };
  await told(gemini({}, log as unknown as Logger));
  expect(log.debug.mock.calls).toEqual([
    [
      expect.objectContaining({ prompt: 'answer.v1', finish: 'STOP', usage: expect.objectContaining({}) }),
      'Gemini answered',
    ],
  ]);
});

test('the fake answers without a stream too, and refuses what the vendor would', async () => {
  const post = async (body: unknown, headers: Record<string, string> = { 'x-goog-api-key': KEY }) => {
    const url = `${fake.url}/v1beta/models/gemini-2.5-flash:generateContent`;
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
    return { status: response.status, body: await response.json() };
  };
  const contents = [{ role: 'user', parts: [{ text: '{"source":1,"product":"Tanto","text":"Sharp."}' }] }];
  expect((await post({ contents })).body).toMatchObject({
    candidates: [
      { content: { role: 'model', parts: [{ text: 'Tanto: Sharp [1].' }] }, finishReason: 'STOP', index: 0 },
    ],
    modelVersion: 'gemini-2.5-flash',
  });
  expect(await post({ contents }, {})).toMatchObject({ status: 403, body: { error: { status: 'PERMISSION_DENIED' } } });
  expect(await post({ contents }, { 'x-goog-api-key': 'other' })).toMatchObject({
    status: 400,
    body: { error: { details: [{ reason: 'API_KEY_INVALID' }] } },
  });
  expect((await post({ contents: [] })).status).toBe(400);
  expect((await post({ contents: [{ role: 'system', parts: [{ text: 'x' }] }] })).status).toBe(400);
  expect((await post({ contents, thinking: true })).status).toBe(400);
});
