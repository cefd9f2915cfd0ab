import { ERROR_CODES, type ErrorCode } from '../../subgraphs/kit/errors.ts';
import type { Result } from '../answer.types.ts';

/**
 * How a request ended, as metrics, traces and the log all say it.
 * - `ok`: no errors
 * - `partial`: errors, and data beside them
 * - `refused`: no data, for a reason that lies with the client
 * - `error`: no data, for a reason that lies with us
 * - `aborted`: the client left before its answer
 */
export type Outcome = 'ok' | 'partial' | 'refused' | 'error' | 'aborted';

export interface Ending {
  outcome: Outcome;
  /** Codes of the errors, each once, in the order of their first appearance. */
  codes: readonly string[];
}

const OK: Ending = { outcome: 'ok', codes: [] };

/** Of a request whose client left. */
export const ABORTED: Ending = { outcome: 'aborted', codes: [] };

/** What a result says of how its request ended. */
export function endingOf({ data, errors }: Result): Ending {
  if (!errors || errors.length === 0) return OK;
  const codes = [...new Set(errors.map(({ extensions }) => String(extensions?.code ?? 'INTERNAL_SERVER_ERROR')))];
  if (data) return { outcome: 'partial', codes };
  return { outcome: codes.every(isClients) ? 'refused' : 'error', codes };
}

/** Codes that are not of our catalogue are graphql-js's own, about the document. */
function isClients(code: string): boolean {
  return !Object.hasOwn(ERROR_CODES, code) || ERROR_CODES[code as ErrorCode].status < 500;
}
