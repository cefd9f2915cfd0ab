import { setTimeout as sleep } from 'node:timers/promises';
import { ERROR_CODES, type ErrorCode, HashiraError } from '../../subgraphs/kit/errors.ts';
import type { Logger } from '../../subgraphs/kit/log.ts';
import type { SubscriptionPlan } from '../answer.types.ts';
import type { GatewayContext } from '../context.ts';
import type { SubgraphResult } from '../sources/source.ts';
import { detached } from './detached.ts';
import { failure, slowConsumer } from './failure.ts';
import { SharedEvent } from './shared-event.ts';
import type { Subscriber } from './subscriber.ts';

/** Waits before each try to reach a lost subgraph again, ms; half of it is left to chance. */
const BACKOFF = [250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000];

/** One subscription to a subgraph, on behalf of one or more subscribers. It ends with the last of them. */
export class Upstream {
  /** When the subgraph has accepted; rejects when it did not. */
  readonly opened: Promise<void>;
  /** When nothing of it is left. Never rejects. */
  readonly closed: Promise<void>;
  readonly #plan: SubscriptionPlan;
  readonly #context: GatewayContext;
  readonly #patience: number;
  readonly #log: Logger;
  readonly #subscribers = new Map<Subscriber, SubscriptionPlan>();
  readonly #left = new AbortController();
  readonly #opening = Promise.withResolvers<void>();
  #iterator: AsyncIterableIterator<SubgraphResult> | null = null;
  #latest: SharedEvent | null = null;

  /**
   * @param patience ms for which a full queue may hold up the events
   * @param onEnd called once, as soon as nobody may join any more
   */
  constructor(plan: SubscriptionPlan, context: GatewayContext, patience: number, onEnd: () => void) {
    this.#plan = plan;
    this.#context = detached(context, this.#left.signal);
    this.#patience = patience;
    this.#log = context.log;
    this.#left.signal.addEventListener('abort', onEnd, { once: true });
    this.opened = this.#opening.promise;
    this.opened.catch(() => {}); // Who opens it awaits it; it may have left.
    this.closed = this.#run();
  }

  /** A late subscriber is told the latest event at once. */
  join(subscriber: Subscriber, plan: SubscriptionPlan): void {
    this.#subscribers.set(subscriber, plan);
    if (this.#latest) this.#push(this.#latest.again(), subscriber, plan);
  }

  leave(subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber);
    if (this.#subscribers.size === 0) this.#close();
  }

  async #run(): Promise<void> {
    let error: unknown;
    for (let failures = 0; !this.#left.signal.aborted; failures++) {
      const since = this.#latest;
      error = await this.#listen();
      if (!this.#mayTryAgain(error)) break;
      if (this.#latest !== since) failures = 0;
      const wait = BACKOFF[failures];
      if (wait === undefined) break;
      this.#log.debug({ err: error, subgraph: this.#plan.subgraph }, 'subscribing again soon');
      const jittered = wait / 2 + Math.random() * (wait / 2);
      await sleep(jittered, undefined, { signal: this.#left.signal, ref: false }).catch(() => {});
    }
    this.#opening.reject(error);
    const last = error === undefined ? undefined : failure(error, this.#log);
    const subscribers = [...this.#subscribers.keys()];
    this.#subscribers.clear();
    this.#close();
    for (const subscriber of subscribers) subscriber.finish(last);
  }

  /** Hands events on until there are no more. @returns why it broke; undefined when the subgraph ended it or nobody is left */
  async #listen(): Promise<unknown> {
    const { signal } = this.#left;
    try {
      const iterator = await this.#plan.fetch.subscribe(this.#plan.variables, this.#context);
      this.#iterator = iterator;
      if (signal.aborted) {
        await iterator.return?.();
        return undefined;
      }
      this.#opening.resolve();
      for (;;) {
        const { done, value } = await iterator.next();
        if (done || signal.aborted) return undefined;
        const event = new SharedEvent(value, this.#context);
        if (this.#plan.shareable) this.#latest = event;
        let full = false;
        for (const [subscriber, plan] of this.#subscribers) {
          this.#push(event, subscriber, plan);
          full ||= subscriber.full;
        }
        if (full) await this.#room();
      }
    } catch (error) {
      return signal.aborted ? undefined : error;
    }
  }

  #push(event: SharedEvent, subscriber: Subscriber, plan: SubscriptionPlan): void {
    subscriber.push(() => event.answer(plan));
  }

  /**
   * Waits for the slow. Alone on its upstream a subscriber slows only its own source down, and may do so while it goes on
   * reading; where others wait too it must have caught up within the time.
   */
  async #room(): Promise<void> {
    const waiting = [...this.#subscribers.keys()].filter(({ full }) => full);
    await Promise.all(
      waiting.map(async (subscriber) => {
        const since = this.#plan.shareable ? (subscriber.behindSince ?? Date.now()) : Date.now();
        const inTime = await subscriber.room(Math.max(0, since + this.#patience - Date.now()));
        if (!inTime) subscriber.end(failure(slowConsumer(), this.#log));
      }),
    );
  }

  /** Only where the latest event says all may one go on after a gap; and asking again must not do something again. */
  #mayTryAgain(error: unknown): boolean {
    if (!this.#plan.shareable || this.#left.signal.aborted || !(error instanceof HashiraError)) return false;
    return this.#iterator !== null && isOutage(error.code);
  }

  #close(): void {
    if (this.#left.signal.aborted) return;
    this.#iterator?.return?.().catch((error: unknown) => {
      this.#log.debug({ err: error, subgraph: this.#plan.subgraph }, 'a subscription ended badly');
    });
    this.#left.abort();
    this.#opening.resolve();
  }
}

const isOutage = (code: ErrorCode): boolean => code.startsWith('SUBGRAPH_') && ERROR_CODES[code].retryable;
