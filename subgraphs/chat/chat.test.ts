import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { graphql } from 'graphql';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase } from '../../test/support/database.ts';
import { as, SubgraphUnderTest } from '../../test/support/execute.ts';
import type { Identity } from '../kit/auth.ts';
import { loadConfig } from '../kit/config.ts';
import type { Database } from '../kit/database.ts';
import { HashiraError } from '../kit/errors.ts';
import { formatError } from '../kit/format-error.ts';
import { createRegistry } from '../kit/registry.ts';
import { chatWith } from './index.ts';
import { Finds, log, Says, says, source } from './testing.ts';

let database: Database;
let chat: SubgraphUnderTest;
const first = new Says(says('It is 70 cm [2]. Not 80 [1].'), 'first-1');
const subgraph = chatWith({
  researcher: new Finds([source('p1'), source('p2'), source('gone')]),
  generators: { first, fallback: new Says(says('Quoted [1].'), 'fallback-1') },
});

beforeAll(async () => {
  database = await createDatabase('catalog', 'chat');
  await database.query("INSERT INTO catalog.categories (id, name, source) VALUES ('c', 'Swords', 'imported')");
  for (const id of ['p1', 'p2']) {
    await database.query(
      `INSERT INTO catalog.products (id, sku, name, description, price, currency, category_id, created_at, source)
       VALUES ($1, $1, $1, '', 1, 'JPY', 'c', now(), 'imported')`,
      [id],
    );
  }
  chat = await SubgraphUnderTest.start(subgraph, database);
});
afterAll(async () => {
  await chat.stop();
  await database.close();
});

const ada = as('ada', 'customer');
const bob = as('bob', 'customer');
const support = as('sue', 'support');
const admin = as('adm', 'admin');

const SEND = `mutation ($input: ChatInput!) { sendMessage(input: $input) {
  id conversationId role text model notice feedback feedbackReason createdAt citations { product { id } snippet score number } } }`;
const READ = `query ($id: ID!, $first: Int, $after: String) { conversation(id: $id) { id createdAt messages(first: $first, after: $after) {
  edges { cursor node { id conversationId role text } } pageInfo { hasNextPage hasPreviousPage endCursor } } } }`;
const RATE = `mutation ($id: ID!, $feedback: Feedback!, $reason: String) {
  rateMessage(id: $id, feedback: $feedback, reason: $reason) { id feedback feedbackReason } }`;

async function send(identity: Identity | null, more: Record<string, unknown> = {}) {
  const input = { text: 'How long?', clientMessageId: randomUUID(), ...more };
  const { data, errors } = await chat.execute(SEND, { input }, identity);
  expect(errors).toEqual([]);
  return data.sendMessage;
}

test('an answer in one piece', async () => {
  expect(await send(ada)).toEqual({
    id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    conversationId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    role: 'ASSISTANT',
    text: 'It is 70 cm [1]. Not 80 [2].',
    model: 'first-1',
    notice: null,
    feedback: null,
    feedbackReason: null,
    createdAt: expect.stringMatching(/^2\d{3}-.*Z$/),
    citations: [
      { product: { id: 'p2' }, snippet: 'Blade length: p2 cm', score: 0.5, number: 1 },
      { product: { id: 'p1' }, snippet: 'Blade length: p1 cm', score: 0.5, number: 2 },
    ],
  });
});

test('what goes wrong is thrown with its code', async () => {
  const { errors } = await chat.execute(SEND, { input: { text: ' ', clientMessageId: '1' } }, ada);
  expect(errors).toMatchObject([{ code: 'BAD_USER_INPUT', path: 'sendMessage' }]);
  const { script } = first;
  first.script = says(new HashiraError('ANSWER_BLOCKED', 'Please ask in other words.'));
  const blocked = await chat.execute(SEND, { input: { text: 'x', clientMessageId: '1' } }, ada);
  expect(blocked.errors).toMatchObject([{ code: 'ANSWER_BLOCKED', message: 'Please ask in other words.' }]);
  first.script = script;
});

test('what goes wrong is logged once, and the error names the argument', async () => {
  const config = loadConfig({});
  const lines: string[] = [];
  const own = pino({ level: 'debug' }, { write: (line: string) => lines.push(line) });
  const broken = chatWith({
    researcher: new Finds([source('p1')]),
    generators: { first: new Says(says('It', new Error('secret detail'))), fallback: new Says(says('Quoted.')) },
  });
  const { schema } = await broken.schema();
  const running = await broken.start({ config, database, log: own, registry: createRegistry(config) });
  const ask = async (text: string) => {
    const { errors = [] } = await graphql({
      schema,
      source: SEND,
      variableValues: { input: { text, clientMessageId: randomUUID() } },
      contextValue: running.context({ identity: ada, requestId: 'test', log: own }),
    });
    return errors.map((error) => formatError(error, own).extensions);
  };
  for (const text of ['a\0b', ' ', 'x'.repeat(2_001)])
    expect(await ask(text)).toEqual([{ code: 'BAD_USER_INPUT', argument: 'input.text' }]);
  lines.length = 0;
  expect(await ask('x')).toEqual([{ code: 'INTERNAL_SERVER_ERROR' }]);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('secret detail');
  await running.stop?.();
});

