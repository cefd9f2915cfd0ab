import type { IncomingMessage } from 'node:http';
import { HashiraError } from '../../subgraphs/kit/errors.ts';
import type { GraphQLRequest } from '../answer.types.ts';

/** What an HTTP request asks. @throws HashiraError BAD_REQUEST, BODY_TOO_LARGE or UNSUPPORTED_MEDIA_TYPE */
export async function readRequest(request: IncomingMessage, search: string, maxBytes: number): Promise<GraphQLRequest> {
  if (request.method === 'GET') return fromSearch(search);
  return checked(await readJson(request, maxBytes));
}

/** A body of JSON. @throws HashiraError BAD_REQUEST, BODY_TOO_LARGE or UNSUPPORTED_MEDIA_TYPE */
export async function readJson(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  const type = request.headers['content-type'] ?? '';
  if (!/^application\/(graphql\+)?json\s*(;|$)/i.test(type) || /charset=(?!"?utf-?8)/i.test(type)) {
    throw new HashiraError('UNSUPPORTED_MEDIA_TYPE', 'The body must be JSON, with the content type application/json.');
  }
  return parseJson(await readBody(request, maxBytes), 'body');
}

function fromSearch(search: string): GraphQLRequest {
  const given = new URLSearchParams(search);
  const text = (name: string) => given.get(name) || undefined;
  const json = (name: string) => {
    const value = text(name);
    return value === undefined ? undefined : parseJson(value, name);
  };
  return checked({
    query: text('query'),
    operationName: text('operationName'),
    documentId: text('documentId'),
    variables: json('variables'),
    extensions: json('extensions'),
  });
}

function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw badRequest(`The ${what} is not valid JSON.`, cause);
  }
}

/** The parameters, when each has the type it must have. */
function checked(body: unknown): GraphQLRequest {
  if (Array.isArray(body)) throw badRequest('Several requests in one are not taken: send them one by one.');
  if (!isObject(body)) throw badRequest('The body must be a JSON object.');
  const { query, operationName, variables, extensions, documentId } = body;
  for (const [name, value] of [
    ['query', query],
    ['operationName', operationName],
    ['documentId', documentId],
  ] as const) {
    if (value !== undefined && value !== null && typeof value !== 'string')
      throw badRequest(`"${name}" must be a string.`);
  }
  for (const [name, value] of [
    ['variables', variables],
    ['extensions', extensions],
  ] as const) {
    if (value !== undefined && value !== null && !isObject(value)) throw badRequest(`"${name}" must be an object.`);
  }
  const asked = body as { [name in keyof GraphQLRequest]?: GraphQLRequest[name] | null };
  return {
    query: asked.query ?? undefined,
    operationName: asked.operationName ?? undefined,
    variables: asked.variables ?? undefined,
    extensions: asked.extensions ?? undefined,
    documentId: asked.documentId ?? undefined,
  };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const badRequest = (message: string, cause?: unknown) => new HashiraError('BAD_REQUEST', message, { cause });

/** The body as text; most come in one piece. */
function readBody(request: IncomingMessage, maxBytes: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    let ended = false;
    // The rest is read and thrown away, for as long as a request may take: who is cut off while sending does not see the answer.
    const tooLarge = () => {
      request.removeAllListeners('data');
      request.resume();
      reject(new HashiraError('BODY_TOO_LARGE', `The body is larger than ${maxBytes} bytes.`));
    };
    if (Number(request.headers['content-length']) > maxBytes) return tooLarge();
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBytes) tooLarge();
      else chunks.push(chunk);
    });
    request.on('end', () => {
      ended = true;
      const [only] = chunks;
      resolve((chunks.length === 1 && only ? only : Buffer.concat(chunks)).toString('utf8'));
    });
    request.on('error', reject);
    request.on('close', () => {
      if (!ended) reject(badRequest('The body ended too early.'));
    });
  });
}
