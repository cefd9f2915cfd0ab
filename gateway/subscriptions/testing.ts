import { createLogger } from '../../subgraphs/kit/log.ts';
import type { Caller, Result, SubscriptionPlan } from '../answer.types.ts';
import type { GatewayContext } from '../context.ts';
import type { SubgraphFetch, SubgraphResult, Variables } from '../sources/source.ts';

const log = createLogger('test', 'silent');

/** A subgraph that is told what to send. It counts its generators. */
export class TestSubgraph implements SubgraphFetch {
  opened = 0;
  ended = 0;
  contexts: GatewayContext[] = [];
  /** What the next subscription yields; by default what `send` is given. */
  source: (signal: AbortSignal) => AsyncIterable<SubgraphResult> | Promise<never> = (signal) => this.#sent(signal);
  #listeners = new Set<(event: SubgraphResult | Error | null) => void>();

  execute(): never {
    throw new Error('not here');
  }

  async subscribe(_: Variables, context: GatewayContext): Promise<AsyncIterableIterator<SubgraphResult>> {
    this.contexts.push(context);
    const source = await this.source(context.signal as AbortSignal);
    return this.#counted(source);
  }

  /** An event for all who listen; null ends them, an error breaks them. */
  send(event: number | Error | null): void {
    for (const listener of this.#listeners) {
      listener(typeof event === 'number' ? { data: { n: event } } : event);
    }
  }

  async *#counted(source: AsyncIterable<SubgraphResult>): AsyncGenerator<SubgraphResult> {
    this.opened++;
    try {
      yield* source;
    } finally {
      this.ended++;
    }
  }

  async *#sent(signal: AbortSignal): AsyncGenerator<SubgraphResult> {
    const queue: (SubgraphResult | Error | null)[] = [];
    let wake = () => {};
    const listener = (event: SubgraphResult | Error | null) => {
      queue.push(event);
      wake();
    };
    const leave = () => listener(null);
    signal.addEventListener('abort', leave);
    this.#listeners.add(listener);
    try {
      for (;;) {
        while (queue.length === 0) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        const event = queue.shift();
        if (event instanceof Error) throw event;
        if (!event) return;
        yield event;
      }
    } finally {
      this.#listeners.delete(listener);
      signal.removeEventListener('abort', leave);
    }
  }
}

/** Answers `{n}` of the event; `over` replaces parts of it. */
export function testPlan(fetch: SubgraphFetch, over: Partial<SubscriptionPlan> = {}): SubscriptionPlan {
  return {
    subgraph: 'test',
    text: 'subscription{n}',
    fetch,
    variables: {},
    shareable: false,
    respond: (event) => ({ data: event.data }) as Result,
    ...over,
  };
}

export function testCaller(over: Partial<Caller> = {}): Caller {
  return {
    identity: null,
    expires: Number.POSITIVE_INFINITY,
    address: '127.0.0.1',
    requestId: 'r',
    signal: new AbortController().signal,
    log,
    mayWrite: true,
    ...over,
  };
}

export const testContext = ({ identity, requestId, signal }: Caller): GatewayContext => ({
  identity,
  requestId,
  signal,
  log,
  subgraphContexts: new Map(),
});

export const silent = log;
