import type { BreakerState } from './circuit-breaker.ts';

export type FetchOutcome = 'ok' | 'error' | 'timeout' | 'aborted' | 'open';

/** Told of every fetch from a subgraph, for metrics. */
export interface FetchObserver {
  /** @param ms from the call to its end, further tries included */
  onFetch(subgraph: string, outcome: FetchOutcome, ms: number): void;
  onBreaker?(subgraph: string, state: BreakerState): void;
}
