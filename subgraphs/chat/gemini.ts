import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, type GenerateContentConfig, type GenerateContentResponse, GoogleGenAI } from '@google/genai';
import { Agent, fetch, type RequestInfo, type RequestInit } from 'undici';
import type { Config } from '../kit/config.ts';
import { HashiraError } from '../kit/errors.ts';
import type { Logger } from '../kit/log.ts';
import type { Ask, Generator } from './generator.ts';
import { PROMPT_VERSION, type Prompt, promptFor } from './prompt.ts';

export type GeminiConfig = Pick<
  Config,
  | 'GEMINI_MODEL'
  | 'GEMINI_BASE_URL'
  | 'GEMINI_TIMEOUT_MS'
  | 'GEMINI_RETRIES'
  | 'GEMINI_MAX_INPUT_TOKENS'
  | 'GEMINI_MAX_OUTPUT_TOKENS'
> & { GEMINI_API_KEY: string };

const FIRST_BACKOFF_MS = 300;
/** Who asks waits for an answer: what Gemini wants waited for longer than this is not waited for. */
const MAX_BACKOFF_MS = 5_000;
/** After its finish reason nothing comes but the end, which keeps the connection for the next answer. */
const GOODBYE_MS = 500;
const MAX_CAUSE_LENGTH = 500;

/** Finish reasons by which Gemini withholds an answer for what it says; others, but STOP and MAX_TOKENS, are failures. */
const WITHHELD = new Set(['SAFETY', 'RECITATION', 'BLOCKLIST', 'PROHIBITED_CONTENT', 'SPII']);

const AWAY = 'The assistant cannot answer right now. Please try again in a moment.';
const BLOCKED_QUESTION = 'The assistant does not answer this question. Please ask about a product in other words.';
const BLOCKED_ANSWER = 'The answer was stopped by a safety filter. Please ask about a product in other words.';

/** Answers by Google's Gemini, through its own client. One instance serves all requests of a process. */
export class Gemini implements Generator {
  private readonly client: GoogleGenAI;
  private readonly agent = new Agent({ headersTimeout: 0, bodyTimeout: 0 });

  constructor(
    private readonly config: GeminiConfig,
    private readonly log?: Logger,
  ) {
    this.client = new GoogleGenAI({
      apiKey: config.GEMINI_API_KEY,
      vertexai: false,
      apiVersion: 'v1beta',
      httpOptions: { baseUrl: config.GEMINI_BASE_URL },
    });
  }

  get model(): string {
    return this.config.GEMINI_MODEL;
  }

