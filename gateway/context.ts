import type { RequestContext } from '../subgraphs/kit/subgraph.ts';

/** What travels with one request through the gateway. */
export interface GatewayContext extends RequestContext {
  /** One context per in-process subgraph and request, so that its DataLoaders see all fetches of the request. */
  subgraphContexts: Map<string, object>;
}
