import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { createDatabase } from '../../test/support/database.ts';
import { as } from '../../test/support/execute.ts';
import { until } from '../../test/support/small-subgraph.ts';
import { Database } from '../kit/database.ts';
import { HashiraError } from '../kit/errors.ts';
import type { Answers } from './answers.ts';
import { AWAY_NOTICE } from './draft.ts';
import { Places, RateLimit } from './limits.ts';
import type { ChatEvent } from './model.ts';
import { answersOn, Finds, hangs, ids, log, Says, says, source, told } from './testing.ts';

let database: Database;
const first = new Says(says('It is ', '70 cm [2', '].'), 'first-1');
const fallback = new Says(says('The catalogue ', 'says [1].'), 'fallback-1');
let answers: Answers;
const ada = as('ada', 'customer');
const ask = (text = 'How long is it?', clientMessageId: string = randomUUID()) => ({ text, clientMessageId });
const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown) => unhandled.push(reason);

beforeAll(async () => {
  database = await createDatabase('catalog', 'chat');
  process.on('unhandledRejection', onUnhandled);
});
beforeEach(() => {
  first.asked = 0;
  fallback.asked = 0;
  first.script = says('It is ', '70 cm [2', '].');
  fallback.script = says('The catalogue ', 'says [1].');
  answers = answersOn(database, { generators: { first, fallback } });
});
afterEach(() => expect(unhandled).toEqual([]));
afterAll(async () => {
  process.off('unhandledRejection', onUnhandled);
  await database.close();
});

const rows = (conversationId: string | undefined) =>
  database.query<{ role: string; text: string }>(
    'SELECT role, text FROM chat.messages WHERE conversation_id = $1 ORDER BY position',
    [conversationId],
  );
const held = async () => (await database.query('SELECT 1 FROM chat.requests WHERE holder IS NOT NULL')).length;
const away = new HashiraError('CHAT_MODEL_UNAVAILABLE', 'away');

test('an answer is sources, pieces and the whole, which is what is stored', async () => {
  const { events, text, message, conversationId } = await told(answers, ask(), ada);
  expect(events.map(({ type }) => type)).toEqual(['sources', 'delta', 'delta', 'delta', 'completed']);
  expect(events[0]).toMatchObject({ citations: [{ productId: 'p1' }, { productId: 'p2' }] });
  expect(text).toBe('It is 70 cm [1].');
  expect(message).toMatchObject({
    text,
    role: 'ASSISTANT',
    owner: 'ada',
    conversationId,
    citations: [{ productId: 'p2', snippet: 'Blade length: p2 cm', score: 0.5 }],
    model: 'first-1',
    notice: null,
  });
  expect(await rows(conversationId)).toEqual([
    { role: 'USER', text: 'How long is it?' },
    { role: 'ASSISTANT', text },
  ]);
  expect(await held()).toBe(0);
});

test('the conversation so far goes into the research, ten messages of it', async () => {
  const researcher = new Finds([source('p1')]);
  const own = answersOn(database, { generators: { first, fallback }, researcher });
  const begun = await told(own, { ...ask('first'), productId: 'p7' }, ada);
  for (let turn = 0; turn < 5; turn++) {
    await told(own, { ...ask(`turn ${turn}`), conversationId: begun.conversationId }, ada);
  }
  expect(researcher.asked[1]?.history).toEqual([
    { role: 'USER', text: 'first', productIds: [], productId: 'p7' },
    { role: 'ASSISTANT', text: 'It is 70 cm.', productIds: [], productId: null },
  ]);
  const { history } = researcher.asked[5] ?? { history: [] };
  expect(history).toHaveLength(10);
  expect(history[0]?.text).toBe('first');
  await told(own, { ...ask('last'), conversationId: begun.conversationId }, ada);
  expect(researcher.asked[6]?.history[0]?.text).toBe('turn 0');
});

