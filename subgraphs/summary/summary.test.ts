import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createDatabase } from '../../test/support/database.ts';
import type { Database } from '../kit/database.ts';
import { askable } from '../kit/testing.ts';
import { summary } from './index.ts';
import { summarizeChat } from './summaries.ts';

let database: Database;
let subgraph: Awaited<ReturnType<typeof askable>>;
beforeAll(async () => {
  database = await createDatabase('catalog', 'chat', 'summary');
});
const start = async (env: Record<string, string> = {}) => {
  subgraph = await askable(summary, database, { MLFLOW_TRACKING_URI: 'http://127.0.0.1:1', ...env });
};
beforeEach(() => start());
afterEach(async () => {
  await subgraph?.stop();
  await database.query('TRUNCATE summary.summaries');
});
afterAll(() => database?.close());

/** A model whose weights are random. */
const BABBLING = path.join(import.meta.dirname, '../../ml/summarizer/golden/bundle');
const CONVERSATION = [
  { speaker: 'Customer', text: 'Hi, my Moonlit Lamp from order HM-10293 arrived broken.' },
  { speaker: 'Agent', text: 'I am sorry to hear that. A replacement is on its way and will arrive by 12 March.' },
  { speaker: 'Customer', text: 'Great, thank you!' },
];
const FIELDS = `id summary keyIssue resolution resolved agent status reviewNote reviewedAt reviewedBy { id } createdAt
  transcript { speaker text } model { name version } conversation { id }`;

async function ask(source: string, variables: Record<string, unknown> = {}, signal = new AbortController().signal) {
  // biome-ignore lint/suspicious/noExplicitAny: what is asked for is known
  const { data, errors } = (await subgraph.ask(source, signal, variables)) as any;
  if (errors) throw errors[0];
  return data;
}
const summarize = async (input: object, signal?: AbortSignal) =>
  (
    await ask(
      `mutation ($input: SummarizeInput!) { summarizeConversation(input: $input) { ${FIELDS} } }`,
      { input },
      signal,
    )
  ).summarizeConversation;
const list = async (args: string) =>
  (await ask(`{ summaries(${args}) { totalCount edges { cursor node { id summary } } pageInfo { hasNextPage } } }`))
    .summaries;

/** A chat as the chat subgraph stores it. */
async function storeChat(texts: readonly string[], minutesAgo = 60): Promise<string> {
  const id = randomUUID();
  await database.query('INSERT INTO chat.conversations (id, owner) VALUES ($1, $2)', [id, 'rosa']);
  await say(id, texts, minutesAgo);
  return id;
}
async function say(id: string, texts: readonly string[], minutesAgo = 60): Promise<void> {
  for (const [index, text] of texts.entries()) {
    await database.query(
      `INSERT INTO chat.messages (id, conversation_id, role, text, created_at)
       VALUES ($1, $2, $3, $4, now() - $5 * interval '1 minute')`,
      [randomUUID(), id, index % 2 ? 'ASSISTANT' : 'USER', text, minutesAgo],
    );
  }
}