  /** Asks again, while nothing was said yet, when Gemini is busy (429, 503) or the connection failed. */
  async *generate(ask: Ask, signal: AbortSignal): AsyncGenerator<string, void, undefined> {
    const prompt = promptFor(ask, this.config.GEMINI_MAX_INPUT_TOKENS);
    for (let retry = 0; ; retry++) {
      signal.throwIfAborted();
      let spoken = false;
      try {
        for await (const piece of this.once(prompt, signal)) {
          spoken = true;
          yield piece;
        }
        return;
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof Failure)) throw error;
        const delayMs = spoken || retry >= this.config.GEMINI_RETRIES ? undefined : error.backoff(retry);
        if (delayMs === undefined) throw new HashiraError('CHAT_MODEL_UNAVAILABLE', AWAY, { cause: error });
        this.log?.warn({ reason: error.message, status: error.status, delayMs }, 'asking Gemini again');
        await sleep(delayMs, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  /** One request. However it ends, also by its reader, the request has ended too. @throws HashiraError ANSWER_BLOCKED; Failure */
  private async *once(prompt: Prompt, signal: AbortSignal): AsyncGenerator<string, void, undefined> {
    const request = new AbortController();
    const http: Http = {};
    const abort = () => request.abort();
    signal.addEventListener('abort', abort);
    try {
      const waiting = this.config.GEMINI_TIMEOUT_MS;
      const asked = this.client.models.generateContentStream({
        model: this.model,
        contents: prompt.contents,
        config: this.request(prompt, request.signal, http),
      });
      const parts = (await this.within(waiting, request, http, asked))[Symbol.asyncIterator]();
      let spoken = false;
      let finish: string | undefined;
      while (finish === undefined) {
        const { value: part, done } = await this.within(waiting, request, http, parts.next());
        if (done) throw new Failure('the stream ended without a finish reason', { lost: true });
        if (part.promptFeedback?.blockReason) {
          throw blocked(BLOCKED_QUESTION, `prompt blocked: ${part.promptFeedback.blockReason}`);
        }
        const text = textOf(part);
        if (text) {
          spoken = true;
          yield text;
        }
        finish = part.candidates?.[0]?.finishReason;
        if (finish) this.log?.debug({ prompt: PROMPT_VERSION, finish, usage: part.usageMetadata }, 'Gemini answered');
      }
      if (WITHHELD.has(finish)) throw blocked(BLOCKED_ANSWER, `answer stopped: ${finish}`);
      if (finish !== 'STOP' && finish !== 'MAX_TOKENS') throw new Failure(`the answer ended with ${finish}`);
      if (!spoken) throw new Failure(`the answer ended with ${finish} before its first word`);
      if (finish === 'MAX_TOKENS') yield '…';
      await this.within(GOODBYE_MS, request, http, parts.next()).catch(() => undefined);
    } finally {
      signal.removeEventListener('abort', abort);
      request.abort();
    }
  }

  private request({ systemInstruction }: Prompt, abortSignal: AbortSignal, http: Http): GenerateContentConfig {
    return {
      systemInstruction,
      maxOutputTokens: this.config.GEMINI_MAX_OUTPUT_TOKENS,
      ...tuning(this.model),
      abortSignal,
      // The client's own second requests: the retries are ours alone.
      automaticContinuation: false,
      httpOptions: { fetch: this.fetcher(http) },
    };
  }

  /** The client's errors do not tell headers. A redirect is not followed: it would carry the key away. */
  private fetcher(http: Http): typeof globalThis.fetch {
    return (async (input: RequestInfo, init?: RequestInit) => {
      http.sent = true;
      const response = await fetch(input, { ...init, redirect: 'error', dispatcher: this.agent });
      if (!response.ok) http.refused = { status: response.status, retryAfter: response.headers.get('retry-after') };
      return response;
    }) as unknown as typeof globalThis.fetch;
  }

  /** What comes next, or the request is ended. @throws Failure */
  private async within<T>(ms: number, request: AbortController, http: Http, next: Promise<T>): Promise<T> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      request.abort();
    }, ms);
    try {
      return await next;
    } catch (error) {
      if (late) throw new Failure(`nothing came for ${ms} ms`);
      throw Failure.from(error, http, this.config.GEMINI_API_KEY);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** What was seen of one request beside what the client tells. */
interface Http {
  sent?: boolean;
  refused?: { status: number; retryAfter: string | null };
}

/** Why there is no answer, for the operator: it holds nothing of the client's errors but their text without the key. */
class Failure extends Error {
  override readonly name = 'GeminiFailure';
  readonly status?: number;
  private readonly lost: boolean;
  private readonly wantedMs?: number;

  /** @param how `lost`: the connection failed; `wantedMs`: how long Gemini wants to be left alone */
  constructor(message: string, how: { status?: number; lost?: boolean; wantedMs?: number } = {}) {
    super(message);
    this.status = how.status;
    this.lost = how.lost ?? false;
    this.wantedMs = how.wantedMs;
  }

  static from(error: unknown, { sent, refused }: Http, key: string): Failure {
    const text = withoutKey(texts(error).join(': '), key);
    const status = error instanceof ApiError ? error.status : refused?.status;
    const message = text.length > MAX_CAUSE_LENGTH ? `${text.slice(0, MAX_CAUSE_LENGTH)}…` : text;
    return new Failure(status === undefined ? message : `status ${status}: ${message}`, {
      status,
      lost: sent && status === undefined && error instanceof TypeError,
      wantedMs: retryInfo(text) ?? retryAfter(refused?.retryAfter),
    });
  }

  /** How long to wait before asking again, ms; undefined when asking again is of no use. */
  backoff(retry: number): number | undefined {
    if (this.status !== 429 && this.status !== 503 && !this.lost) return undefined;
    const longest = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** retry);
    // Between half and the whole of it, so that many who were refused together do not come back together.
    const own = longest * (0.5 + Math.random() / 2);
    if (this.wantedMs === undefined) return own;
    return this.wantedMs > MAX_BACKOFF_MS ? undefined : Math.max(this.wantedMs, own);
  }
}

const blocked = (message: string, reason: string): HashiraError =>
  new HashiraError('ANSWER_BLOCKED', message, { cause: new Failure(reason) });

/** The text for the reader: neither thoughts nor other parts. The client's own `text` writes to the console about those. */
const textOf = ({ candidates }: GenerateContentResponse): string =>
  (candidates?.[0]?.content?.parts ?? []).map(({ text, thought }) => (thought ? '' : (text ?? ''))).join('');

/**
 * Thinking before a short answer from given sources is only delay. Models that may be told not to think are; others refuse 0
 * (2.5 Pro) or are told otherwise (3), and are left as they are. So is their temperature, which the vendor advises to keep.
 */
const tuning = (model: string): GenerateContentConfig =>
  /^(models\/)?gemini-2\.5-flash(-lite)?(-(preview-)?[\d-]+)?$/.test(model)
    ? { thinkingConfig: { thinkingBudget: 0 }, temperature: 0.2 }
    : {};

/** The message of an error and of what caused it. */
function texts(error: unknown): string[] {
  const found: string[] = [];
  for (let cause = error; cause instanceof Error && found.length < 5; cause = cause.cause) found.push(cause.message);
  return found.length > 0 ? found : [String(error)];
}

/** In its spellings within a header's error, JSON and a URL; without the blanks around, which no header carries. */
function withoutKey(text: string, padded: string): string {
  const key = padded.trim();
  if (key === '') return text;
  const spellings = [key, JSON.stringify(key).slice(1, -1), encodeURIComponent(key)];
  return spellings.reduce((rest, spelling) => rest.replaceAll(spelling, '[key]'), text);
}

/** `retryDelay` of a google.rpc.RetryInfo in an error's JSON, a google.protobuf.Duration as "1.5s"; ms. */
function retryInfo(text: string): number | undefined {
  const [, seconds] = /"retryDelay"\s*:\s*"(\d+(?:\.\d+)?)s"/.exec(text) ?? [];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}

/** The header in its form of seconds; ms. */
const retryAfter = (value: string | null | undefined): number | undefined =>
  value && /^\d+$/.test(value) ? Number(value) * 1000 : undefined;
