import { describe, expect, it } from 'vitest';
import { RateLimit } from './rate-limit.ts';

const visitor = (address: string) => ({ identity: null, address });
const user = (subject: string, address = '1.2.3.4') => ({ identity: { subject, scopes: [] }, address });

function limit(users: number, addresses: number) {
  const clock = { now: 1_000 };
  const limited = new RateLimit(
    { RATE_LIMIT_PER_MINUTE: users, RATE_LIMIT_ADDRESS_PER_MINUTE: addresses },
    () => clock.now,
  );
  /** How many of these many requests pass. */
  const passed = (count: number, caller: Parameters<RateLimit['take']>[0]) => {
    let done = 0;
    for (let i = 0; i < count; i++) {
      try {
        limited.take(caller);
        done++;
      } catch {
        // refused
      }
    }
    return done;
  };
  return { clock, limited, passed };
}

describe('RateLimit', () => {
  it('lets the requests of a minute come at once, and then as time gives them back', () => {
    const { clock, passed } = limit(60, 0);
    expect(passed(100, user('a'))).toBe(60);
    clock.now += 999;
    expect(passed(100, user('a'))).toBe(0);
    clock.now += 1;
    expect(passed(100, user('a'))).toBe(1);
    clock.now += 10_000;
    expect(passed(100, user('a'))).toBe(10);
    clock.now += 600_000;
    expect(passed(100, user('a'))).toBe(60);
  });

  it('says how long to wait', () => {
    const { limited } = limit(2, 0);
    limited.take(user('a'));
    limited.take(user('a'));
    expect(() => limited.take(user('a'))).toThrow(
      expect.objectContaining({
        code: 'RATE_LIMITED',
        message: 'Too many requests. Please try again in 30 s.',
        extensions: { code: 'RATE_LIMITED', retryAfter: 30 },
      }),
    );
  });

  it('counts each user by itself, wherever the requests come from', () => {
    const { passed } = limit(5, 3);
    expect(passed(3, user('a', '1.1.1.1')) + passed(3, user('a', '2.2.2.2'))).toBe(5);
    expect(passed(9, user('b', '1.1.1.1'))).toBe(5);
  });

  it('counts visitors of one network together', () => {
    const { passed } = limit(5, 3);
    expect(passed(9, visitor('1.1.1.1'))).toBe(3);
    expect(passed(9, visitor('1.1.1.2'))).toBe(3);
    expect(passed(2, visitor('2001:db8::1')) + passed(9, visitor('2001:db8::2'))).toBe(3);
    expect(passed(9, user('a', '1.1.1.1'))).toBe(5);
  });

  it('has no limit when it is 0', () => {
    const { passed } = limit(0, 0);
    expect(passed(20_000, user('a')) + passed(20_000, visitor('1.1.1.1'))).toBe(40_000);
  });

  it('counts exactly when the interval is no whole number', () => {
    const { passed } = limit(6_007, 0);
    expect(passed(7_000, user('a'))).toBe(6_007);
  });

  it('keeps its memory under a flood of addresses', () => {
    const { limited } = limit(0, 10);
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 500_000; i++) limited.take(visitor(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`));
    // 100,000 addresses of some 100 bytes each.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(80_000_000);
  });

  it('costs next to nothing', () => {
    const { limited } = limit(0, 1e9);
    const start = performance.now();
    for (let i = 0; i < 200_000; i++) limited.take(visitor('2001:db8::1'));
    // About 1.3 µs for an IPv6 address, 0.06 µs for a user.
    expect((performance.now() - start) / 200).toBeLessThan(20);
  });
});
