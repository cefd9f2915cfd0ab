import { randomUUID } from 'node:crypto';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What the vendor's `GenerateContentRequest` holds of what we use. */
export interface GeminiBody {
  contents: { role?: string; parts: { text?: string }[] }[];
  systemInstruction?: { role?: string; parts: { text?: string }[] };
  generationConfig?: {
    maxOutputTokens?: number;
    temperature?: number;
    thinkingConfig?: { thinkingBudget?: number };
  };
}

export interface GeminiRequest {
  model: string;
  streamed: boolean;
  headers: IncomingHttpHeaders;
  body: GeminiBody;
  /** When it had come, ms of `Date.now()`. */
  at: number;
  /** `aborted`: its client left before the end; `cut`: the script cut it. */
  state: 'open' | 'finished' | 'aborted' | 'cut';
  /** When it left that state. */
  endedAt?: number;
}

/** An error as the vendor writes it. */
interface Refusal {
  status: number;
  error: { code: number; message: string; status: string; details?: Record<string, unknown>[] };
  headers?: Record<string, string>;
}

/** A streamed answer, and how it ends. Every wait is before the part it is named for. */
interface Speech {
  pieces: readonly string[];
  /** Before the first piece; 0 unless told. */
  firstMs?: number;
  /** Before each further piece and the end; 0 unless told. */
  everyMs?: number;
  /** A finish reason of the vendor, or no end as a good one: `cut` breaks the connection, `hang` says no more, `close` ends without a reason. */
  end: string;
}

/** What a request gets. */
export type Reply = Refusal | Speech | { blocked: string } | { broken: 'cut' | 'hang' };

export const answer = (pieces: string | readonly string[], timing: Pick<Speech, 'firstMs' | 'everyMs'> = {}): Reply =>
  endsWith('STOP', typeof pieces === 'string' ? inPieces(pieces) : pieces, timing);

/** The pieces, and then this finish reason, `cut`, `hang` or `close`. */
export const endsWith = (
  end: string,
  pieces: readonly string[],
  timing: Pick<Speech, 'firstMs' | 'everyMs'> = {},
): Reply => ({ pieces, end, ...timing });

/** The prompt is refused; no candidate is made. */
export const blockedPrompt = (reason = 'SAFETY'): Reply => ({ blocked: reason });

/** Neither status nor body: the connection is cut, or nothing ever comes. */
export const cut: Reply = { broken: 'cut' };
export const hang: Reply = { broken: 'hang' };

/** @param retryDelay as a `google.protobuf.Duration`, for example "47s"; @param retryAfter the header, seconds */
export function tooManyRequests({ retryDelay, retryAfter }: { retryDelay?: string; retryAfter?: string } = {}): Reply {
  const quota = {
    '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
    violations: [
      {
        quotaMetric: 'generativelanguage.googleapis.com/generate_content_free_tier_requests',
        quotaId: 'GenerateRequestsPerMinutePerProjectPerModel-FreeTier',
        quotaDimensions: { location: 'global', model: 'gemini-2.5-flash' },
        quotaValue: '10',
      },
    ],
  };
  const retry = { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay };
  return refusal(
    429,
    'RESOURCE_EXHAUSTED',
    'You exceeded your current quota, please check your plan and billing details.',
    retryDelay ? [quota, retry] : [quota],
    retryAfter ? { 'retry-after': retryAfter } : {},
  );
}

export const overloaded = (): Reply => refusal(503, 'UNAVAILABLE', 'The model is overloaded. Please try again later.');

export const badKey = (): Reply =>
  refusal(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.', [
    {
      '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
      reason: 'API_KEY_INVALID',
      domain: 'googleapis.com',
      metadata: { service: 'generativelanguage.googleapis.com' },
    },
  ]);

export function refusal(
  code: number,
  status: string,
  message: string,
  details?: Record<string, unknown>[],
  headers?: Record<string, string>,
): Refusal {
  return { status: code, error: { code, message, status, ...(details && { details }) }, headers };
}

export const times = (count: number, reply: Reply): Reply[] => Array.from({ length: count }, () => reply);

const SILENT = 'The catalogue does not say.';

/** Quotes the first source of the prompt, as a model that does as it is told might. */
export function quoteFirstSource({ body }: Pick<GeminiRequest, 'body'>): Reply {
  const lines = body.contents.at(-1)?.parts.flatMap(({ text }) => (text ?? '').split('\n')) ?? [];
  for (const line of lines) {
    const source = line.startsWith('{') ? parsed(line) : undefined;
    if (source?.source === 1) return answer(`${source.product}: ${String(source.text).replace(/\.$/, '')} [1].`);
  }
  return answer(SILENT);
}

