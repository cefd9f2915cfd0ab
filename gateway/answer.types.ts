import type { ExecutionResult } from 'graphql';
import type { Identity } from '../subgraphs/kit/auth.ts';
import type { Logger } from '../subgraphs/kit/log.ts';
import type { GatewayContext } from './context.ts';
import type { RequestTrace } from './observability/tracing.ts';
import type { SubgraphFetch, SubgraphResult, Variables } from './sources/source.ts';

/** A request as every transport carries it. */
export interface GraphQLRequest {
  query?: string | undefined;
  operationName?: string | undefined;
  variables?: Record<string, unknown> | undefined;
  extensions?: Record<string, unknown> | undefined;
  /** Id of a trusted document, in place of `query`. */
  documentId?: string | undefined;
}

/** Who sent it and how. */
export interface Caller {
  /** Verified; null for a visitor. */
  identity: Identity | null;
  /** When the token that proved the identity ends, ms since 1970; Infinity for a visitor. A stream ends then. */
  expires: number;
  /** Client address, for rate limits only; never logged. */
  address: string;
  requestId: string;
  /** Aborted when the client has left or no longer wants the answer. */
  signal: AbortSignal;
  log: Logger;
  /** False for GET, where only queries are allowed. */
  mayWrite: boolean;
  /** Whether the client takes parts of the answer to a query later, for `@defer`. */
  incremental?: boolean | undefined;
  /** Whether an admin asks for the plan and the cost beside the answer. */
  explain?: boolean | undefined;
  /** The spans of this request; absent when it is not traced. */
  trace?: RequestTrace | undefined;
}

export type Result = ExecutionResult<Record<string, unknown>, Record<string, unknown>>;

/** One result, or results over time. `status` is the HTTP status where the transport is HTTP. */
export type Answer =
  | { kind: 'single'; result: Result; status: number; headers?: Readonly<Record<string, string>> }
  | { kind: 'stream'; results: AsyncIterableIterator<Result> }
  /** A query with parts that come later: one answer in pieces. */
  | { kind: 'incremental'; results: AsyncIterableIterator<Result> };

/** A subscription, planned: how to listen, and how an event becomes an answer. */
export interface SubscriptionPlan {
  /** Name of the subgraph that owns the field. */
  subgraph: string;
  /** Text of the primary operation: with `variables` and the identity it tells identical upstreams. */
  text: string;
  fetch: SubgraphFetch;
  /** Those variables that the primary operation uses. */
  variables: Variables;
  /** The root field is tagged `shared-stream`: its latest event stands for those before, so late subscribers may join an upstream. */
  shareable: boolean;
  /** Equal for plans that answer every event alike: the same operation with the same variables. Unset: no other plan does. */
  answerKey?: string;
  /** Resolves the rest of the plan for one event and shapes the answer. Never rejects but for an aborted `context.signal`. */
  respond(event: SubgraphResult, context: GatewayContext): Result | Promise<Result>;
}
