import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { signDevelopmentToken } from '../../../gateway/development-key.ts';
import { type Gateway, startGateway } from '../../../gateway/gateway.ts';
import { freePort } from '../../../scripts/postgres.ts';
import { root } from '../../../scripts/stack.ts';
import { catalog } from '../../../subgraphs/catalog/index.ts';
import { AWAY_NOTICE } from '../../../subgraphs/chat/draft.ts';
import type { Ask } from '../../../subgraphs/chat/generator.ts';
import { chatWith } from '../../../subgraphs/chat/index.ts';
import { hangs, Says, says } from '../../../subgraphs/chat/testing.ts';
import { loadConfig } from '../../../subgraphs/kit/config.ts';
import type { Database } from '../../../subgraphs/kit/database.ts';
import { HashiraError } from '../../../subgraphs/kit/errors.ts';
import { createLogger } from '../../../subgraphs/kit/log.ts';
import { createRegistry } from '../../../subgraphs/kit/registry.ts';
import { createDatabase } from '../../support/database.ts';

const SEATS = 100;
const TRANSPORTS = ['websocket', 'sse', 'multipart'] as const;
type Transport = (typeof TRANSPORTS)[number];

const CHAT = `subscription($input: ChatInput!) { chat(input: $input) {
  __typename
  ... on ChatSources { conversationId citations { product { id name } } }
  ... on ChatDelta { text }
  ... on ChatCompleted { message { id conversationId text model notice citations { product { id name } snippet } } }
  ... on ChatFailed { code problem: message retryable }
} }`;

interface Event {
  __typename: string;
  conversationId?: string;
  citations?: { product: { id: string; name: string } }[];
  text?: string;
  message?: {
    id: string;
    conversationId: string;
    text: string;
    model: string;
    notice: string | null;
    citations: { product: { id: string; name: string }; snippet: string }[];
  };
  code?: string;
}

/** Every question is "seat N": its sources and its answer are of this seat alone. */
const seatOf = (text: string) => text.split(' ')[1] as string;
const answerOf = (seat: string) =>
  `${Array.from({ length: 40 }, (_, word) => `${seat}:${word}`).join(' ')} [2], [1] \u{1f5e1}.`;

async function* speak({ question }: Ask, signal: AbortSignal): AsyncGenerator<string> {
  const text = answerOf(seatOf(question));
  for (let start = 0; start < text.length; start += 7) {
    await sleep(Math.random() * 10, undefined, { signal });
    yield text.slice(start, start + 7);
  }
}

const first = new Says(speak, 'double-1');
const subgraphs = [
  catalog,
  chatWith({
    researcher: {
      research: async ({ text, history }) => ({
        question: text,
        history,
        extract: 'The catalogue says [1].',
        sources: ['p1', 'p2'].map((productId) => ({
          productId,
          productName: productId,
          snippet: `seat: ${seatOf(text)}`,
          score: 0.5,
        })),
      }),
    },
    generators: { first, fallback: new Says(says('The catalogue says [1].'), 'extractive-1') },
  }),
];

const SUBGRAPH_SECRET = 's'.repeat(32);

let dataDir: string;
let database: Database;
let gateway: Gateway;

/** A gateway on the database, with settings of its own. */
async function start(env: Record<string, string>): Promise<Gateway> {
  const config = loadConfig({
    HASHIRA_DATA: dataDir,
    PORT: '0',
    LOG_LEVEL: 'silent',
    MAX_SUBSCRIPTIONS_PER_USER: '1000',
    ...env,
  });
  const log = createLogger('test', 'silent');
  const supergraph = path.join(dataDir, 'supergraph.graphql');
  return startGateway(subgraphs, { config, log, database, registry: createRegistry(config) }, supergraph);
}

beforeAll(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'hashira-chat-'));
  database = await createDatabase('catalog', 'chat');
  await database.query("INSERT INTO catalog.categories (id, name, source) VALUES ('c', 'Swords', 'imported')");
  await database.query(
    `INSERT INTO catalog.products (id, sku, name, description, price, currency, category_id, created_at, source)
     SELECT id, id, 'Katana ' || id, '', 1, 'JPY', 'c', now(), 'imported' FROM unnest(ARRAY['p1', 'p2']) AS id`,
  );
  const services = await Promise.all(
    subgraphs.map(async ({ name, schema }) => ({
      name,
      url: `local://${name}`,
      typeDefs: parse((await schema()).sdl),
    })),
  );
  const supergraph = path.join(dataDir, 'supergraph.graphql');
  await writeFile(supergraph, composeServices(services).supergraphSdl as string);
  gateway = await start({});
});
afterAll(async () => {
  await gateway.stop();
  await database.close();
  await rm(dataDir, { recursive: true });
});