test.each([
  ['no text', { text: '  ' }],
  ['a text too long', { text: 'x'.repeat(2_001) }],
  ['a NUL', { text: 'a\0b' }],
  ['half of a character', { text: 'a\ud83d' }],
  ['no client id', { clientMessageId: '' }],
  ['a client id too long', { clientMessageId: 'x'.repeat(101) }],
  ['a product that cannot be', { productId: '\0' }],
])('%s is told as BAD_USER_INPUT', async (_, wrong) => {
  const { events } = await told(answers, { ...ask(), ...wrong }, ada);
  expect(events).toEqual([
    {
      type: 'failed',
      code: 'BAD_USER_INPUT',
      message: expect.any(String),
      retryable: false,
      retryAfter: null,
      argument: expect.toBeOneOf([null, expect.stringMatching(/^input\./)]),
    },
  ]);
});

test('2,000 characters that are two units each are not too long', async () => {
  expect((await told(answers, ask('\u{1f5e1}'.repeat(2_000)), ada)).message).toBeDefined();
});

// --- once for each id

test('asked again, the same answer comes again and nobody is asked', async () => {
  const question = ask();
  const one = await told(answers, question, ada);
  const again = await told(answers, question, ada);
  expect(again.message).toEqual(one.message);
  expect(again.text).toBe(one.text);
  expect(again.events[0]).toMatchObject({ citations: one.message?.citations });
  expect(again.conversationId).toBe(one.conversationId);
  const known = await told(answers, { ...question, conversationId: one.conversationId }, ada);
  expect(known.message).toEqual(one.message);
  expect(first.asked).toBe(1);
  expect(await rows(one.conversationId)).toHaveLength(2);
});

test('asked at once, here and in another process, it is answered once and all get the answer', async () => {
  const other = answersOn(database, { generators: { first, fallback } });
  const question = ask();
  const all = await Promise.all(
    Array.from({ length: 12 }, (_, index) => told(index % 2 ? answers : other, question, ada)),
  );
  expect(first.asked).toBe(1);
  expect(new Set(all.map(({ message }) => message?.id)).size).toBe(1);
  for (const { text, message } of all) expect(text).toBe(message?.text);
});

test('the same id with another text, product or conversation is a CONFLICT', async () => {
  const question = ask();
  const { conversationId } = await told(answers, question, ada);
  const other = await told(answers, ask(), ada);
  for (const changed of [{ text: 'Other?' }, { productId: 'p1' }, { conversationId: other.conversationId }]) {
    expect((await told(answers, { ...question, ...changed }, ada)).failed?.code).toBe('CONFLICT');
  }
  const within = { ...ask(), conversationId };
  await told(answers, within, ada);
  expect((await told(answers, { ...within, conversationId: null }, ada)).failed?.code).toBe('CONFLICT');
  // Another user's ids are their own.
  expect((await told(answers, { ...question, text: 'Other?' }, as('bob'))).message).toBeDefined();
});

test('who asks again while it is answered waits for the answer, and may leave', async () => {
  let go = () => {};
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  first.script = async function* () {
    yield 'Slowly';
    await gate;
    yield ' said.';
  };
  const question = ask();
  const one = told(answers, question, ada);
  await until(() => first.asked === 1);
  const other = answersOn(database, { generators: { first, fallback } });
  const leaving = new AbortController();
  const waits = told(other, question, ada);
  const leaves = told(other, question, ada, leaving.signal);
  await sleep(900); // longer than a lease: the heartbeat keeps it
  const at = Date.now();
  leaving.abort();
  expect((await leaves).events).toEqual([]);
  expect(Date.now() - at).toBeLessThan(100);
  go();
  expect((await waits).message).toEqual((await one).message);
  expect(first.asked).toBe(1);
});

