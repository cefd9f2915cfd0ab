import { unwrapResolverError } from '@apollo/server/errors';
import type { GraphQLFormattedError } from 'graphql';
import { ERROR_CODES, HashiraError } from './errors.ts';
import type { Logger } from './log.ts';

/** Codes of graphql-js and Apollo Server about the request itself; their messages are safe to show. */
const REQUEST_CODES = new Set([
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'BAD_REQUEST',
  'BAD_USER_INPUT',
  'OPERATION_RESOLUTION_FAILURE',
  'PERSISTED_QUERY_NOT_FOUND',
  'PERSISTED_QUERY_NOT_SUPPORTED',
]);

/** What a client sees of an error: our own and request errors as they are, anything else only that it happened. */
export function formatError(log: Logger): (formatted: GraphQLFormattedError, error: unknown) => GraphQLFormattedError {
  return (formatted, error) => {
    const { stacktrace: _, ...extensions } = { ...formatted.extensions };
    const code = String(extensions.code);
    const original = unwrapResolverError(error);
    const known = code in ERROR_CODES ? ERROR_CODES[code as keyof typeof ERROR_CODES] : null;
    if (original instanceof HashiraError || (known && code !== 'INTERNAL_SERVER_ERROR')) {
      log[known?.level ?? 'error']({ err: original, path: formatted.path }, formatted.message);
      return { ...formatted, extensions };
    }
    if (REQUEST_CODES.has(code)) return { ...formatted, extensions };
    log.error({ err: original, path: formatted.path }, 'unexpected error');
    return {
      ...formatted,
      message: 'Something went wrong on our side. It has been logged.',
      extensions: { ...extensions, code: 'INTERNAL_SERVER_ERROR' },
    };
  };
}
