import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../kit/database.ts';
import { HashiraError } from '../kit/errors.ts';
import type { Logger } from '../kit/log.ts';
import type { Question } from './input.ts';
import { unlessAborted } from './leaving.ts';
import type { Conversation, Message } from './model.ts';
import {
  extendRequests,
  findMessage,
  findRequest,
  finishRequest,
  insertRequest,
  type NewAnswer,
  type Request,
  releaseRequest,
  takeRequest,
} from './store.ts';

/** A question with where it was asked. */
export interface Asked {
  question: Question;
  scope: string;
  begunIn: string;
  owner: string | null;
  /** Null: the question begins one. */
  conversation: Conversation | null;
  /** Of the conversation, or of the one that begins. */
  conversationId: string;
}

/** The right to answer a question, until it is finished or released. */
export interface Claim {
  holder: string;
  conversationId: string;
  questionId: string;
}

export interface ClaimTimes {
  /** Silent for so long, a holder is taken for dead, ms. */
  leaseMs: number;
  heartbeatMs: number;
  /** Between two looks at a question that somebody else is answering, ms. */
  pollMs: number;
}

const TIMES: ClaimTimes = { leaseMs: 15_000, heartbeatMs: 3_000, pollMs: 150 };

/** Who answers which question: each is answered once, however often and wherever it is asked again. */
export class Claims {
  private readonly process = randomUUID();
  private readonly held = new Set<string>();
  private readonly times: ClaimTimes;
  private heart: NodeJS.Timeout | undefined;

  constructor(
    private readonly database: Database,
    private readonly log: Logger,
    times: Partial<ClaimTimes> = {},
  ) {
    this.times = { ...TIMES, ...times };
  }

  /**
   * The answer, if there is one; else the right to give it, at once or when whoever has it did not finish.
   * @throws HashiraError CONFLICT, DATABASE_UNAVAILABLE; the reason of the signal
   */
  async take(asked: Asked, signal: AbortSignal): Promise<Claim | Message> {
    const holder = randomUUID();
    // Held before it is stored: others in this process take what is stored and not held for ended.
    this.hold(holder);
    try {
      const taken = await unlessAborted(this.try(asked, holder, signal), signal);
      if (!('holder' in taken)) this.letGo(holder);
      return taken;
    } catch (error) {
      // It may be stored: by a try that goes on after an abort, or whose acknowledgement got lost.
      void this.giveBack(holder);
      throw error;
    }
  }

  /** Stores the answer. @throws HashiraError DATABASE_UNAVAILABLE, also when another has taken over */
  async finish({ holder }: Claim, answer: NewAnswer): Promise<Message> {
    const message = await finishRequest(this.database, holder, answer);
    if (!message) throw new HashiraError('DATABASE_UNAVAILABLE', 'The answer could not be kept. Please try again.');
    this.letGo(holder);
    return message;
  }

  /** Lets others answer; without effect on what is finished. Never rejects: what the database does not hear, it finds out in time. */
  async release({ holder }: Claim): Promise<void> {
    if (this.held.has(holder)) await this.giveBack(holder);
  }

  stop(): void {
    clearInterval(this.heart);
  }

  private async giveBack(holder: string): Promise<void> {
    this.letGo(holder);
    await releaseRequest(this.database, holder).catch((err: unknown) =>
      this.log.debug({ err }, 'a claim was not released'),
    );
  }

  private async try(asked: Asked, holder: string, signal: AbortSignal): Promise<Claim | Message> {
    while (true) {
      const found = await this.find(asked);
      signal.throwIfAborted();
      if (!found) {
        const questionId = randomUUID();
        if (await this.insert(asked, holder, questionId)) {
          // Who has left meanwhile does not hear of it any more.
          if (signal.aborted) await this.giveBack(holder);
          return { holder, conversationId: asked.conversationId, questionId };
        }
        continue;
      }
      const { conversationId, questionId, answerId } = found;
      if (answerId !== null) {
        const answer = await findMessage(this.database, answerId);
        if (answer) return answer;
      } else if (this.isFree(found) && (await this.takeOver(asked, found, holder))) {
        if (signal.aborted) await this.giveBack(holder);
        return { holder, conversationId, questionId };
      }
      await sleep(this.times.pollMs, undefined, { signal });
    }
  }

  private async find({ question, scope, begunIn, conversation, conversationId }: Asked): Promise<Request | null> {
    const { clientMessageId, content } = question;
    const found = await findRequest(this.database, { scope, begunIn, clientMessageId, conversationId });
    if (!found) return null;
    const isThere = conversation ? found.conversationId === conversation.id : found.began;
    if (isThere && found.content.equals(content)) return found;
    throw new HashiraError('CONFLICT', 'This "clientMessageId" was used before, for another question.');
  }

  private insert(asked: Asked, holder: string, questionId: string): Promise<boolean> {
    const { question, scope, owner, conversation, conversationId } = asked;
    return insertRequest(this.database, {
      ...question,
      ...this.by(holder),
      scope,
      owner,
      conversationId,
      began: conversation === null,
      questionId,
    });
  }

  private takeOver({ question }: Asked, found: Request, holder: string): Promise<boolean> {
    const key = { scope: found.scope, clientMessageId: question.clientMessageId };
    return takeRequest(this.database, key, { holder: found.holder, ended: this.hasEnded(found) }, this.by(holder));
  }

  private isFree(request: Request): boolean {
    return request.holder === null || request.expired === true || this.hasEnded(request);
  }

  /** Of this process it is known at once. */
  private hasEnded({ holder, process }: Request): boolean {
    return holder !== null && process === this.process && !this.held.has(holder);
  }

  private by(holder: string): { holder: string; process: string; leaseMs: number } {
    return { holder, process: this.process, leaseMs: this.times.leaseMs };
  }

  private hold(holder: string): void {
    this.held.add(holder);
    this.heart ??= setInterval(() => void this.beat(), this.times.heartbeatMs).unref();
  }

  private letGo(holder: string): void {
    this.held.delete(holder);
    if (this.held.size > 0) return;
    clearInterval(this.heart);
    this.heart = undefined;
  }

  private async beat(): Promise<void> {
    await extendRequests(this.database, [...this.held], this.times.leaseMs).catch((err: unknown) =>
      this.log.debug({ err }, 'claims were not extended'),
    );
  }
}
