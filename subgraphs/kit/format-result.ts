import type { ExecutionResult } from 'graphql';
import { formatError } from './format-error.ts';
import type { Logger } from './log.ts';

/** A result with its errors as others may see them. */
export const formatResult = ({ data, errors }: ExecutionResult, log: Logger): object =>
  errors?.length ? { data, errors: errors.map((error) => formatError(error, log)) } : { data };
