import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { BreakerState } from '../sources/circuit-breaker.ts';
import type { FetchObserver, FetchOutcome } from '../sources/fetch-observer.ts';
import { BoundedLabels } from './bounded-labels.ts';
import { Histogram } from './histogram.ts';
import type { Outcome } from './outcome.ts';

export type OperationKind = 'query' | 'mutation' | 'subscription';

const BREAKER_VALUES: Record<BreakerState, number> = { closed: 0, 'half-open': 1, open: 2 };

/** Seconds. In-process queries take less than a millisecond, remote ones up to their time-out. */
const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/**
 * What Prometheus is told about this process. A gateway without metrics holds null in its place.
 * Every label has a bounded set of values. Durations are taken in ms and shown in seconds, as Prometheus wants them.
 */
export class Metrics implements FetchObserver {
  private readonly registry = new Registry();
  /** Both come from outside: clients name operations, and subgraphs may have codes of their own. */
  private readonly names = new BoundedLabels(200);
  private readonly codes = new BoundedLabels(60);

  private readonly requests = this.histogram('request_duration_seconds', 'Requests, from arrival to answer.', [
    'operation',
    'kind',
    'outcome',
  ]);
  private readonly fetches = this.histogram('subgraph_fetch_duration_seconds', 'Fetches from subgraphs.', [
    'subgraph',
    'outcome',
  ]);
  private readonly plans = this.histogram('plan_duration_seconds', 'Planning of operations not seen before.', []);
  private readonly breakers = this.gauge(
    'subgraph_breaker_state',
    'Circuit breaker of a subgraph: 0 closed, 1 half open, 2 open.',
    ['subgraph'],
  );
  private readonly lookups = this.counter('cache_lookups_total', 'Look-ups in a cache.', ['cache', 'result']);
  private readonly refusals = this.counter('refused_total', 'Requests that were not run, by code.', ['code']);
  private readonly events = this.counter('subscription_events_total', 'Events sent to subscribers.', []);
  private readonly ended = this.counter('subscriptions_ended_total', 'Subscriptions ended, by reason.', ['reason']);
  private readonly reloads = this.counter('supergraph_reloads_total', 'Changes of the supergraph.', ['outcome']);
  private readonly loaded = this.gauge('supergraph_loaded_timestamp_seconds', 'When the served one was loaded.', []);

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  /** @param kind unknown for a request refused before its operation was found */
  request(name: string | undefined, kind: OperationKind | undefined, outcome: Outcome, ms: number): void {
    // What was refused takes no place, or junk would fill them.
    const operation = name ? this.names.label(name, outcome !== 'refused') : 'anonymous';
    this.requests.observe(ms / 1000, operation, kind ?? 'unknown', outcome);
  }

  /** A request that was not run: rate limited, too large, not trusted, … @param code one of the catalogue */
  refused(code: string): void {
    this.refusals.of(this.codes.label(code)).inc();
  }

  /** @param outcome `open`: not sent, the circuit breaker being open; `aborted`: the client left */
  onFetch(subgraph: string, outcome: FetchOutcome, ms: number): void {
    this.fetches.observe(ms / 1000, subgraph, outcome);
  }

  onBreaker(subgraph: string, state: BreakerState): void {
    this.breakers.of(subgraph).set(BREAKER_VALUES[state]);
  }

  lookup(cache: 'operation' | 'plan', hit: boolean): void {
    this.lookups.of(cache, hit ? 'hit' : 'miss').inc();
  }

  planned(ms: number): void {
    this.plans.observe(ms / 1000);
  }

  /** Shows these as they are whenever the page is read. */
  streams(stats: Readonly<{ subscribers: number; upstreams: number }>): void {
    const shown = [
      ['subscriptions_open', 'Subscriptions of clients now.', () => stats.subscribers],
      ['upstream_streams_open', 'Streams from subgraphs now; subscriptions may share one.', () => stats.upstreams],
    ] as const;
    for (const [name, help, value] of shown) {
      const collect = function (this: Gauge) {
        this.set(value());
      };
      new Gauge({ ...this.named(name, help, []), collect });
    }
  }

  event(): void {
    this.events.of().inc();
  }

  /** A subscription ended. @param reason `complete`, `left` when its client did, or the code of an error */
  streamEnded(reason: string): void {
    this.ended.of(this.codes.label(reason)).inc();
  }

  /** A supergraph was taken into service or refused; the first one counts too. */
  supergraph(outcome: 'served' | 'refused'): void {
    this.reloads.of(outcome).inc();
    if (outcome === 'served') this.loaded.of().set(Date.now() / 1000);
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  /** The page that Prometheus reads. */
  text(): Promise<string> {
    return this.registry.metrics();
  }

  private histogram(name: string, help: string, labelNames: string[]) {
    return new Histogram(`hashira_${name}`, help, labelNames, SECONDS, this.registry);
  }

  private counter(name: string, help: string, labelNames: string[]) {
    return children(new Counter(this.named(name, help, labelNames)));
  }

  private gauge(name: string, help: string, labelNames: string[]) {
    return children(new Gauge(this.named(name, help, labelNames)));
  }

  private named(name: string, help: string, labelNames: string[]) {
    return { name: `hashira_${name}`, help, labelNames, registers: [this.registry] };
  }
}

/** The children of a metric by label values, bound once: prom-client binds anew at each call. */
function children<Child>(metric: { labels(...values: string[]): Child }) {
  const bound = new Map<string, Child>();
  return {
    of(...values: string[]): Child {
      const key = values.join(' ');
      let child = bound.get(key);
      if (!child) {
        child = metric.labels(...values);
        bound.set(key, child);
      }
      return child;
    },
  };
}
