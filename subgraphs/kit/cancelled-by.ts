import type { Queryable } from './database.ts';
import type { RequestContext } from './subgraph.ts';

/**
 * The database for long reads of one request: PostgreSQL ends them when its client has left. Not for writes, nor for what other
 * requests get too. The signal is asked for only when a statement is sent, because making it costs the gateway something.
 */
export function cancelledBy(database: Queryable, request: Pick<RequestContext, 'signal'>): Queryable {
  return {
    query: (text, values, signal = request.signal) => database.query(text, values, signal),
  };
}
