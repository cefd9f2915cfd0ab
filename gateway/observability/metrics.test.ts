import { describe, expect, it } from 'vitest';
import { Metrics } from './metrics.ts';

/** The samples of our own metrics, without those of buckets. */
async function samples(metrics: Metrics, name: string): Promise<string[]> {
  const text = await metrics.text();
  return text.split('\n').filter((line) => line.startsWith(`hashira_${name}`) && !line.includes('_bucket{'));
}

describe('metrics', () => {
  it('count and time requests by operation, kind and outcome', async () => {
    const metrics = new Metrics();
    metrics.request('Cart', 'query', 'ok', 500);
    metrics.request('Cart', 'query', 'ok', 250);
    metrics.request('Cart', 'query', 'partial', 250);
    metrics.request(undefined, 'mutation', 'ok', 100);
    expect(await samples(metrics, 'request_duration_seconds_')).toEqual([
      'hashira_request_duration_seconds_sum{operation="Cart",kind="query",outcome="ok"} 0.75',
      'hashira_request_duration_seconds_count{operation="Cart",kind="query",outcome="ok"} 2',
      'hashira_request_duration_seconds_sum{operation="Cart",kind="query",outcome="partial"} 0.25',
      'hashira_request_duration_seconds_count{operation="Cart",kind="query",outcome="partial"} 1',
      'hashira_request_duration_seconds_sum{operation="anonymous",kind="mutation",outcome="ok"} 0.1',
      'hashira_request_duration_seconds_count{operation="anonymous",kind="mutation",outcome="ok"} 1',
    ]);
  });

  it('keep at most 200 operation names, and give no place to what was refused', async () => {
    const metrics = new Metrics();
    for (let i = 0; i < 500; i++) metrics.request(`Junk${i}`, undefined, 'refused', 1);
    for (let i = 0; i < 300; i++) metrics.request(`Op${i}`, 'query', 'ok', 1);
    metrics.request('x'.repeat(101), 'query', 'ok', 1);
    metrics.request('Op7', 'query', 'ok', 1);
    const counts = await samples(metrics, 'request_duration_seconds_count');
    expect(counts).toHaveLength(202);
    expect(counts).toContain(
      'hashira_request_duration_seconds_count{operation="other",kind="unknown",outcome="refused"} 500',
    );
    expect(counts).toContain('hashira_request_duration_seconds_count{operation="other",kind="query",outcome="ok"} 101');
    expect(counts).toContain('hashira_request_duration_seconds_count{operation="Op7",kind="query",outcome="ok"} 2');
  });

  it('show each subgraph and its breaker', async () => {
    const metrics = new Metrics();
    metrics.onFetch('catalog', 'ok', 10);
    metrics.onFetch('catalog', 'open', 0);
    metrics.onBreaker('catalog', 'open');
    expect(await samples(metrics, 'subgraph_fetch_duration_seconds_count')).toHaveLength(2);
    expect(await samples(metrics, 'subgraph_breaker_state')).toEqual([
      'hashira_subgraph_breaker_state{subgraph="catalog"} 2',
    ]);
  });

  it('keep the number of codes small, whatever subgraphs call theirs', async () => {
    const metrics = new Metrics();
    for (let i = 0; i < 100; i++) metrics.refused(`CODE_${i}`);
    expect(await samples(metrics, 'refused_total')).toHaveLength(61);
  });

  it('show what subscriptions do', async () => {
    const metrics = new Metrics();
    const stats = { subscribers: 0, upstreams: 0 };
    metrics.streams(stats);
    Object.assign(stats, { subscribers: 2, upstreams: 1 });
    metrics.event();
    metrics.streamEnded('SLOW_CONSUMER');
    expect(await samples(metrics, 'subscription')).toEqual([
      'hashira_subscription_events_total 1',
      'hashira_subscriptions_ended_total{reason="SLOW_CONSUMER"} 1',
      'hashira_subscriptions_open 2',
    ]);
    expect(await samples(metrics, 'upstream_streams_open')).toEqual(['hashira_upstream_streams_open 1']);
  });

  it('show caches, plans, refusals, the supergraph served and the process', async () => {
    const metrics = new Metrics();
    metrics.lookup('operation', true);
    metrics.lookup('operation', false);
    metrics.planned(15);
    metrics.refused('RATE_LIMITED');
    metrics.supergraph('served');
    metrics.supergraph('refused');
    expect(await samples(metrics, 'cache')).toEqual([
      'hashira_cache_lookups_total{cache="operation",result="hit"} 1',
      'hashira_cache_lookups_total{cache="operation",result="miss"} 1',
    ]);
    expect(await samples(metrics, 'plan_duration_seconds_sum')).toEqual(['hashira_plan_duration_seconds_sum 0.015']);
    expect(await samples(metrics, 'refused')).toEqual(['hashira_refused_total{code="RATE_LIMITED"} 1']);
    expect(await samples(metrics, 'supergraph_reloads')).toEqual([
      'hashira_supergraph_reloads_total{outcome="served"} 1',
      'hashira_supergraph_reloads_total{outcome="refused"} 1',
    ]);
    const [loaded] = await samples(metrics, 'supergraph_loaded');
    expect(Math.abs(Number(loaded?.split(' ')[1]) - Date.now() / 1000)).toBeLessThan(5);
    expect(await metrics.text()).toMatch(/^nodejs_eventloop_lag_seconds /m);
    expect(metrics.contentType).toMatch(/^text\/plain/);
  });
});