export interface FakeGeminiOptions {
  port?: number;
  /** The only key taken; unset: any. */
  key?: string;
  /** What requests get that the script has nothing for. */
  otherwise?: (request: GeminiRequest) => Reply;
}

/**
 * Gemini on loopback: its REST protocol with its errors, over HTTP, so that tests of any process can be pointed to it with
 * GEMINI_BASE_URL. Requests that the vendor would refuse are refused.
 */
export class FakeGemini {
  readonly requests: GeminiRequest[] = [];
  /** Connections accepted since the last reset. */
  connections = 0;
  private readonly replies: Reply[] = [];

  private constructor(
    private readonly server: Server,
    private readonly options: FakeGeminiOptions,
  ) {
    server.on('connection', () => {
      this.connections++;
    });
    server.on('request', (message, response) => {
      this.serve(message, response).catch(() => response.destroy());
    });
  }

  static async start(options: FakeGeminiOptions = {}): Promise<FakeGemini> {
    const server = createServer();
    const fake = new FakeGemini(server, options);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(options.port ?? 0, '127.0.0.1', resolve);
    });
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** What the next requests get, one each, after what was scripted before. */
  script(...replies: readonly (Reply | readonly Reply[])[]): void {
    this.replies.push(...(replies.flat() as Reply[]));
  }

  /** How many requests came, and how many are in each state. */
  get counts(): Record<'begun' | GeminiRequest['state'], number> {
    const counts = { begun: this.requests.length, open: 0, finished: 0, aborted: 0, cut: 0 };
    for (const { state } of this.requests) counts[state]++;
    return counts;
  }

  /** Forgets requests and script. */
  reset(): void {
    this.requests.length = 0;
    this.connections = 0;
    this.replies.length = 0;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  private async serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = await textOf(message);
    const url = new URL(message.url ?? '/', 'http://fake');
    const [, model, method] =
      /^\/v1beta\/models\/([^/:]+):(generateContent|streamGenerateContent)$/.exec(url.pathname) ?? [];
    if (!model || message.method !== 'POST') return refuse(response, refusal(404, 'NOT_FOUND', 'Not Found'));
    const body = parsed(text) as GeminiBody | undefined;
    const refused = this.refusalOf(message.headers['x-goog-api-key'], model, body);
    if (refused || !body) return refuse(response, refused ?? invalid('Invalid JSON payload received.'));
    const request: GeminiRequest = {
      model,
      streamed: method === 'streamGenerateContent',
      headers: message.headers,
      body,
      at: Date.now(),
      state: 'open',
    };
    this.requests.push(request);
    const left = new AbortController();
    response.once('close', () => {
      if (request.state === 'open') request.state = response.writableFinished ? 'finished' : 'aborted';
      request.endedAt = Date.now();
      left.abort();
    });
    const reply = this.replies.shift() ?? (this.options.otherwise ?? quoteFirstSource)(request);
    await perform(reply, request, response, left.signal);
  }

  private refusalOf(key: unknown, model: string, body: GeminiBody | undefined): Reply | undefined {
    if (!key) {
      const message = "Method doesn't allow unregistered callers (callers without established identity).";
      return refusal(403, 'PERMISSION_DENIED', message);
    }
    if (this.options.key && key !== this.options.key) return badKey();
    return body && refusedBody(model, body);
  }
}

export const start = FakeGemini.start;