test('who asked too often is told in the error how long to wait', async () => {
  const strict = await subgraph.start({
    config: loadConfig({ CHAT_RATE_LIMIT_PER_MINUTE: '1' }),
    database,
    log,
    registry: createRegistry(loadConfig({})),
  });
  const { schema } = await subgraph.schema();
  const ask = () =>
    graphql({
      schema,
      source: SEND,
      variableValues: { input: { text: 'x', clientMessageId: randomUUID() } },
      contextValue: strict.context({ identity: as('often'), requestId: 'test', log }),
    });
  expect((await ask()).errors).toBeUndefined();
  expect((await ask()).errors?.[0]?.extensions).toEqual({ code: 'RATE_LIMITED', retryAfter: 60 });
  await strict.stop?.();
});

test('citations of products that the catalogue has no longer are left out, found by one statement', async () => {
  const { script } = first;
  first.script = says('[3] [1] [2]');
  const before = database.statements;
  const { text, citations } = await send(ada);
  // The text says [1] of what is gone; the others keep their numbers.
  expect(text).toBe('[1] [2] [3]');
  expect(
    citations.map(({ product, number }: { product: { id: string }; number: number }) => [product.id, number]),
  ).toEqual([
    ['p1', 2],
    ['p2', 3],
  ]);
  // The request, the question, its history, the answer; and the products of all citations.
  expect(database.statements - before).toBe(5);
  first.script = script;
});

test('a conversation is read by its owner, support and admins', async () => {
  const { conversationId } = await send(ada);
  for (const [identity, reads] of [
    [ada, true],
    [support, true],
    [admin, true],
    [bob, false],
    [as('ana', 'analyst'), false],
    [null, false],
  ] as const) {
    const { data, errors } = await chat.execute(READ, { id: conversationId }, identity);
    expect(errors).toEqual([]);
    expect(data.conversation?.id ?? null).toBe(reads ? conversationId : null);
    const entity = await chat.entities('Conversation', [conversationId, randomUUID()], '{ id }', identity);
    expect(entity.data._entities).toEqual([reads ? { id: conversationId } : null, null]);
  }
});

test("a visitor's conversation is read with its signed id, and by support and admins with the plain one", async () => {
  const { conversationId } = await send(null);
  const [id, signature] = conversationId.split('.');
  expect(signature).toHaveLength(22);
  const seen = async (given: string, identity: Identity | null) =>
    (await chat.execute(READ, { id: given }, identity)).data.conversation?.id ?? null;
  expect(await seen(conversationId, null)).toBe(conversationId);
  expect(await seen(id, null)).toBeNull();
  expect(await seen(`${id}.${signature.replace(/^./, (char: string) => (char === 'A' ? 'B' : 'A'))}`, null)).toBeNull();
  expect(await seen(`${randomUUID()}.${signature}`, null)).toBeNull();
  expect(await seen(conversationId, ada)).toBeNull();
  expect(await seen(id, ada)).toBeNull();
  expect(await seen(id, support)).toBe(id);
  expect(await seen(conversationId, admin)).toBe(id);
  const other = await send(null);
  expect(other.conversationId).not.toBe(conversationId);
});

test('the key outlives a restart', async () => {
  const { conversationId } = await send(null);
  const again = await SubgraphUnderTest.start(subgraph, database);
  expect((await again.execute(READ, { id: conversationId })).data.conversation.id).toBe(conversationId);
  await again.stop();
});

