import { HashiraError } from '../../subgraphs/kit/errors.ts';
import type { Logger } from '../../subgraphs/kit/log.ts';
import { identityKey } from '../access/identity-key.ts';
import type { Caller, Result, SubscriptionPlan } from '../answer.types.ts';
import type { GatewayContext } from '../context.ts';
import { networkOf } from '../protection/address.ts';
import { at } from './deadline.ts';
import { failure, shuttingDown, tokenExpired } from './failure.ts';
import { Subscriber } from './subscriber.ts';
import { Upstream } from './upstream.ts';

export interface SubscriptionsOptions {
  /** Streams one user, or one address of visitors, may have open at once. */
  perUser: number;
  /** Events that wait for one subscriber at most. */
  queue: number;
  /** How long a subscriber whose queue is full may hold up its upstream, ms. @default 2000 */
  patience?: number;
  log: Logger;
}

export interface SubscriptionStats {
  /** Open now. */
  subscribers: number;
  /** Open now; fewer than subscribers where those share. */
  upstreams: number;
  /** Upstreams since the start. `opened - closed` is what is still open in subgraphs. */
  opened: number;
  closed: number;
}

/**
 * All subscriptions of the gateway, whatever transport they came by.
 *
 * A subscriber reads at its own pace from a queue of bounded length. Nothing is dropped in silence: while a queue is full the
 * upstream waits, and who has not read in time is ended with SLOW_CONSUMER. Streams also end with TOKEN_EXPIRED when the token
 * of the caller does, with SHUTTING_DOWN, and with the code of the upstream's failure; each as a last result without data.
 */
export class Subscriptions {
  readonly stats: SubscriptionStats = { subscribers: 0, upstreams: 0, opened: 0, closed: 0 };
  readonly #options: SubscriptionsOptions;
  /** Those that others may join, by what they ask and for whom. */
  readonly #shared = new Map<string, Upstream>();
  readonly #upstreams = new Set<Upstream>();
  readonly #subscribers = new Set<Subscriber>();
  /** Open streams by user or address. */
  readonly #open = new Map<string, number>();
  #stopping = false;

  constructor(options: SubscriptionsOptions) {
    this.#options = options;
  }

  /**
   * Answers to the events of a subscription, until its source ends, `return()` is called, or the caller leaves.
   * @throws HashiraError TOO_MANY_SUBSCRIPTIONS, TOKEN_EXPIRED, SHUTTING_DOWN, or why the subgraph did not accept
   */
  async open(plan: SubscriptionPlan, context: GatewayContext, caller: Caller): Promise<AsyncIterableIterator<Result>> {
    if (this.#stopping) throw shuttingDown();
    if (caller.expires <= Date.now()) throw tokenExpired();
    caller.signal.throwIfAborted();
    const release = this.#admit(caller);

    const leave = () => subscriber.end();
    const subscriber = new Subscriber(this.#options.queue, () => {
      cancelExpiry();
      caller.signal.removeEventListener('abort', leave);
      upstream.leave(subscriber);
      this.#subscribers.delete(subscriber);
      this.stats.subscribers--;
      release();
    });
    const cancelExpiry = at(caller.expires, () => subscriber.end(failure(tokenExpired(), this.#options.log)));
    caller.signal.addEventListener('abort', leave, { once: true });
    this.#subscribers.add(subscriber);
    this.stats.subscribers++;
    const upstream = this.#upstream(plan, context);
    upstream.join(subscriber, plan);
    try {
      await upstream.opened;
    } catch (error) {
      subscriber.end();
      throw error;
    }
    return subscriber;
  }

  /** Ends all streams with SHUTTING_DOWN and all upstreams; waits a second at most for subgraphs to end theirs. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const subscriber of this.#subscribers) subscriber.end(failure(shuttingDown(), this.#options.log));
    const late = new Promise((resolve) => setTimeout(resolve, 1_000).unref());
    await Promise.race([Promise.all([...this.#upstreams].map(({ closed }) => closed)), late]);
  }

  #upstream(plan: SubscriptionPlan, context: GatewayContext): Upstream {
    const key = plan.shareable
      ? JSON.stringify([plan.subgraph, plan.text, plan.variables, identityKey(context.identity)])
      : null;
    const known = key === null ? undefined : this.#shared.get(key);
    if (known) return known;
    const upstream: Upstream = new Upstream(plan, context, this.#options.patience ?? 2_000, () => {
      if (key !== null && this.#shared.get(key) === upstream) this.#shared.delete(key);
      this.stats.upstreams--;
    });
    if (key !== null) this.#shared.set(key, upstream);
    this.#upstreams.add(upstream);
    this.stats.upstreams++;
    this.stats.opened++;
    void upstream.closed.then(() => {
      this.#upstreams.delete(upstream);
      this.stats.closed++;
    });
    return upstream;
  }

  /** Counts the stream in. @returns what counts it out again */
  #admit({ identity, address }: Caller): () => void {
    const who = identity ? `user ${identity.subject}` : `network ${networkOf(address)}`;
    const open = this.#open.get(who) ?? 0;
    if (open >= this.#options.perUser) {
      throw new HashiraError(
        'TOO_MANY_SUBSCRIPTIONS',
        `You have ${open} subscriptions open, which is as many as are allowed. End one first.`,
      );
    }
    this.#open.set(who, open + 1);
    return () => {
      const rest = (this.#open.get(who) ?? 1) - 1;
      if (rest > 0) this.#open.set(who, rest);
      else this.#open.delete(who);
    };
  }
}