test('what failed is answered anew, with the question stored once', async () => {
  first.script = says('It is', away);
  const question = ask();
  const failed = await told(answers, question, ada);
  expect(failed.failed).toMatchObject({ code: 'CHAT_MODEL_UNAVAILABLE', retryable: true });
  expect(failed.message).toBeUndefined();
  expect(await rows(failed.conversationId)).toHaveLength(1);
  first.script = says('It is here.');
  const again = await told(answers, question, ada);
  expect(again.conversationId).toBe(failed.conversationId);
  expect(await rows(again.conversationId)).toEqual([
    { role: 'USER', text: question.text },
    { role: 'ASSISTANT', text: 'It is here.' },
  ]);
});

test('an answer whose process died is taken over when its lease ends', async () => {
  const question = ask();
  const dead = answersOn(database, { generators: { first, fallback } });
  first.script = hangs('I die');
  const stream = dead.ask(question, { identity: ada, log });
  await stream.next();
  await database.query(
    "UPDATE chat.requests SET held_until = now() - interval '1 s', process = gen_random_uuid() WHERE holder IS NOT NULL",
  );
  first.script = says('I live.');
  expect((await told(answers, question, ada)).text).toBe('I live.');
  await stream.return();
});

test('a holder that lost its lease stores nothing over the answer of the other', async () => {
  let go = () => {};
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  first.script = async function* () {
    yield 'Late.';
    await gate;
  };
  const question = ask();
  const late = told(answers, question, ada);
  await until(() => first.asked === 1);
  await database.query(
    'UPDATE chat.requests SET holder = gen_random_uuid(), held_until = now() WHERE holder IS NOT NULL',
  );
  first.script = says('In time.');
  const other = await told(answersOn(database, { generators: { first, fallback } }), question, ada);
  go();
  expect((await late).failed).toMatchObject({ code: 'DATABASE_UNAVAILABLE', retryable: true });
  expect((await told(answers, question, ada)).message).toEqual(other.message);
});

test('visitors with a weak id are kept apart, one with a strong id gets the replay', async () => {
  const weak = [await told(answers, ask('Hm?', '1')), await told(answers, ask('Hm?', '1'))];
  expect(weak[0]?.conversationId).not.toBe(weak[1]?.conversationId);
  const question = ask();
  const one = await told(answers, question);
  expect((await told(answers, question)).message).toEqual(one.message);
  const conversationId = ids.shown('conversation', one.conversationId as string, null, null);
  expect((await told(answers, { ...question, conversationId })).message).toEqual(one.message);
  const next = { ...ask('And?', '1'), conversationId };
  const two = await told(answers, next);
  expect((await told(answers, next)).message).toEqual(two.message);
});

test('a conversation that is not the own is not found', async () => {
  const own = await told(answers, ask(), ada);
  const visitors = await told(answers, ask());
  const signed = ids.shown('conversation', visitors.conversationId as string, null, null);
  const wrong: [string | undefined, ReturnType<typeof as> | null][] = [
    [own.conversationId, as('bob', 'customer')],
    [own.conversationId, as('sue', 'support')],
    [own.conversationId, as('adm', 'admin')],
    [own.conversationId, null],
    [visitors.conversationId, null],
    [visitors.conversationId, ada],
    [signed, ada],
    [`${own.conversationId}${signed.slice(36)}`, null],
    [randomUUID(), ada],
    ['nonsense', ada],
  ];
  for (const [conversationId, identity] of wrong) {
    expect((await told(answers, { ...ask(), conversationId }, identity)).failed?.code).toBe('NOT_FOUND');
  }
  expect((await told(answers, { ...ask(), conversationId: signed })).message).toBeDefined();
});

// --- who answers

test('the fallback answers for the first that is away before its first word, and says so', async () => {
  first.script = says('', away);
  const { text, message } = await told(answers, ask(), ada);
  expect(text).toBe('The catalogue says [1].');
  expect(message).toMatchObject({ model: 'fallback-1', notice: AWAY_NOTICE, citations: [{ productId: 'p1' }] });
});

