import type { GraphQLFormattedError } from 'graphql';
import { ERROR_CODES, type ErrorCode, HashiraError } from './errors.ts';
import type { Logger } from './log.ts';

/** Codes of graphql-js and Apollo Server about the request itself; their messages are safe to show. */
const REQUEST_CODES = new Set([
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'BAD_REQUEST',
  'OPERATION_RESOLUTION_FAILURE',
  'PERSISTED_QUERY_NOT_FOUND',
  'PERSISTED_QUERY_NOT_SUPPORTED',
]);

/** An error as it is about to be sent, and what was thrown, where that is still known. */
interface Occurrence extends GraphQLFormattedError {
  originalError?: unknown;
}

/**
 * What a client sees of an error: those meant for people and those about the request as they are, anything else only that
 * it happened. The operator's log gets the whole of it, once: an error already formatted by a subgraph is not logged again.
 */
export function formatError(error: Occurrence, log: Logger): GraphQLFormattedError {
  const { message, locations, path } = error;
  const { stacktrace: _, serviceName: __, ...extensions } = { ...error.extensions };
  const code = String(extensions.code ?? '');
  const original = error.originalError;
  if (original instanceof HashiraError) {
    log[ERROR_CODES[original.code].level]({ err: original, path }, message);
    return { message, locations, path, extensions };
  }
  if (Object.hasOwn(ERROR_CODES, code) && (code as ErrorCode) !== 'INTERNAL_SERVER_ERROR') {
    return { message, locations, path, extensions };
  }
  if (REQUEST_CODES.has(code)) return { message, locations, path, extensions };
  if (message !== INTERNAL) log.error({ err: original ?? error, path }, 'unexpected error');
  return { message: INTERNAL, locations, path, extensions: { code: 'INTERNAL_SERVER_ERROR' } };
}

/** What a client sees of whatever was thrown, by the same rules. */
export function formatThrown(error: unknown, log: Logger): { message: string; extensions: Extensions } {
  const message = error instanceof Error ? error.message : String(error);
  const extensions = error instanceof HashiraError ? error.extensions : {};
  const shown = formatError({ message, extensions, originalError: error }, log);
  return { message: shown.message, extensions: shown.extensions as Extensions };
}

type Extensions = HashiraError['extensions'];

const INTERNAL = 'Something went wrong on our side. It has been logged.';