async function perform(
  reply: Reply,
  request: GeminiRequest,
  response: ServerResponse,
  left: AbortSignal,
): Promise<void> {
  if ('error' in reply) return refuse(response, reply);
  if ('broken' in reply) return reply.broken === 'cut' ? cutOff(request, response) : undefined;
  const chunks = 'blocked' in reply ? [blockedChunk(reply.blocked, request)] : chunksOf(reply, request);
  const { firstMs = 0, everyMs = 0, end }: Omit<Speech, 'pieces'> = 'blocked' in reply ? { end: 'STOP' } : reply;
  const wait = (ms: number) => (ms > 0 ? sleep(ms, undefined, { signal: left }).catch(() => undefined) : undefined);
  if (!request.streamed) {
    await wait(firstMs + everyMs * chunks.length);
    if (end === 'hang') return;
    if (end === 'cut') return cutOff(request, response);
    response.writeHead(200, { 'content-type': 'application/json; charset=UTF-8' });
    return void response.end(JSON.stringify(merged(chunks)));
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.flushHeaders();
  for (const [place, chunk] of chunks.entries()) {
    await wait(place === 0 ? firstMs : everyMs);
    if (left.aborted) return;
    response.write(`data: ${JSON.stringify(chunk)}\r\n\r\n`);
  }
  if (end === 'hang') return;
  await wait(everyMs);
  if (end === 'cut') cutOff(request, response);
  else response.end();
}

interface Chunk {
  candidates?: { content?: { parts: { text: string }[]; role: 'model' }; finishReason?: string; index: number }[];
  [field: string]: unknown;
}

/** The last piece carries the reason STOP or MAX_TOKENS; any other comes in a chunk of its own, without content. */
function chunksOf({ pieces, end }: Speech, request: GeminiRequest): Chunk[] {
  const common = commonOf(request, pieces.join(''));
  const withLast = end === 'STOP' || end === 'MAX_TOKENS';
  const chunks: Chunk[] = pieces.map((text, place) => ({
    candidates: [
      {
        content: { parts: [{ text }], role: 'model' },
        ...(withLast && place === pieces.length - 1 && { finishReason: end }),
        index: 0,
      },
    ],
    ...common,
  }));
  const alone = withLast ? pieces.length === 0 : /^[A-Z_]+$/.test(end);
  if (alone) chunks.push({ candidates: [{ finishReason: end, index: 0, ...ratings(end) }], ...common });
  return chunks;
}

const blockedChunk = (blockReason: string, request: GeminiRequest): Chunk => ({
  promptFeedback: { blockReason, ...ratings(blockReason) },
  ...commonOf(request, ''),
});

const ratings = (reason: string) =>
  reason === 'SAFETY' && {
    safetyRatings: [{ category: 'HARM_CATEGORY_DANGEROUS_CONTENT', probability: 'HIGH', blocked: true }],
  };

function commonOf({ body, model }: GeminiRequest, text: string) {
  const promptTokenCount = Math.ceil(JSON.stringify(body.contents).length / 4);
  const candidatesTokenCount = Math.ceil(text.length / 4);
  return {
    usageMetadata: {
      promptTokenCount,
      candidatesTokenCount,
      totalTokenCount: promptTokenCount + candidatesTokenCount,
      promptTokensDetails: [{ modality: 'TEXT', tokenCount: promptTokenCount }],
    },
    modelVersion: model,
    responseId: randomUUID(),
  };
}

/** The whole answer, as the method that does not stream gives it. */
function merged(chunks: readonly Chunk[]): Chunk {
  const last = chunks.at(-1) as Chunk;
  const text = chunks
    .flatMap(({ candidates }) => candidates?.[0]?.content?.parts ?? [])
    .map(({ text }) => text)
    .join('');
  const candidate = last.candidates?.[0];
  if (!candidate || !text) return last;
  return { ...last, candidates: [{ ...candidate, content: { parts: [{ text }], role: 'model' } }] };
}

const BODY_FIELDS = [
  'contents',
  'systemInstruction',
  'generationConfig',
  'safetySettings',
  'tools',
  'toolConfig',
  'cachedContent',
];

/** What the vendor would say against the body. */
function refusedBody(model: string, body: GeminiBody): Reply | undefined {
  for (const field of Object.keys(body)) {
    if (!BODY_FIELDS.includes(field))
      return invalid(`Invalid JSON payload received. Unknown name "${field}": Cannot find field.`);
  }
  if (!body.contents?.length) return invalid('* GenerateContentRequest.contents: contents is not specified\n');
  for (const { role, parts } of body.contents) {
    if (role !== undefined && role !== 'user' && role !== 'model')
      return invalid('Please use a valid role: user, model.');
    if (!parts?.length) return invalid('* GenerateContentRequest.contents.parts: contents.parts must not be empty.\n');
    if (parts.some(({ text }) => !text)) {
      return invalid(
        "* GenerateContentRequest.contents.parts.data: required oneof field 'data' must have one initialized field\n",
      );
    }
  }
  if (/-pro/.test(model) && body.generationConfig?.thinkingConfig?.thinkingBudget === 0) {
    return invalid('Budget 0 is invalid. This model only works in thinking mode.');
  }
  return undefined;
}

const invalid = (message: string): Reply => refusal(400, 'INVALID_ARGUMENT', message);

function refuse(response: ServerResponse, reply: Reply): void {
  const { status, error, headers } = reply as Refusal;
  response.writeHead(status, { 'content-type': 'application/json; charset=UTF-8', ...headers });
  response.end(JSON.stringify({ error }, null, 2));
}

function cutOff(request: GeminiRequest, response: ServerResponse): void {
  request.state = 'cut';
  response.destroy();
}

/** A text in pieces of a few words, as the vendor streams it. */
const inPieces = (text: string): string[] => text.match(/(\S+\s*){1,4}/g) ?? [text];

async function textOf(message: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of message) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
