import type { ServerResponse } from 'node:http';
import type { Result } from '../answer.types.ts';
import { type Framing, writeStream } from './write-stream.ts';

/** Server-sent events as graphql-sse's protocol has them in its distinct connections mode. */
export const SSE: Framing = {
  contentType: 'text/event-stream; charset=utf-8',
  // Some browsers take the headers for received only with a first byte of the body.
  head: ':\n\n',
  next: (result) => `event: next\ndata: ${JSON.stringify(result)}\n\n`,
  end: 'event: complete\ndata:\n\n',
  heartbeat: ':\n\n',
  heartbeatEvery: 12_000,
};

/** Resolves when all is sent or the client has left. The single connection mode (a stream reserved by PUT) is not offered. */
export function writeSse(results: AsyncIterableIterator<Result>, response: ServerResponse): Promise<void> {
  return writeStream(results, response, SSE);
}

/** One result, for a client that reads nothing but events: the answer to a query, or why there is no stream. */
export function writeSseResult(result: Result, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': SSE.contentType, 'cache-control': 'no-store' });
  response.end(SSE.next(result) + SSE.end);
}
