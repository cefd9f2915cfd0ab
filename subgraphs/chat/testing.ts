import { randomBytes } from 'node:crypto';
import type { Identity } from '../kit/auth.ts';
import type { Database } from '../kit/database.ts';
import { createLogger } from '../kit/log.ts';
import { Answers, type Workshop } from './answers.ts';
import type { Question } from './assistant/researcher.ts';
import { Claims } from './claims.ts';
import type { Ask, Generator, Source } from './generator.ts';
import { Places, RateLimit } from './limits.ts';
import type { ChatEvent, ChatQuestion, FailedEvent, Message } from './model.ts';
import { Ids } from './owner.ts';

export const log = createLogger('test', 'silent');

export const source = (productId: string): Source => ({
  productId,
  productName: `Katana ${productId}`,
  snippet: `Blade length: ${productId} cm`,
  score: 0.5,
});

/** A researcher that finds the same for every question, and remembers what it was asked. */
export class Finds {
  readonly asked: Question[] = [];
  constructor(readonly sources: readonly Source[]) {}

  async research(question: Question): Promise<Ask> {
    this.asked.push(question);
    const { text, history } = question;
    return { question: text, history, sources: this.sources, extract: 'The catalogue does not say.' };
  }
}

type Script = (ask: Ask, signal: AbortSignal) => AsyncIterable<string>;

/** A generator that does what the test says. */
export class Says implements Generator {
  /** How often it was asked. */
  asked = 0;
  signal: AbortSignal | undefined;

  constructor(
    public script: Script,
    readonly model = 'double-1',
  ) {}

  generate(ask: Ask, signal: AbortSignal): AsyncIterable<string> {
    this.asked++;
    this.signal = signal;
    return this.script(ask, signal);
  }
}

/** Says these pieces; an error among them is thrown. */
export const says = (...pieces: readonly (string | Error)[]): Script =>
  async function* () {
    for (const piece of pieces) {
      await new Promise(setImmediate);
      if (typeof piece !== 'string') throw piece;
      yield piece;
    }
  };

/** Says something and then nothing any more. It does not even listen to its signal. */
export const hangs = (...pieces: readonly string[]): Script =>
  async function* () {
    yield* pieces;
    await new Promise(() => {});
  };

const KEY = randomBytes(32);

/** An Answers on a database, with doubles for what is not said. Two of them are like two processes. */
export function answersOn(database: Database, parts: Partial<Workshop> & Pick<Workshop, 'generators'>): Answers {
  return new Answers({
    database,
    ids: new Ids(KEY),
    claims: new Claims(database, log, { leaseMs: 600, heartbeatMs: 100, pollMs: 20 }),
    rate: new RateLimit(0),
    places: new Places(1_000),
    researcher: new Finds([source('p1'), source('p2')]),
    ...parts,
  });
}

export const ids = new Ids(KEY);

export interface Told {
  events: ChatEvent[];
  /** The deltas, joined. */
  text: string;
  message: Message | undefined;
  failed: FailedEvent | undefined;
  conversationId: string | undefined;
}

/** All that is told. */
export async function told(
  answers: Answers,
  input: ChatQuestion,
  identity: Identity | null = null,
  signal?: AbortSignal,
): Promise<Told> {
  const events: ChatEvent[] = [];
  for await (const event of answers.ask(input, { identity, signal, log })) events.push(event);
  const of = <T extends ChatEvent['type']>(type: T) =>
    events.filter((event): event is ChatEvent & { type: T } => event.type === type);
  return {
    events,
    text: of('delta')
      .map(({ text }) => text)
      .join(''),
    message: of('completed')[0]?.message,
    failed: of('failed')[0],
    conversationId: of('sources')[0]?.conversationId,
  };
}