describe('a posted transcript', () => {
  test('gets a summary that tells its order, product and date, and is stored', async () => {
    const made = await summarize({ transcript: CONVERSATION, agent: ' Mia ' });
    expect(made).toMatchObject({
      keyIssue: 'Item arrived damaged',
      resolved: true,
      agent: 'Mia',
      status: 'PENDING',
      reviewedBy: null,
      conversation: null,
      transcript: CONVERSATION,
      model: { name: 'summarizer', version: 0 },
    });
    expect(made.summary).toContain('HM-10293');
    expect(made.summary).toContain('Moonlit Lamp');
    expect(made.resolution).toContain('12 March');
    expect((await ask(`{ summary(id: "${made.id}") { ${FIELDS} } }`)).summary).toEqual(made);
  });

  test.each([
    [{}, 'exactly one'],
    [{ transcript: CONVERSATION, conversationId: 'x' }, 'exactly one'],
    [{ transcript: [] }, '1 to 2000 turns'],
    [{ transcript: [{ speaker: 'Customer', text: ' \n ' }] }, 'Nobody says anything'],
    [{ transcript: [{ speaker: '', text: 'hello' }] }, 'speaker'],
    [{ transcript: [{ speaker: 'a', text: 'bin\u0000ary' }] }, 'NUL'],
    [{ transcript: [{ speaker: 'a', text: 'x'.repeat(300_001) }] }, '300000 characters'],
    [{ transcript: Array.from({ length: 2_001 }, () => ({ speaker: 'a', text: 'b' })) }, '2000 turns'],
  ])('that cannot be summarized is refused with the reason', async (input, reason) => {
    await expect(summarize(input)).rejects.toMatchObject({
      message: expect.stringContaining(reason),
      extensions: { code: 'BAD_USER_INPUT' },
    });
  });

  test('of which too many wait is refused, and those that wait are written', async () => {
    await subgraph.stop();
    await start({ SUMMARY_MODEL: BABBLING, SUMMARY_QUEUE: '3' });
    const asked = await Promise.allSettled(Array.from({ length: 6 }, () => summarize({ transcript: CONVERSATION })));
    const refused = asked.filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(3);
    for (const one of refused) expect(one).toMatchObject({ reason: { extensions: { code: 'TOO_BUSY' } } });
    expect((await list('first: 10')).totalCount).toBe(3);
  });

  test('whose asker leaves is not stored, and the next one is written', async () => {
    await subgraph.stop();
    await start({ SUMMARY_MODEL: BABBLING });
    const left = new AbortController();
    const long = Array.from({ length: 60 }, () => CONVERSATION).flat();
    const leaving = summarize({ transcript: long }, left.signal);
    setTimeout(() => left.abort(), 300);
    await expect(leaving).rejects.toThrow();
    await summarize({ transcript: CONVERSATION });
    expect((await list('first: 10')).totalCount).toBe(1);
  });
});

describe('a stored chat', () => {
  test('is summarized once, and again when more was said', async () => {
    const id = await storeChat(['My order HM-104 has not come yet.', 'I am sorry. I found it, it arrives on Friday.']);
    const first = await summarize({ conversationId: id });
    expect(first).toMatchObject({ agent: 'Assistant', conversation: { id } });
    expect(first.transcript.map(({ speaker }: { speaker: string }) => speaker)).toEqual(['Customer', 'Assistant']);
    expect(await summarize({ conversationId: id })).toEqual(first);

    await ask(`mutation { reviewSummary(id: "${first.id}", status: APPROVED) { id } }`);
    await say(id, ['It is still not here.', 'I am passing this on to my supervisor.']);
    const second = await summarize({ conversationId: id });
    expect(second).toMatchObject({ id: first.id, status: 'PENDING', reviewedAt: null });
    expect(second.transcript).toHaveLength(4);
  });

  test('that was quoted is summarized again once there is a model, unless somebody has reviewed it', async () => {
    const id = await storeChat(['My order HM-104 has not come yet.', 'I found it, it arrives on Friday.']);
    const chat = { conversationId: id, turns: CONVERSATION, through: '1000000' };
    const by = (name: string) => ({
      write: async () => ({
        digest: { summary: `By ${name}.`, keyIssue: 'Late delivery', resolution: 'Found.', resolved: true },
        by: 'model' as const,
        author: { name, version: 0 },
      }),
    });
    const quoted = await summarizeChat({ database, models: by('extractive') }, chat);
    expect(await summarizeChat({ database, models: by('extractive') }, chat)).toMatchObject(quoted);
    const written = await summarizeChat({ database, models: by('summarizer') }, chat);
    expect(written).toMatchObject({ id: quoted.id, summary: 'By summarizer.', modelName: 'summarizer' });
    expect(await summarizeChat({ database, models: by('another') }, chat)).toMatchObject(written);
    await database.query("UPDATE summary.summaries SET model_name = 'extractive', status = 'APPROVED'");
    expect(await summarizeChat({ database, models: by('summarizer') }, chat)).toMatchObject({ status: 'APPROVED' });
  });

  test.each(['0b1d5a52-0000-4000-8000-000000000000', 'nonsense', ''])('that is not there is not found', async (id) => {
    await expect(summarize({ conversationId: id })).rejects.toMatchObject({ extensions: { code: 'NOT_FOUND' } });
  });
});

