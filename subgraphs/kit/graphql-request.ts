import type { IncomingMessage } from 'node:http';
import { badInput, HashiraError } from './errors.ts';

export interface GraphQLRequest {
  query: string;
  operationName?: string | null;
  variables?: Record<string, unknown> | null;
}

/** The GraphQL request that a POST carries. @throws HashiraError BODY_TOO_LARGE or BAD_USER_INPUT */
export async function requestOf(request: IncomingMessage, maxBytes: number): Promise<GraphQLRequest> {
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? ''))
    throw badInput('The body must be application/json.');
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new HashiraError('BODY_TOO_LARGE', `The body is larger than ${maxBytes} bytes.`);
    chunks.push(chunk);
  }
  let body: unknown;
  try {
    body = JSON.parse(Buffer.concat(chunks).toString());
  } catch (cause) {
    throw new HashiraError('BAD_USER_INPUT', 'The body is not valid JSON.', { cause });
  }
  if (!isGraphQLRequest(body)) throw badInput('The body is no GraphQL request.');
  return body;
}

/** Whether it has the fields of a GraphQL request, each of its type. */
function isGraphQLRequest(value: unknown): value is GraphQLRequest {
  const { query, operationName, variables } = (value ?? {}) as Record<string, unknown>;
  return (
    typeof query === 'string' &&
    (operationName == null || typeof operationName === 'string') &&
    (variables == null || (typeof variables === 'object' && !Array.isArray(variables)))
  );
}

/** A request id as gateways make them; anything else would only dirty the log. */
export const requestIdOf = (value: unknown): string => /^[\w-]{1,64}$/.exec(String(value ?? ''))?.[0] ?? '';
