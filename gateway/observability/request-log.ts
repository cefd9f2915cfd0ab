import type { Logger } from '../../subgraphs/kit/log.ts';
import type { OperationKind } from './metrics.ts';
import type { Ending } from './outcome.ts';

/** What is known of a request at its end. Nothing of it tells who asked, from where, or for what values. */
export interface RequestRecord extends Ending {
  requestId: string;
  operation: string | undefined;
  /** Undefined when the request was refused before its operation was found. */
  kind: OperationKind | undefined;
  ms: number;
  /** As estimated before the run; undefined when it did not come to that. */
  cost: number | undefined;
}

export type RequestLog = (request: RequestRecord) => void;

/**
 * Writes one line per request.
 * @param which `errors`: those with an error in the answer; null is returned for `off`
 */
export function createRequestLog(which: 'off' | 'errors' | 'all', log: Logger): RequestLog | null {
  if (which === 'off') return null;
  return ({ requestId, operation, kind, outcome, codes, ms, cost }) => {
    if ((outcome === 'ok' || outcome === 'aborted') && which === 'errors') return;
    const level = outcome === 'error' || outcome === 'partial' ? 'warn' : 'info';
    log[level](
      { requestId, operation: operation?.slice(0, 100), kind, outcome, codes, ms: Math.round(ms * 100) / 100, cost },
      'request',
    );
  };
}
