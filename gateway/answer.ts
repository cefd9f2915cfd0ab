import type { GraphQLError } from 'graphql';
import { ERROR_CODES, HashiraError } from '../subgraphs/kit/errors.ts';
import { formatThrown } from '../subgraphs/kit/format-error.ts';
import type { Answer, Caller, GraphQLRequest, Result } from './answer.types.ts';
import type { GatewayContext } from './context.ts';
import { type Prepared, type PreparedOperations, RefusedDocument } from './graph/prepared.ts';
import { explain } from './observability/explain.ts';
import type { Metrics } from './observability/metrics.ts';
import { observedStream } from './observability/observed-stream.ts';
import { ABORTED, endingOf } from './observability/outcome.ts';
import { Recorder } from './observability/recorder.ts';
import type { RequestLog } from './observability/request-log.ts';
import type { Documents } from './protection/documents.ts';
import type { RateLimit } from './protection/rate-limit.ts';
import type { Variables } from './sources/source.ts';
import type { Subscriptions } from './subscriptions/subscriptions.ts';

export interface AnswerOptions {
  /** Of the supergraph being served now. */
  operations(): PreparedOperations;
  documents: Documents;
  rateLimit: RateLimit;
  maxCost: number;
  subscriptions: Subscriptions;
  metrics: Metrics | null;
  requestLog: RequestLog | null;
}

/** Answers requests, whatever transport they came by. It never rejects but when the caller has left. */
export function createAnswer(
  options: AnswerOptions,
): (request: GraphQLRequest, caller: Caller) => Answer | Promise<Answer> {
  return (request, caller) => {
    const record = new Recorder(options.metrics, options.requestLog, caller);
    try {
      options.rateLimit.take(caller);
      const text = options.documents.resolve(request);
      const prepared = options.operations().prepare(text, request.operationName);
      record.found(prepared.operation);
      const variables = admitted(prepared, request, caller, options.maxCost, record);
      if (prepared.operation.kind === 'subscription') return stream(prepared, variables, caller, options, record);
      const context = new RequestScope(caller, prepared.operation.kind);
      if (caller.incremental) {
        const results = prepared.operation.incremental(variables, context);
        if (results) return { kind: 'incremental', results: recorded(results, caller, record) };
      }
      const result = prepared.operation.execute(variables, context);
      if (!(result instanceof Promise)) return single(result, prepared, caller, record);
      return result.then(
        (late) => single(late, prepared, caller, record),
        (error) => failed(error, caller, record),
      );
    } catch (error) {
      return failed(error, caller, record);
    }
  };
}

/** What one request works with; the parts that cost something are made when somebody asks for them. */
class RequestScope implements GatewayContext {
  readonly identity;
  readonly requestId;
  readonly trace;
  readonly subgraphContexts = new Map<string, object>();

  constructor(
    private readonly caller: Caller,
    private readonly kind: 'query' | 'mutation' | 'subscription',
  ) {
    this.identity = caller.identity;
    this.requestId = caller.requestId;
    this.trace = caller.trace;
  }

  /** A mutation that has begun is done, though its client leaves. */
  get signal() {
    return this.kind === 'mutation' ? undefined : this.caller.signal;
  }

  get log() {
    return this.caller.log;
  }
}

/** Coerced variables of an operation that may run. @throws what speaks against it */
function admitted(
  { operation, cost }: Prepared,
  request: GraphQLRequest,
  caller: Caller,
  maxCost: number,
  record: Recorder,
): Variables {
  if (!caller.mayWrite && operation.kind !== 'query') {
    throw new HashiraError('METHOD_NOT_ALLOWED', `A ${operation.kind} is sent by POST or over a WebSocket.`);
  }
  const coerced = operation.coerce(request.variables ?? {});
  if ('errors' in coerced) throw new RefusedDocument(coerced.errors.map(asInput));
  const estimate = cost(coerced.variables);
  record.cost = estimate;
  if (estimate > maxCost) {
    throw new HashiraError(
      'QUERY_TOO_LARGE',
      `The query costs ${estimate}; at most ${maxCost} is allowed. Ask for less.`,
      {
        extensions: { cost: estimate, maxCost },
      },
    );
  }
  return coerced.variables;
}

const asInput = ({ message, locations }: GraphQLError) =>
  ({ message, locations, extensions: { code: 'BAD_USER_INPUT' } }) as unknown as GraphQLError;

function single(result: Result, { operation }: Prepared, caller: Caller, record: Recorder): Answer {
  record.end(endingOf(result));
  if (!caller.explain) return { kind: 'single', result, status: 200 };
  const extensions = explain({ plan: operation.plan(caller.identity), cost: record.cost ?? 0 });
  return { kind: 'single', result: { ...result, extensions }, status: 200 };
}

/** The pieces of an answer; the request ends with the last. */
async function* recorded(results: AsyncIterable<Result>, caller: Caller, record: Recorder): AsyncGenerator<Result> {
  const errors: GraphQLError[] = [];
  let data: Result['data'];
  try {
    for await (const result of results) {
      data ??= result.data;
      const pieces = (result as { incremental?: Result[] }).incremental ?? [];
      for (const piece of [result, ...pieces]) errors.push(...(piece.errors ?? []));
      yield result;
    }
  } finally {
    record.end(caller.signal.aborted ? ABORTED : endingOf({ data: data ?? null, errors }));
  }
}

async function stream(
  { operation }: Prepared,
  variables: Variables,
  caller: Caller,
  { subscriptions, metrics }: AnswerOptions,
  record: Recorder,
): Promise<Answer> {
  try {
    const { identity, requestId, signal, log } = caller;
    const context: GatewayContext = { identity, requestId, signal, log, subgraphContexts: new Map() };
    const plan = operation.subscription(variables, context);
    if (!('fetch' in plan)) {
      record.end(endingOf(plan));
      return { kind: 'single', result: plan, status: 200 };
    }
    const results = await subscriptions.open(plan, context, caller);
    record.end(endingOf({ data: {} }));
    return { kind: 'stream', results: metrics ? observedStream(results, metrics) : results };
  } catch (error) {
    return failed(error, caller, record);
  }
}

/** The answer to a request that was not run, or broke. */
function failed(error: unknown, caller: Caller, record: Recorder): Answer {
  if (caller.signal.aborted) {
    record.end(ABORTED);
    throw caller.signal.reason;
  }
  if (error instanceof RefusedDocument) {
    const result = { errors: error.errors.map(toJson) } as unknown as Result;
    record.end(endingOf(result));
    return { kind: 'single', result, status: 400 };
  }
  const shown = formatThrown(error, caller.log);
  const result = { errors: [shown] } as unknown as Result;
  record.end(endingOf(result));
  const { code, retryAfter } = shown.extensions;
  return {
    kind: 'single',
    result,
    status: ERROR_CODES[code].status,
    ...(typeof retryAfter === 'number' ? { headers: { 'retry-after': String(retryAfter) } } : {}),
  };
}

const toJson = (error: GraphQLError) => (typeof error.toJSON === 'function' ? error.toJSON() : error);
