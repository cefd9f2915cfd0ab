import { HashiraError } from '../../subgraphs/kit/errors.ts';
import { formatThrown } from '../../subgraphs/kit/format-error.ts';
import type { Logger } from '../../subgraphs/kit/log.ts';
import type { Result } from '../answer.types.ts';

/** An answer that has no data, only what went wrong, as a client may see it. The operator's log gets all of it. */
export function failure(error: unknown, log: Logger): Result {
  return { errors: [formatThrown(error, log)] } as unknown as Result;
}

export const slowConsumer = () =>
  new HashiraError('SLOW_CONSUMER', 'Events came faster than you read them. Please subscribe again.');

export const tokenExpired = () => new HashiraError('TOKEN_EXPIRED', 'Your token has expired. Sign in again.');

export const shuttingDown = () => new HashiraError('SHUTTING_DOWN', 'The server restarts. Please subscribe again.');
