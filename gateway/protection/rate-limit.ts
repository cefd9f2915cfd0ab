import type { Config } from '../../subgraphs/kit/config.ts';
import { HashiraError } from '../../subgraphs/kit/errors.ts';
import type { Caller } from '../answer.types.ts';
import { networkOf } from './address.ts';

const MINUTE = 60_000;
/** Half of the users, and of the addresses, remembered at once. Beyond, those that did not come lately start anew. */
const MAX_KEYS = 50_000;

/** Clock in ms that never goes back. */
type Clock = () => number;

/**
 * How often one user, and all visitors of one network together, may ask. Of its own making because a request that is answered
 * within this process costs no turn of the event loop, and rate-limiter-flexible gives promises, with a timer per key: 110 MB
 * for 200,000 addresses.
 */
export class RateLimit {
  private readonly users: Bucket | null;
  private readonly networks: Bucket | null;

  constructor(
    config: Pick<Config, 'RATE_LIMIT_PER_MINUTE' | 'RATE_LIMIT_ADDRESS_PER_MINUTE'>,
    now: Clock = () => performance.now(),
  ) {
    const bucket = (perMinute: number) => (perMinute > 0 ? new Bucket(perMinute, now) : null);
    this.users = bucket(config.RATE_LIMIT_PER_MINUTE);
    this.networks = bucket(config.RATE_LIMIT_ADDRESS_PER_MINUTE);
  }

  /** Counts one request. @throws HashiraError RATE_LIMITED with `retryAfter`, seconds until the next one may come */
  take(caller: Pick<Caller, 'identity' | 'address'>): void {
    const wait = caller.identity
      ? this.users?.take(caller.identity.subject)
      : this.networks?.take(networkOf(caller.address));
    if (!wait) return;
    const retryAfter = Math.ceil(wait / 1000);
    throw new HashiraError('RATE_LIMITED', `Too many requests. Please try again in ${retryAfter} s.`, {
      extensions: { retryAfter },
    });
  }
}

/**
 * Generic cell rate algorithm: a minute's requests may come at once, and then as many as time gives back. One number per key.
 * @see https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm
 */
class Bucket {
  /** When each key will have its whole minute again, by the clock; those that came lately, and those before. */
  private lately = new Map<string, number>();
  private before = new Map<string, number>();
  private readonly interval: number;

  constructor(
    perMinute: number,
    private readonly now: Clock,
  ) {
    this.interval = MINUTE / perMinute;
  }

  /** Milliseconds to wait; 0 when the request may pass, which is then counted. */
  take(key: string): number {
    const now = this.now();
    const known = this.lately.get(key) ?? this.before.get(key) ?? now;
    const restored = Math.max(known, now) + this.interval;
    const wait = restored - now - MINUTE;
    // Intervals are fractions: their sum may be beyond the minute by less than anybody can wait.
    if (wait > 1e-3) return wait;
    if (this.lately.size >= MAX_KEYS) {
      this.before = this.lately;
      this.lately = new Map();
    }
    this.lately.set(key, restored);
    return 0;
  }
}