test('where the catalogue has nothing the first is not asked', async () => {
  const own = answersOn(database, { generators: { first, fallback }, researcher: new Finds([]) });
  const { text, message, events } = await told(own, ask(), ada);
  expect(events[0]).toMatchObject({ type: 'sources', citations: [] });
  expect(text).toBe('The catalogue says.');
  expect(message).toMatchObject({ model: 'fallback-1', notice: null, citations: [] });
  expect(first.asked).toBe(0);
});

test.each([
  ['breaks after the first piece', says('It', away), 'CHAT_MODEL_UNAVAILABLE', true],
  ['is blocked', says(new HashiraError('ANSWER_BLOCKED', 'no')), 'ANSWER_BLOCKED', false],
  ['has a bug', says('It', new Error('secret detail')), 'INTERNAL_SERVER_ERROR', false],
])('an answer that %s is told as failed, and nothing of it is stored', async (_, script, code, retryable) => {
  first.script = script;
  const { events, failed, conversationId } = await told(answers, ask(), ada);
  expect(failed).toMatchObject({ code, retryable });
  expect(failed?.message).not.toContain('secret');
  expect(events.at(-1)).toBe(failed);
  expect(await rows(conversationId)).toHaveLength(1);
  expect(fallback.asked).toBe(0);
  expect(await held()).toBe(0);
});

test('an answer without a word is none', async () => {
  first.script = says();
  fallback.script = says(' ', '[9]');
  expect((await told(answers, ask(), ada)).failed?.code).toBe('CHAT_MODEL_UNAVAILABLE');
});

// --- leaving

const lookers: [string, (stream: ReturnType<Answers['ask']>, client: AbortController) => unknown][] = [
  ['return', (stream) => stream.return()],
  ['abort of the client', (_, client) => client.abort()],
];

test.each(lookers)('leaving by %s ends generator and claim within 100 ms', async (_, leave) => {
  first.script = hangs('It');
  const client = new AbortController();
  const stream = answers.ask(ask(), { identity: ada, log, signal: client.signal });
  const events: ChatEvent[] = [];
  const reading = (async () => {
    for await (const event of stream) events.push(event);
  })();
  await until(() => events.length === 2);
  const at = Date.now();
  leave(stream, client);
  expect(first.signal?.aborted).toBe(true);
  await reading;
  await stream.ended;
  expect(Date.now() - at).toBeLessThan(100);
  expect(await held()).toBe(0);
  expect(events.map(({ type }) => type)).toEqual(['sources', 'delta']);
  expect(await stream.next()).toEqual({ done: true, value: undefined });
});

test('leaving before or during the research frees the claim', async () => {
  let signalled = false;
  const researcher = {
    research: (_: unknown, signal: AbortSignal) =>
      new Promise<never>(() => signal.addEventListener('abort', () => (signalled = true))),
  };
  const own = answersOn(database, { generators: { first, fallback }, researcher });
  for (const ms of [0, 1, 3, 10, 100]) {
    const stream = own.ask(ask(), { identity: ada, log });
    const next = stream.next();
    await sleep(ms);
    await stream.return();
    expect(await next).toEqual({ done: true, value: undefined });
    await stream.ended;
  }
  await vi.waitFor(async () => expect(await held()).toBe(0));
  expect(signalled).toBe(true);
  const never = own.ask(ask(), { identity: ada, log, signal: AbortSignal.abort() });
  expect(await never.next()).toEqual({ done: true, value: undefined });
});

test('what was left is answered anew at once', async () => {
  const question = ask();
  first.script = hangs('It');
  const stream = answers.ask(question, { identity: ada, log });
  await stream.next();
  await stream.next();
  await stream.return();
  first.script = says('Here.');
  expect((await told(answers, question, ada)).text).toBe('Here.');
});

