import { LRUCache } from 'lru-cache';
import { HashiraError } from '../kit/errors.ts';

/** Who asked longest ago is forgotten beyond so many, who then may ask anew. */
const MAX_KEYS = 100_000;
const MINUTE = 60_000;

/** So many questions a minute for each key, all at once or evenly. */
export class RateLimit {
  /** When each key will have all its questions again, ms. */
  private readonly fullAt = new LRUCache<string, number>({ max: MAX_KEYS });

  /** @param perMinute 0: no limit */
  constructor(
    private readonly perMinute: number,
    private readonly now: () => number = Date.now,
  ) {}

  /** Counts a question. @throws HashiraError RATE_LIMITED, with the seconds to wait as `retryAfter` */
  take(key: string): void {
    if (this.perMinute === 0) return;
    const now = this.now();
    const fullAt = Math.max(now, this.fullAt.get(key) ?? 0) + MINUTE / this.perMinute;
    // What rounding adds up must not take the last question.
    const wait = fullAt - now - MINUTE - 0.001;
    if (wait > 0) {
      const retryAfter = Math.max(1, Math.ceil(wait / 1_000));
      throw new HashiraError('RATE_LIMITED', `Too many questions. Please try again in ${retryAfter} s.`, {
        extensions: { retryAfter },
      });
    }
    this.fullAt.set(key, fullAt);
  }
}

/** So many at a time. */
export class Places {
  private taken = 0;

  constructor(private readonly max: number) {}

  /** @returns gives the place back @throws HashiraError TOO_BUSY */
  take(): () => void {
    if (this.taken >= this.max) {
      throw new HashiraError(
        'TOO_BUSY',
        'The assistant has too many questions right now. Please try again in a moment.',
      );
    }
    this.taken++;
    let back = false;
    return () => {
      if (!back) this.taken--;
      back = true;
    };
  }
}
