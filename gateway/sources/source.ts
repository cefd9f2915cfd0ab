import type { GatewayContext } from '../context.ts';

export type Variables = Readonly<Record<string, unknown>>;

/** An error as a subgraph reports it; its path begins at the root of the subgraph's own answer. */
export interface SubgraphError {
  message: string;
  path?: readonly (string | number)[] | undefined;
  extensions?: Readonly<Record<string, unknown>> | undefined;
}

export interface SubgraphResult {
  data?: Record<string, unknown> | null | undefined;
  errors?: readonly SubgraphError[] | undefined;
}

/** What a plan asks of one subgraph. The text is valid for it and the same for every request of the plan. */
export interface SubgraphOperation {
  kind: 'query' | 'mutation' | 'subscription';
  name: string | undefined;
  text: string;
}

/** An operation made ready for one subgraph: prepared once per plan, run once per request. */
export interface SubgraphFetch {
  /**
   * Answers at once where it can, so that a plan within this process costs no turn of the event loop.
   * @throws HashiraError when there is no answer at all; the reason of `context.signal` when the client has left
   */
  execute(variables: Variables, context: GatewayContext): SubgraphResult | Promise<SubgraphResult>;
  /** Events until the subgraph ends them, `return()` is called or `context.signal` aborts. @throws as `execute` does */
  subscribe(variables: Variables, context: GatewayContext): Promise<AsyncIterableIterator<SubgraphResult>>;
}

/** A subgraph as the gateway reaches it: in this process, or by URL. */
export interface Source {
  readonly name: string;
  prepare(operation: SubgraphOperation): SubgraphFetch;
  stop(): Promise<void>;
}
