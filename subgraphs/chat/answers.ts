import { randomUUID } from 'node:crypto';
import type { Identity } from '../kit/auth.ts';
import type { Database } from '../kit/database.ts';
import { ERROR_CODES, HashiraError, notFound } from '../kit/errors.ts';
import { formatThrown } from '../kit/format-error.ts';
import type { Logger } from '../kit/log.ts';
import type { Researcher } from './assistant/researcher.ts';
import { CitedText } from './citations.ts';
import type { Asked, Claim, Claims } from './claims.ts';
import { Draft } from './draft.ts';
import { pieces } from './extractive.ts';
import type { Source } from './generator.ts';
import type { Generators } from './generators.ts';
import { checkQuestion } from './input.ts';
import { Leavable, unlessAborted } from './leaving.ts';
import type { Places, RateLimit } from './limits.ts';
import type { ChatEvent, ChatQuestion, Citation, FailedEvent, Message } from './model.ts';
import { type Ids, owns, scopesOf } from './owner.ts';
import { findConversation, turnsBefore } from './store.ts';

/** What an answer is made with. */
export interface Workshop {
  database: Database;
  ids: Ids;
  claims: Claims;
  rate: RateLimit;
  places: Places;
  researcher: Pick<Researcher, 'research'>;
  generators: Generators;
}

/** Who asks. */
export interface Asker {
  identity: Identity | null;
  /** Aborts when they have left. */
  signal?: AbortSignal;
  log: Logger;
}

/** Earlier messages that a question is understood with. */
const MAX_HISTORY = 10;
const MAX_SOURCES = 10;

/** Answers questions, each as a stream of events. */
export class Answers {
  private readonly running = new Set<Leavable<ChatEvent>>();

  constructor(private readonly workshop: Workshop) {}

  /**
   * The answer as it comes about, or its replay. Whatever goes wrong is told as a `failed` event; the stream itself never throws.
   * Leaving it, by its `return` or by the asker's signal, cancels the answer.
   */
  ask(input: ChatQuestion, asker: Asker): Leavable<ChatEvent> {
    const events = new Leavable((signal) => this.events(input, asker, signal), asker.signal);
    this.running.add(events);
    void events.ended.then(() => this.running.delete(events));
    return events;
  }

  /** Ends all answers under way; their askers are told. */
  async stop(): Promise<void> {
    const running = [...this.running];
    for (const events of running) {
      events.abort(new HashiraError('SHUTTING_DOWN', 'The shop is restarting. Please ask again in a moment.'));
    }
    const ends = Promise.all(running.map(({ ended }) => ended));
    await Promise.race([ends, new Promise((resolve) => setTimeout(resolve, STOP_MS).unref())]);
    // Those whose reader does not read would never end.
    for (const events of running) void events.return();
    await ends;
    this.workshop.claims.stop();
  }

  private async *events(
    input: ChatQuestion,
    asker: Asker,
    signal: AbortSignal,
  ): AsyncGenerator<ChatEvent, void, undefined> {
    let leavePlace = () => {};
    try {
      const asked = await unlessAborted(this.admit(input, asker), signal);
      leavePlace = this.workshop.places.take();
      const taken = await this.workshop.claims.take(asked, signal);
      if ('holder' in taken) yield* this.answer(taken, asked, asker, signal);
      else yield* replay(taken);
    } catch (error) {
      // Who has left hears nothing any more; who is sent away does.
      const cause = signal.aborted ? signal.reason : error;
      if (!signal.aborted || cause instanceof HashiraError) yield failed(cause, asker.log);
    } finally {
      leavePlace();
    }
  }

  /** @throws HashiraError BAD_USER_INPUT, NOT_FOUND (no conversation of the asker), RATE_LIMITED */
  private async admit(input: ChatQuestion, { identity }: Asker): Promise<Asked> {
    const { database, ids, rate } = this.workshop;
    const question = checkQuestion(input);
    const given = input.conversationId ?? null;
    if (identity) rate.take(`user:${identity.subject}`);
    const known = given === null ? null : ids.read('conversation', given, identity);
    const conversation = known === null ? null : await findConversation(database, known);
    if (given !== null && !(conversation && owns(conversation.owner, identity))) throw notFound('conversation', given);
    if (!identity && conversation) rate.take(`conversation:${conversation.id}`);
    const conversationId = conversation?.id ?? randomUUID();
    return {
      question,
      ...scopesOf(identity, conversationId, conversation === null, question.clientMessageId),
      owner: identity?.subject ?? null,
      conversation,
      conversationId,
    };
  }

  private async *answer(
    claim: Claim,
    { question, owner }: Asked,
    { log }: Asker,
    signal: AbortSignal,
  ): AsyncGenerator<ChatEvent, void, undefined> {
    const { database, claims, researcher, generators } = this.workshop;
    try {
      const history = await unlessAborted(turnsBefore(database, claim.questionId, MAX_HISTORY), signal);
      const { text: asked, productId } = question;
      const found = await unlessAborted(researcher.research({ text: asked, productId, history }, signal), signal);
      const ask = { ...found, sources: found.sources.slice(0, MAX_SOURCES) };
      const { conversationId } = claim;
      yield { type: 'sources', conversationId, owner, citations: ask.sources.map(citation) };

      const draft = new Draft(ask, generators, log);
      const cited = new CitedText(ask.sources.length);
      let text = '';
      for await (const piece of draft.pieces(signal)) {
        const delta = cited.push(piece);
        if (delta === '') continue;
        text += delta;
        yield { type: 'delta', text: delta };
      }
      const rest = cited.end();
      text += rest;
      if (text.trim() === '') throw new HashiraError('CHAT_MODEL_UNAVAILABLE', WORDLESS);
      if (rest !== '') yield { type: 'delta', text: rest };
      signal.throwIfAborted();
      const citations = cited.cited.map((number) => citation(ask.sources[number - 1] as Source));
      const { model, notice } = draft;
      yield {
        type: 'completed',
        message: await claims.finish(claim, { id: randomUUID(), text, citations, model, notice }),
      };
    } finally {
      await claims.release(claim);
    }
  }
}

const STOP_MS = 2_000;
const WORDLESS = 'The assistant had no answer. Please ask again, perhaps in other words.';

const citation = ({ productId, snippet, score }: Source): Citation => ({ productId, snippet, score });

/** What was answered before, as if it came about now. */
function* replay(message: Message): Generator<ChatEvent, void, undefined> {
  const { conversationId, owner, citations, text } = message;
  yield { type: 'sources', conversationId, owner, citations };
  for (const piece of pieces(text)) yield { type: 'delta', text: piece };
  yield { type: 'completed', message };
}

function failed(error: unknown, log: Logger): FailedEvent {
  const { message, extensions } = formatThrown(error, log);
  const { code, retryAfter, argument } = extensions;
  return {
    type: 'failed',
    code,
    message,
    retryable: ERROR_CODES[code]?.retryable ?? false,
    retryAfter: typeof retryAfter === 'number' ? retryAfter : null,
    argument: typeof argument === 'string' ? argument : null,
  };
}
