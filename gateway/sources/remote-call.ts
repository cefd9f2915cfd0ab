import type { Dispatcher, Pool } from 'undici';
import { type ErrorCode, HashiraError } from '../../subgraphs/kit/errors.ts';
import type { GatewayContext } from '../context.ts';
import type { CircuitBreaker } from './circuit-breaker.ts';
import type { FetchObserver, FetchOutcome } from './fetch-observer.ts';
import type { SubgraphResult } from './source.ts';

/** What all calls of one subgraph share. */
export interface Upstream {
  name: string;
  pool: Pool;
  breaker: CircuitBreaker;
  /** For a whole call, further tries included. */
  timeoutMs: number;
  observer: FetchObserver | undefined;
}

/** A connection that could not be made or broke: another try may find a better one. */
const BROKEN = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT',
]);
const TRY_AGAIN = new Set([502, 503, 504]);
const JSON_TYPE = /^application\/(json|graphql-response\+json)\b/i;
/** Ms after which a call looks whether its client is still there: making and hearing an AbortSignal costs more than it is worth before. */
const SOON_MS = 20;
/** Longest wait before the first further try; four times that before the next. */
const FIRST_WAIT_MS = 50;

const codeOf = (error: Error) => (error as Error & { code?: string }).code ?? '';
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const isResult = (value: unknown): value is SubgraphResult =>
  isObject(value) &&
  (value.errors == null ? 'data' in value : Array.isArray(value.errors) && value.errors.every(isObject));

/** One operation sent to a subgraph: its tries, its time limit, its end. It is itself undici's handler: few objects per fetch. */
export class RemoteCall implements Dispatcher.DispatchHandler {
  private controller: Dispatcher.DispatchController | undefined;
  private status = 0;
  private contentType: unknown;
  private first: Buffer | undefined;
  private more: Buffer[] | undefined;
  private tries = 0;
  private epoch = 0;
  private began = 0;
  private timer: NodeJS.Timeout | undefined;
  private signal: AbortSignal | undefined;
  private wait: NodeJS.Timeout | undefined;
  private ended = false;

  constructor(
    private readonly upstream: Upstream,
    private readonly request: Dispatcher.DispatchOptions,
    private readonly retries: number,
    private readonly context: Pick<GatewayContext, 'signal'>,
    private readonly resolve: (result: SubgraphResult) => void,
    private readonly reject: (reason: unknown) => void,
  ) {}

  start(): void {
    const { upstream } = this;
    this.began = performance.now();
    this.epoch = upstream.breaker.enter();
    if (this.epoch === 0) {
      this.fail('open', new Error('The circuit breaker is open.'));
      return;
    }
    this.timer = setTimeout(onStillWaiting, Math.min(SOON_MS, upstream.timeoutMs), this);
    this.send();
  }

  /** Most answers are here by now. For the others it matters whether somebody still waits for them. */
  stillWaiting(): void {
    const { signal } = this.context;
    this.signal = signal;
    if (signal?.aborted) {
      this.handleEvent();
      return;
    }
    signal?.addEventListener('abort', this);
    this.timer = setTimeout(onTimeout, Math.max(0, this.upstream.timeoutMs - SOON_MS), this);
  }

  /** The client has left. */
  handleEvent(): void {
    this.upstream.breaker.abandoned(this.epoch);
    this.end('aborted');
    this.reject(this.signal?.reason);
    this.stop();
  }

  timedOut(): void {
    this.upstream.breaker.failed(this.epoch);
    this.fail('timeout', undefined, `took longer than ${this.upstream.timeoutMs / 1_000} s`, 'SUBGRAPH_TIMEOUT');
    this.stop();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Thrown, the request is dropped and its connection kept; an abort would close a connection that nothing was sent on.
    if (this.ended) throw new Error('The call ended while it waited for a connection.');
    this.controller = controller;
  }

  onResponseStart(_: unknown, status: number, headers: Record<string, unknown>): void {
    this.status = status;
    this.contentType = headers['content-type'];
  }

  onResponseData(_: unknown, chunk: Buffer): void {
    if (this.first === undefined) this.first = chunk;
    else if (this.more === undefined) this.more = [this.first, chunk];
    else this.more.push(chunk);
  }

  onResponseEnd(): void {
    if (this.ended) return;
    const { breaker } = this.upstream;
    if (TRY_AGAIN.has(this.status) && this.again()) return;
    const result = this.parse();
    if (this.status >= 500 || (this.status < 400 && !result)) breaker.failed(this.epoch);
    else breaker.succeeded(this.epoch);
    if (!result) {
      const text = this.text().slice(0, 200);
      this.fail('error', new Error(`HTTP ${this.status}, ${this.contentType ?? 'no content type'}: ${text}`));
      return;
    }
    this.end(this.status >= 500 ? 'error' : 'ok');
    this.resolve(result);
  }

  onResponseError(_: unknown, error: Error): void {
    if (this.ended) return;
    const broken = BROKEN.has(codeOf(error));
    if (broken && this.again()) return;
    // An answer that is too large is the operation's fault.
    if (codeOf(error) === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') this.upstream.breaker.succeeded(this.epoch);
    else this.upstream.breaker.failed(this.epoch);
    this.fail('error', error, broken ? 'cannot be reached' : undefined);
  }

  private send(): void {
    this.tries++;
    this.upstream.pool.dispatch(this.request, this);
  }

  /** Another try, after a random while, if there may be one. */
  private again(): boolean {
    if (this.tries > this.retries || this.upstream.breaker.state !== 'closed') return false;
    this.controller = this.first = this.more = undefined;
    this.wait = setTimeout(() => this.send(), Math.random() * FIRST_WAIT_MS * 4 ** (this.tries - 1));
    return true;
  }

  private text(): string {
    if (this.more) return Buffer.concat(this.more).toString();
    return this.first?.toString() ?? '';
  }

  private parse(): SubgraphResult | undefined {
    if (this.contentType !== undefined && !JSON_TYPE.test(String(this.contentType))) return undefined;
    try {
      const value: unknown = JSON.parse(this.text());
      return isResult(value) ? value : undefined;
    } catch {
      return undefined;
    }
  }

  private end(outcome: FetchOutcome): void {
    this.ended = true;
    clearTimeout(this.timer);
    clearTimeout(this.wait);
    this.signal?.removeEventListener('abort', this);
    this.upstream.observer?.onFetch(this.upstream.name, outcome, performance.now() - this.began);
  }

  private fail(
    outcome: FetchOutcome,
    cause: unknown,
    what = 'does not answer',
    code: ErrorCode = 'SUBGRAPH_UNAVAILABLE',
  ): void {
    this.end(outcome);
    this.reject(new HashiraError(code, `The subgraph "${this.upstream.name}" ${what}. Please try again.`, { cause }));
  }

  /** Closes the connection on which the answer would come. */
  private stop(): void {
    this.controller?.abort(new Error('The answer is not wanted any more.'));
  }
}

const onTimeout = (call: RemoteCall) => call.timedOut();
const onStillWaiting = (call: RemoteCall) => call.stillWaiting();
