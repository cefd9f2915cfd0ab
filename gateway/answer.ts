import type { GraphQLError } from 'graphql';
import { ERROR_CODES, HashiraError } from '../subgraphs/kit/errors.ts';
import { formatError } from '../subgraphs/kit/format-error.ts';
import type { Answer, Caller, GraphQLRequest, Result } from './answer.types.ts';
import type { GatewayContext } from './context.ts';
import { type Prepared, type PreparedOperations, RefusedDocument } from './graph/prepared.ts';
import { explain } from './observability/explain.ts';
import type { Metrics } from './observability/metrics.ts';
import { endingOf } from './observability/outcome.ts';
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
    const record = recorder(options, caller);
    try {
      options.rateLimit.take(caller);
      const text = options.documents.resolve(request);
      const prepared = options.operations().prepare(text, request.operationName);
      record.prepared(prepared);
      const variables = admitted(prepared, request, caller, options.maxCost, record);
      if (prepared.operation.kind === 'subscription') return stream(prepared, variables, caller, options, record);
      const context = new RequestScope(caller);
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

  constructor(private readonly caller: Caller) {
    this.identity = caller.identity;
    this.requestId = caller.requestId;
    this.trace = caller.trace;
  }

  get signal() {
    return this.caller.signal;
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
  record.end(result);
  if (!caller.explain) return { kind: 'single', result, status: 200 };
  const extensions = explain({ plan: operation.plan(caller.identity), cost: record.cost ?? 0 });
  return { kind: 'single', result: { ...result, extensions }, status: 200 };
}

async function stream(
  { operation }: Prepared,
  variables: Variables,
  caller: Caller,
  { subscriptions }: AnswerOptions,
  record: Recorder,
): Promise<Answer> {
  try {
    const { identity, requestId, signal, log } = caller;
    const context: GatewayContext = { identity, requestId, signal, log, subgraphContexts: new Map() };
    const plan = operation.subscription(variables, context);
    if (!('fetch' in plan)) {
      record.end(plan);
      return { kind: 'single', result: plan, status: 200 };
    }
    const results = await subscriptions.open(plan, context, caller);
    record.end({ data: {} });
    return { kind: 'stream', results };
  } catch (error) {
    return failed(error, caller, record);
  }
}

/** The answer to a request that was not run, or broke. */
function failed(error: unknown, caller: Caller, record: Recorder): Answer {
  if (caller.signal.aborted) throw caller.signal.reason;
  if (error instanceof RefusedDocument) {
    const result = { errors: error.errors.map(toJson) } as unknown as Result;
    record.end(result);
    return { kind: 'single', result, status: 400 };
  }
  const code = error instanceof HashiraError ? error.extensions.code : 'INTERNAL_SERVER_ERROR';
  const extensions = error instanceof HashiraError ? error.extensions : {};
  const message = error instanceof Error ? error.message : String(error);
  const shown = formatError({ message, extensions, originalError: error }, caller.log);
  const result = { errors: [{ message: shown.message, extensions: shown.extensions }] } as unknown as Result;
  record.end(result);
  const { retryAfter } = extensions as { retryAfter?: number };
  return {
    kind: 'single',
    result,
    status: ERROR_CODES[code].status,
    ...(retryAfter === undefined ? {} : { headers: { 'retry-after': String(Math.ceil(retryAfter)) } }),
  };
}

const toJson = (error: GraphQLError) => (typeof error.toJSON === 'function' ? error.toJSON() : error);

/** Tells metrics, trace and log how a request ended. */
interface Recorder {
  cost: number | undefined;
  prepared(prepared: Prepared): void;
  end(result: Result): void;
}

function recorder({ metrics, requestLog }: AnswerOptions, caller: Caller): Recorder {
  const started = performance.now();
  let operation: Prepared['operation'] | undefined;
  return {
    cost: undefined,
    prepared: (prepared) => {
      operation = prepared.operation;
      caller.trace?.operation(operation.kind, operation.name);
    },
    end(result) {
      const ending = endingOf(result);
      const ms = performance.now() - started;
      metrics?.request(operation?.name, operation?.kind, ending.outcome, ms);
      if (ending.outcome === 'refused') for (const code of ending.codes) metrics?.refused(code);
      caller.trace?.end(ending);
      const { requestId } = caller;
      requestLog?.({ ...ending, requestId, operation: operation?.name, kind: operation?.kind, ms, cost: this.cost });
    },
  };
}