test('messages come in pages, oldest first', async () => {
  const { conversationId } = await send(ada, { text: 'one' });
  await send(ada, { text: 'two', conversationId });
  const one = (await chat.execute(READ, { id: conversationId, first: 3 }, ada)).data.conversation.messages;
  expect(one.edges.map(({ node }: { node: { role: string; text: string } }) => [node.role, node.text])).toEqual([
    ['USER', 'one'],
    ['ASSISTANT', 'It is 70 cm [1]. Not 80 [2].'],
    ['USER', 'two'],
  ]);
  expect(one.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
  const after = one.pageInfo.endCursor;
  const two = (await chat.execute(READ, { id: conversationId, first: 3, after }, ada)).data.conversation.messages;
  expect(two.edges).toHaveLength(1);
  expect(two.edges[0].node).toMatchObject({ role: 'ASSISTANT', conversationId });
  expect(two.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
  for (const wrong of [
    { first: 0 },
    { first: 101 },
    { after: 'x' },
    { after: Buffer.from('"1; DROP"').toString('base64url') },
  ]) {
    const { errors } = await chat.execute(READ, { id: conversationId, ...wrong }, ada);
    expect(errors).toMatchObject([{ code: 'BAD_USER_INPUT' }]);
  }
});

test('the owner rates an answer, and the last rating stands', async () => {
  const { id, conversationId } = await send(ada);
  const rate = (identity: Identity | null, variables: object) =>
    chat.execute(RATE, { id, feedback: 'UP', ...variables }, identity);
  expect((await rate(ada, { reason: ' good ' })).data.rateMessage).toEqual({
    id,
    feedback: 'UP',
    feedbackReason: 'good',
  });
  for (const identity of [bob, support, admin, null]) {
    expect((await rate(identity, { feedback: 'DOWN' })).errors).toMatchObject([{ code: 'NOT_FOUND' }]);
  }
  expect((await rate(ada, { reason: 'x'.repeat(1_001) })).errors).toMatchObject([{ code: 'BAD_USER_INPUT' }]);
  expect((await rate(ada, { reason: 'a\0' })).errors).toMatchObject([{ code: 'BAD_USER_INPUT' }]);
  expect((await rate(ada, { id: 'nonsense' })).errors).toMatchObject([{ code: 'NOT_FOUND' }]);
  const { data } = await chat.execute(READ, { id: conversationId }, ada);
  const question = data.conversation.messages.edges[0].node.id;
  expect((await rate(ada, { id: question })).errors).toMatchObject([{ code: 'BAD_USER_INPUT' }]);
  expect((await rate(ada, { feedback: 'DOWN' })).data.rateMessage).toMatchObject({
    feedback: 'DOWN',
    feedbackReason: null,
  });
});

test('a visitor rates with the signed id of the answer', async () => {
  const { id } = await send(null);
  const rate = (given: string, identity: Identity | null = null) =>
    chat.execute(RATE, { id: given, feedback: 'DOWN' }, identity);
  expect((await rate(id)).data.rateMessage.id).toBe(id);
  for (const [given, identity] of [
    [id.slice(0, 36), null],
    [`${id.slice(0, -2)}${id.endsWith('AA') ? 'BB' : 'AA'}`, null],
    [id, ada],
    [id, support],
    [id.slice(0, 36), admin],
  ] as const) {
    expect((await rate(given, identity)).errors).toMatchObject([{ code: 'NOT_FOUND' }]);
  }
});

test('each asks on their own: a chat is no shared stream', () => {
  expect(chat.sdl).not.toContain('shared-stream');
});

test('the export has the rated answers, a line each, and nothing of who asked', { timeout: 60_000 }, async () => {
  await database.query('UPDATE chat.messages SET feedback = NULL, feedback_reason = NULL');
  const rated = [];
  for (let index = 0; index < 3; index++) {
    rated.push(await send(as(`secret-user-${index}`), { text: `question ${index}\nof two lines`, productId: 'p1' }));
  }
  await send(ada, { text: 'not rated' });
  for (const [index, { id }] of rated.entries()) {
    await chat.execute(RATE, { id, feedback: 'UP', reason: `reason ${index}` }, as(`secret-user-${index}`));
  }
  const dir = await mkdtemp(path.join(tmpdir(), 'hashira-feedback-'));
  const script = new URL('../../scripts/export-feedback.ts', import.meta.url).pathname;
  const env = { ...process.env, DATABASE_URL: database.url, HASHIRA_DATA: dir, INIT_CWD: dir };
  const run = (...args: string[]) =>
    promisify(execFile)(process.execPath, ['--import', 'tsx', script, ...args], { env });
  const { stdout } = await run();
  await run('--out', 'feedback.jsonl');
  expect(await readFile(path.join(dir, 'feedback.jsonl'), 'utf8')).toBe(stdout);
  await expect(run('--wrong')).rejects.toMatchObject({ stderr: expect.stringContaining('--out FILE') });
  await rm(dir, { recursive: true });
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines).toEqual(
    rated.map(({ text, createdAt }, index) => ({
      question: `question ${index}\nof two lines`,
      answer: text,
      citations: [
        { productId: 'p2', snippet: 'Blade length: p2 cm', score: 0.5 },
        { productId: 'p1', snippet: 'Blade length: p1 cm', score: 0.5 },
      ],
      productId: 'p1',
      model: 'first-1',
      feedback: 'UP',
      reason: `reason ${index}`,
      createdAt,
    })),
  );
  expect(stdout).not.toContain('secret-user');
});