interface Sink {
  next(result: { data?: unknown; errors?: unknown; error?: unknown }): void;
  error(error: unknown): void;
  complete(): void;
}

/** Subscribes with a client of its own. @returns leaves */
function subscribe(
  transport: Transport,
  input: object,
  headers: Record<string, string>,
  sink: Sink,
  { url: origin } = gateway,
): () => void {
  const url = `${origin}/graphql`;
  const asked = { query: CHAT, variables: { input } };
  if (transport === 'websocket') {
    const socket = createClient({
      url: url.replace('http', 'ws'),
      webSocketImpl: WebSocket,
      connectionParams: headers,
      retryAttempts: 0,
    });
    return socket.subscribe(asked, sink);
  }
  if (transport === 'sse') return createSseClient({ url, headers, retryAttempts: 0 }).subscribe(asked, sink);
  const apollo = new ApolloClient({ cache: new InMemoryCache(), link: new HttpLink({ uri: url, headers }) });
  const events = apollo.subscribe({ query: gql(CHAT), variables: { input }, fetchPolicy: 'no-cache' });
  const subscription = events.subscribe(sink);
  return () => subscription.unsubscribe();
}

const tokenOf = async (user: string) => ({
  authorization: `Bearer ${await signDevelopmentToken(dataDir, user, 'customer')}`,
});

/** A chat to its end. */
async function chat(
  transport: Transport,
  input: object,
  headers: Record<string, string> = {},
  at = gateway,
): Promise<Event[]> {
  const events: Event[] = [];
  await new Promise<void>((resolve, reject) => {
    subscribe(
      transport,
      { clientMessageId: randomUUID(), ...input },
      headers,
      {
        next: ({ data, errors, error }) => {
          if (errors ?? error) reject(new Error(JSON.stringify(errors ?? error)));
          else events.push((data as { chat: Event }).chat);
        },
        error: reject,
        complete: () => resolve(),
      },
      at,
    );
  });
  return events;
}

const textOf = (events: readonly Event[]) =>
  events
    .filter(({ __typename }) => __typename === 'ChatDelta')
    .map(({ text }) => text)
    .join('');

async function post(query: string, variables: object, headers: Record<string, string> = {}) {
  const response = await fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query, variables }),
  });
  return (await response.json()) as { data: Record<string, never>; errors?: { extensions: { code: string } }[] };
}

test.each(TRANSPORTS)('a hundred chats at once over %s: no word is lost or another one’s', async (transport) => {
  const seats = Array.from({ length: SEATS }, (_, seat) => `${transport}-${seat}`);
  const chats = await Promise.all(
    seats.map(async (seat, index) =>
      // Every other one is a visitor.
      chat(transport, { text: `seat ${seat}` }, index % 2 ? await tokenOf(seat) : {}),
    ),
  );
  for (const [index, events] of chats.entries()) {
    const seat = seats[index] as string;
    const whole = answerOf(seat).replace('[2], [1]', '[1], [2]');
    expect(events[0]?.__typename).toBe('ChatSources');
    expect(textOf(events)).toBe(whole);
    expect(events.at(-1)?.message).toMatchObject({
      text: whole,
      conversationId: events[0]?.conversationId,
      model: 'double-1',
      notice: null,
      citations: [
        { product: { id: 'p2', name: 'Katana p2' }, snippet: `seat: ${seat}` },
        { product: { id: 'p1', name: 'Katana p1' }, snippet: `seat: ${seat}` },
      ],
    });
  }
  expect(new Set(chats.map((events) => events[0]?.conversationId)).size).toBe(SEATS);
});

test('one conversation over all transports, read at the end and rated', async () => {
  const headers = await tokenOf('ada');
  let conversationId: string | undefined;
  const ids: string[] = [];
  for (const transport of TRANSPORTS) {
    const events = await chat(transport, { text: `seat ${transport}`, conversationId }, headers);
    conversationId = events[0]?.conversationId;
    ids.push(events.at(-1)?.message?.id as string);
  }
  const READ = 'query ($id: ID!) { conversation(id: $id) { messages { edges { node { id role text } } } } }';
  const read = (as: Record<string, string>) => post(READ, { id: conversationId }, as);
  const { conversation } = (await read(headers)).data as unknown as {
    conversation: { messages: { edges: { node: { id: string; role: string } }[] } };
  };
  const nodes = conversation.messages.edges.map(({ node }) => node);
  expect(nodes.map(({ role }) => role)).toEqual(['USER', 'ASSISTANT', 'USER', 'ASSISTANT', 'USER', 'ASSISTANT']);
  expect(nodes.filter(({ role }) => role === 'ASSISTANT').map(({ id }) => id)).toEqual(ids);
  expect((await read(await tokenOf('bob'))).data.conversation).toBeNull();
  const RATE = 'mutation ($id: ID!) { rateMessage(id: $id, feedback: UP) { feedback } }';
  expect(await post(RATE, { id: ids[0] }, headers)).toEqual({ data: { rateMessage: { feedback: 'UP' } } });
  expect((await post(RATE, { id: ids[0] })).errors?.[0]?.extensions.code).toBe('NOT_FOUND');
});

