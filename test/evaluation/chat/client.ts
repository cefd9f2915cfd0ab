import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import type { Answer, Citation, Question } from './judge.ts';

const MESSAGE = 'text model conversationId citations { snippet score product { id } }';
const SEND = `mutation($input: ChatInput!) { sendMessage(input: $input) { ${MESSAGE} } }`;
const STREAM = `subscription($input: ChatInput!) {
  chat(input: $input) {
    __typename
    ... on ChatSources { conversationId citations { snippet score product { id } } }
    ... on ChatDelta { text }
    ... on ChatCompleted { message { ${MESSAGE} } }
    ... on ChatFailed { code reason: message retryable }
  }
}`;

interface Cited {
  snippet: string;
  score: number;
  product: { id: string };
}
interface Message {
  text: string;
  model: string | null;
  conversationId: string;
  citations: Cited[];
}
type Event =
  | { __typename: 'ChatSources'; conversationId: string; citations: Cited[] }
  | { __typename: 'ChatDelta'; text: string }
  | { __typename: 'ChatCompleted'; message: Message }
  | { __typename: 'ChatFailed'; code: string; reason: string };
interface ChatInput {
  conversationId?: string;
  clientMessageId: string;
  text: string;
  productId?: string;
}

interface Received {
  message: Message;
  sources?: Citation[];
  /** Time of the first piece. */
  firstAt?: number;
}

/** One answer with what the evaluation shows beside it. */
export interface Reply extends Answer {
  model: string | null;
  milliseconds: number;
  /** Until the first piece of the text, where it was streamed. */
  firstMs: number | null;
}

/** @throws Error with the first error of the answer */
export async function post<Data>(url: string, token: string, query: string, variables: object): Promise<Data> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
    signal: AbortSignal.timeout(120_000),
  });
  const { data, errors } = (await response.json()) as { data?: Data; errors?: { message: string }[] };
  if (errors || !data) throw new Error(errors?.[0]?.message ?? `The graph answers ${response.status}.`);
  return data;
}

/** A shopper who asks over HTTP, and over WebSocket where it is to be seen what is announced before the answer. */
export class Shopper {
  readonly #socket;

  constructor(
    private readonly url: string,
    private readonly token: string,
  ) {
    this.#socket = createClient({
      url: url.replace(/^http/, 'ws'),
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${token}` },
    });
  }

  async close(): Promise<void> {
    await this.#socket.dispose();
  }

  /** Asks all turns in one conversation. @returns the answer to the last. @throws Error when one is not answered */
  async ask({ id, turns }: Question, { streamed = false } = {}): Promise<Reply> {
    let conversationId: string | undefined;
    let reply: Reply | undefined;
    for (const [number, { text, productId }] of turns.entries()) {
      const input: ChatInput = { conversationId, clientMessageId: `${id}-${number}`, text, productId };
      const since = performance.now();
      const { message, sources, firstAt } = streamed ? await this.#stream(input) : await this.#send(input);
      const milliseconds = performance.now() - since;
      conversationId = message.conversationId;
      const citations = message.citations.map(toCitation);
      reply = {
        text: message.text,
        model: message.model,
        citations,
        sources,
        milliseconds,
        firstMs: firstAt === undefined ? null : firstAt - since,
      };
    }
    if (!reply) throw new Error(`${id} asks nothing.`);
    return reply;
  }

  async #send(input: ChatInput): Promise<Received> {
    const { sendMessage } = await post<{ sendMessage: Message }>(this.url, this.token, SEND, { input });
    return { message: sendMessage };
  }

  async #stream(input: ChatInput): Promise<Received> {
    let sources: Citation[] | undefined;
    let firstAt: number | undefined;
    let written = '';
    for await (const { data, errors } of this.#socket.iterate<{ chat: Event }>({
      query: STREAM,
      variables: { input },
    })) {
      const event = data?.chat;
      if (!event) throw new Error(errors?.[0]?.message ?? 'The stream has an event without data.');
      if (event.__typename === 'ChatSources') sources = event.citations.map(toCitation);
      if (event.__typename === 'ChatDelta') {
        firstAt ??= performance.now();
        written += event.text;
      }
      if (event.__typename === 'ChatFailed') throw new Error(`${event.code}: ${event.reason}`);
      if (event.__typename !== 'ChatCompleted') continue;
      if (written.trim() !== event.message.text.trim()) throw new Error('What was streamed is not the message.');
      return { message: event.message, sources, firstAt };
    }
    throw new Error('The stream ended without an answer.');
  }
}

const toCitation = ({ snippet, product }: Cited): Citation => ({ snippet, productId: product.id });