test('at the end of the process askers are told, and claims are free', async () => {
  first.script = hangs('It');
  const telling = told(answers, ask(), ada);
  await until(() => first.asked === 1);
  await answers.stop();
  expect((await telling).failed).toMatchObject({ code: 'SHUTTING_DOWN', retryable: true });
  expect(await held()).toBe(0);
});

test('at the end of the process also answers that nobody reads are ended', async () => {
  first.script = says('It', ' is', ' long.');
  const stream = answers.ask(ask(), { identity: ada, log });
  await stream.next();
  await answers.stop();
  await stream.ended;
  expect(await held()).toBe(0);
});

// --- limits and failures

test('more questions than allowed are told when to come again', async () => {
  const own = answersOn(database, { generators: { first, fallback }, rate: new RateLimit(2) });
  for (const user of ['ada', 'bob']) {
    for (let question = 0; question < 2; question++) expect((await told(own, ask(), as(user))).message).toBeDefined();
    expect((await told(own, ask(), as(user))).failed).toMatchObject({
      code: 'RATE_LIMITED',
      retryable: true,
      retryAfter: expect.any(Number),
    });
  }
  const { conversationId } = await told(own, ask());
  const more = { conversationId: ids.shown('conversation', conversationId as string, null, null) };
  for (let question = 0; question < 2; question++) await told(own, { ...ask(), ...more });
  expect((await told(own, { ...ask(), ...more })).failed?.code).toBe('RATE_LIMITED');
  expect((await told(own, ask())).message).toBeDefined();
});

test('more answers at a time than allowed are TOO_BUSY, and a place is free again behind each', async () => {
  const own = answersOn(database, { generators: { first, fallback }, places: new Places(1) });
  first.script = hangs('It');
  const stream = own.ask(ask(), { identity: ada, log });
  await stream.next();
  expect((await told(own, ask(), ada)).failed).toMatchObject({ code: 'TOO_BUSY', retryable: true });
  await stream.return();
  await stream.ended;
  first.script = says('Here.');
  expect((await told(own, ask(), ada)).message).toBeDefined();
});

test('a connection that PostgreSQL cuts in the middle costs nothing', async () => {
  const cut = new Database(database.url, { max: 1, name: 'cut-me' });
  const own = answersOn(cut, { generators: { first, fallback } });
  first.script = async function* () {
    yield 'It is';
    await database.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cut-me'");
    yield ' here.';
  };
  const question = ask();
  const one = await told(own, question, ada);
  first.script = says('It is here.');
  const two = await told(own, question, ada);
  expect([one.failed?.code ?? 'completed', two.text]).toEqual([
    expect.stringMatching(/^(completed|DATABASE_UNAVAILABLE)$/),
    'It is here.',
  ]);
  expect(await rows(two.conversationId)).toHaveLength(2);
  await cut.close();
});

test('a database that is gone at the end makes the answer fail, and a retry has it', async () => {
  let isAway = false;
  const failing = new Proxy(database, {
    get: (target, name) =>
      name === 'query' && isAway
        ? async () => {
            throw new HashiraError('DATABASE_UNAVAILABLE', 'The database cannot be reached. Please try again.');
          }
        : (Reflect.get(target, name).bind?.(target) ?? Reflect.get(target, name)),
  });
  const own = answersOn(failing, { generators: { first, fallback } });
  first.script = async function* () {
    yield 'It is';
    isAway = true;
    yield ' here.';
  };
  const question = ask();
  const failed = await told(own, question, ada);
  expect(failed.failed).toMatchObject({ code: 'DATABASE_UNAVAILABLE', retryable: true });
  expect(failed.text).toBe('It is here.');
  isAway = false;
  expect(await rows(failed.conversationId)).toHaveLength(1);
  first.script = says('It is back.');
  // At once: the lease was not given back, but this process knows that its holder has ended.
  const at = Date.now();
  expect((await told(own, question, ada)).text).toBe('It is back.');
  expect(Date.now() - at).toBeLessThan(400);
});
