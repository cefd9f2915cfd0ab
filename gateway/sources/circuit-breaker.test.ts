import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CircuitBreaker } from './circuit-breaker.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const fail = (breaker: CircuitBreaker, times: number) => {
  for (let i = 0; i < times; i++) breaker.failed(breaker.enter());
};

describe('a circuit breaker', () => {
  it('opens after failures in a row and lets one call try after the pause', () => {
    const breaker = new CircuitBreaker({ inARow: 3, pauseMs: 1_000 });
    fail(breaker, 2);
    expect(breaker.state).toBe('closed');
    fail(breaker, 1);
    expect([breaker.state, breaker.enter()]).toEqual(['open', 0]);
    vi.advanceTimersByTime(1_001);
    const probe = breaker.enter();
    expect(probe).toBeGreaterThan(0);
    expect([breaker.state, breaker.enter()]).toEqual(['half-open', 0]);
    breaker.succeeded(probe);
    expect(breaker.state).toBe('closed');
    expect(breaker.enter()).toBeGreaterThan(0);
  });

  it('opens again when the try fails', () => {
    const breaker = new CircuitBreaker({ inARow: 1, pauseMs: 1_000 });
    fail(breaker, 1);
    vi.advanceTimersByTime(1_001);
    fail(breaker, 1);
    expect([breaker.state, breaker.enter()]).toEqual(['open', 0]);
  });

  it('lets the next call try when the client of the first one left', () => {
    const breaker = new CircuitBreaker({ inARow: 1, pauseMs: 1_000 });
    fail(breaker, 1);
    vi.advanceTimersByTime(1_001);
    breaker.abandoned(breaker.enter());
    breaker.succeeded(breaker.enter());
    expect(breaker.state).toBe('closed');
  });

  it('opens when half of many calls fail, never two in a row', () => {
    const breaker = new CircuitBreaker({ inARow: 5 });
    for (let i = 0; i < 9; i++) {
      breaker.succeeded(breaker.enter());
      fail(breaker, 1);
    }
    expect(breaker.state).toBe('closed');
    breaker.succeeded(breaker.enter());
    fail(breaker, 1);
    expect(breaker.state).toBe('open');
  });

  it('stays closed for a tenth of failures', () => {
    const breaker = new CircuitBreaker();
    for (let i = 0; i < 1_000; i++) {
      if (i % 10 === 0) fail(breaker, 1);
      else breaker.succeeded(breaker.enter());
    }
    expect(breaker.state).toBe('closed');
  });

  it('ignores what calls begun before say later', () => {
    const states: string[] = [];
    const breaker = new CircuitBreaker({ inARow: 1, pauseMs: 1_000 }, (state) => states.push(state));
    const [early, slow] = [breaker.enter(), breaker.enter()];
    breaker.failed(early);
    breaker.succeeded(slow);
    expect(breaker.state).toBe('open');
    vi.advanceTimersByTime(1_001);
    const probe = breaker.enter();
    breaker.failed(slow);
    breaker.succeeded(probe);
    breaker.failed(early);
    expect(states).toEqual(['open', 'half-open', 'closed']);
  });
});
