import type { GraphQLFormattedError } from 'graphql';
import type { GatewayContext } from '../context.ts';
import type { Variables } from '../sources/source.ts';

/** An object of a subgraph's answer. */
export type Data = Record<string, unknown>;

export type ResultError = GraphQLFormattedError;

/** The state of one execution of a plan. */
export interface Run {
  /** Everything fetched so far, merged, by the names the plan uses. */
  readonly data: Data;
  /** Coerced, with defaults. */
  readonly variables: Variables;
  readonly context: GatewayContext;
  /** Errors of subgraphs, at paths of the client's answer. */
  readonly errors: ResultError[];
  /** Told when a fetch is over that deferred parts wait for, by the fetch's id in the plan. */
  readonly fetched?: (id: string) => void;
}

/** A compiled part of a plan. It returns nothing when it could do all at once. It rejects only when the client has left. */
export type Step = (run: Run) => Promise<void> | undefined;