test('a retry after a lost connection gets the same answer, whichever way it comes', async () => {
  const headers = await tokenOf('carol');
  const input = { text: 'seat carol', clientMessageId: randomUUID() };
  const answers = await Promise.all(TRANSPORTS.map((transport) => chat(transport, input, headers)));
  const SEND = 'mutation ($input: ChatInput!) { sendMessage(input: $input) { id text } }';
  const { sendMessage } = (await post(SEND, { input }, headers)).data as unknown as { sendMessage: object };
  for (const events of answers) {
    expect(textOf(events)).toBe(events.at(-1)?.message?.text);
    expect(events.at(-1)?.message).toMatchObject(sendMessage);
  }
});

test.each(TRANSPORTS)('who leaves over %s ends the answer and its claim', async (transport) => {
  first.script = hangs('It');
  const events: Event[] = [];
  const leave = subscribe(
    transport,
    { text: 'seat x', clientMessageId: randomUUID() },
    {},
    {
      next: ({ data }) => events.push((data as { chat: Event }).chat),
      error: () => {},
      complete: () => {},
    },
  );
  await vi.waitFor(() => expect(events).toHaveLength(2), 5_000);
  expect(first.signal?.aborted).toBe(false);
  leave();
  await vi.waitFor(() => expect(first.signal?.aborted).toBe(true), { timeout: 2_000, interval: 5 });
  await vi.waitFor(async () =>
    expect(await database.query('SELECT 1 FROM chat.requests WHERE holder IS NOT NULL')).toEqual([]),
  );
  first.script = speak;
});

test.each(TRANSPORTS)('what goes wrong is told over %s', async (transport) => {
  first.script = says('It', new HashiraError('CHAT_MODEL_UNAVAILABLE', 'away'));
  expect((await chat(transport, { text: 'seat x' })).at(-1)).toMatchObject({
    __typename: 'ChatFailed',
    code: 'CHAT_MODEL_UNAVAILABLE',
    retryable: true,
  });
  first.script = says(new HashiraError('CHAT_MODEL_UNAVAILABLE', 'away'));
  expect((await chat(transport, { text: 'seat x' })).at(-1)?.message).toMatchObject({
    text: 'The catalogue says [1].',
    notice: AWAY_NOTICE,
  });
  expect(await chat(transport, { text: ' ' })).toMatchObject([{ __typename: 'ChatFailed', code: 'BAD_USER_INPUT' }]);
  const SEND = 'mutation ($input: ChatInput!) { sendMessage(input: $input) { id } }';
  expect((await post(SEND, { input: { text: 'a\0b', clientMessageId: '1' } })).errors).toMatchObject([
    { extensions: { code: 'BAD_USER_INPUT', argument: 'input.text' } },
  ]);
  first.script = speak;
});

test('a chat subgraph of its own process replays what was answered here, and tells what it lacks', async () => {
  const port = String(await freePort());
  const child = spawn(process.execPath, ['--import', 'tsx', 'subgraphs/chat/index.ts'], {
    cwd: root,
    env: {
      ...process.env,
      DATABASE_URL: database.url,
      HASHIRA_DATA: dataDir,
      SUBGRAPH_SECRET,
      PORT: port,
      CHROMA_URL: '',
    },
    stdio: 'ignore',
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const origin = `http://127.0.0.1:${port}`;
  await vi.waitFor(() => fetch(`${origin}/health/live`), { timeout: 20_000, interval: 100 });
  const remote = await start({ CHAT_URL: `${origin}/graphql`, SUBGRAPH_SECRET });
  try {
    const headers = await tokenOf('dora');
    const input = { text: 'seat dora', clientMessageId: randomUUID() };
    const visitors = { text: 'seat visitor', clientMessageId: randomUUID() };
    for (const transport of TRANSPORTS) {
      for (const [asked, as] of [
        [input, headers],
        [visitors, {}],
      ] as const) {
        const here = await chat(transport, asked, as);
        const there = await chat(transport, asked, as, remote);
        expect(there.at(-1)).toEqual(here.at(-1));
        expect(textOf(there)).toBe(here.at(-1)?.message?.text);
      }
      const failed = await chat(transport, { text: 'seat other' }, headers, remote);
      expect(failed).toMatchObject([{ __typename: 'ChatFailed', code: 'VECTORS_UNAVAILABLE', retryable: true }]);
    }
  } finally {
    await remote.stop();
    child.kill('SIGTERM');
    await exited;
  }
});