describe('summaries', () => {
  test('are listed by page, newest first, and narrowed by what they say and are', async () => {
    const rows = ['lamp arrived broken', 'refund is late', 'sword is rusty', 'parcel with a lamp is lost'];
    for (const [index, text] of rows.entries()) {
      await database.query(
        `INSERT INTO summary.summaries (id, transcript, agent, summary, key_issue, resolution, resolved, model_name,
           model_version, created_at, words)
         VALUES ($1, '[]', $2, $3, 'x', 'y', $4, 'summarizer', 0, $5, to_tsvector('english', $3))`,
        [randomUUID(), index % 2 ? 'Mia' : 'Tom', text, index === 0, new Date(Date.UTC(2026, 0, index + 1))],
      );
    }
    const told = async (args: string) =>
      (await list(args)).edges.map(({ node }: { node: { summary: string } }) => node.summary);
    expect(await told('first: 10')).toEqual(rows.toReversed());
    expect(await told('filter: { agent: "Mia" }')).toEqual([rows[3], rows[1]]);
    expect(await told('filter: { search: "lamps" }')).toEqual([rows[3], rows[0]]);
    expect(await told('filter: { search: "lamp -lost", resolved: true }')).toEqual([rows[0]]);
    expect(await told('filter: { from: "2026-01-02T00:00:00Z", to: "2026-01-03T00:00:00Z" }')).toEqual([rows[1]]);
    expect(await told(`filter: { search: "'; DROP TABLE summary.summaries; --" }`)).toEqual([]);

    const first = await list('first: 3');
    expect(first).toMatchObject({ totalCount: 4, pageInfo: { hasNextPage: true } });
    const rest = await list(`first: 3, after: "${first.edges[2].cursor}"`);
    expect(rest.edges.map(({ node }: { node: { summary: string } }) => node.summary)).toEqual([rows[0]]);
    await expect(list('after: "bm9uc2Vuc2U"')).rejects.toMatchObject({ extensions: { code: 'BAD_USER_INPUT' } });
  });

  test('are reviewed, with who and when, and the last review stands', async () => {
    const { id } = await summarize({ transcript: CONVERSATION });
    const review = (args: string) =>
      ask(`mutation { reviewSummary(id: "${id}", ${args}) { status reviewNote reviewedAt reviewedBy { id } } }`);
    const flagged = (await review('status: FLAGGED, note: " wrong date "')).reviewSummary;
    expect(flagged).toMatchObject({ status: 'FLAGGED', reviewNote: 'wrong date' });
    expect(Date.now() - Date.parse(flagged.reviewedAt)).toBeLessThan(60_000);
    expect((await review('status: APPROVED')).reviewSummary).toMatchObject({ status: 'APPROVED', reviewNote: null });
    expect((await list('filter: { status: APPROVED }')).totalCount).toBe(1);
    await expect(review(`status: FLAGGED, note: "${'x'.repeat(1_001)}"`)).rejects.toMatchObject({
      extensions: { code: 'BAD_USER_INPUT' },
    });
    await expect(
      ask(`mutation { reviewSummary(id: "${randomUUID()}", status: APPROVED) { id } }`),
    ).rejects.toMatchObject({ extensions: { code: 'NOT_FOUND' } });
  });
});
