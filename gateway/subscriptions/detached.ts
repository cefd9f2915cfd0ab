import type { GatewayContext } from '../context.ts';

/**
 * A context for work that outlives the request it began with, or serves several: with loaders of its own, another signal, and
 * outside the request's trace, which has ended by then.
 */
export function detached(context: GatewayContext, signal: AbortSignal | undefined): GatewayContext {
  const { identity, requestId, log } = context;
  return { identity, requestId, log, signal, subgraphContexts: new Map() };
}
