export type BreakerState = 'closed' | 'open' | 'half-open';

export interface CircuitBreakerOptions {
  /** Failures in a row that open it. @default 5 */
  inARow?: number;
  /** Failures among the latest calls that open it, from 0 to 1. @default 0.5 */
  ratio?: number;
  /** Ms for which nothing is let through, before one call may try. @default 5000 */
  pauseMs?: number;
}

/** So few calls say nothing about a ratio. */
const ENOUGH_CALLS = 20;
/** Then the counts are halved: what was long ago weighs less. */
const MANY_CALLS = 100;

/**
 * Stops asking a subgraph that does not answer, and lets one call try after a pause. A call takes an epoch from `enter` and gives it
 * back with its outcome: outcomes of calls begun before the state changed say nothing about the state now and are ignored.
 */
export class CircuitBreaker {
  state: BreakerState = 'closed';
  private epoch = 1;
  private row = 0;
  private calls = 0;
  private failures = 0;
  private openedAt = 0;
  private readonly inARow: number;
  private readonly ratio: number;
  private readonly pauseMs: number;

  /** @param onChange told of every new state */
  constructor(
    { inARow = 5, ratio = 0.5, pauseMs = 5_000 }: CircuitBreakerOptions = {},
    private readonly onChange?: (state: BreakerState) => void,
  ) {
    this.inARow = inARow;
    this.ratio = ratio;
    this.pauseMs = pauseMs;
  }

  /** The epoch of a call that may go now; 0 when it may not. */
  enter(): number {
    if (this.state === 'closed') return this.epoch;
    if (this.state === 'half-open' || performance.now() - this.openedAt < this.pauseMs) return 0;
    this.become('half-open');
    return this.epoch;
  }

  succeeded(epoch: number): void {
    if (epoch !== this.epoch) return;
    this.row = 0;
    this.count();
    if (this.state === 'half-open') this.become('closed');
  }

  failed(epoch: number): void {
    if (epoch !== this.epoch) return;
    this.row++;
    this.failures++;
    this.count();
    const mostly = this.calls >= ENOUGH_CALLS && this.failures >= this.calls * this.ratio;
    if (this.state === 'half-open' || this.row >= this.inARow || mostly) this.open();
  }

  /** The call ended without saying anything about the subgraph: its client left. */
  abandoned(epoch: number): void {
    if (epoch === this.epoch && this.state === 'half-open') {
      this.become('open');
      this.openedAt = Number.NEGATIVE_INFINITY;
    }
  }

  private open(): void {
    this.openedAt = performance.now();
    this.row = this.calls = this.failures = 0;
    this.become('open');
  }

  private become(state: BreakerState): void {
    this.state = state;
    this.epoch++;
    this.onChange?.(state);
  }

  private count(): void {
    if (++this.calls < MANY_CALLS) return;
    this.calls /= 2;
    this.failures /= 2;
  }
}
