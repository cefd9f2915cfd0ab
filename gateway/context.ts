import type { RequestContext } from '../subgraphs/kit/subgraph.ts';
import type { RequestTrace } from './observability/tracing.ts';

/** What travels with one request through the gateway. */
export interface GatewayContext extends RequestContext {
  /** One context per in-process subgraph and request, so that its DataLoaders see all fetches of the request. */
  subgraphContexts: Map<string, object>;
  /** The spans of this request; absent when it is not traced. */
  trace?: RequestTrace | undefined;
  /** Trace header for the subgraph that is being asked. */
  traceparent?: string | undefined;
}
