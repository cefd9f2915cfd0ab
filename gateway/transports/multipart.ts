import type { ServerResponse } from 'node:http';
import type { Result } from '../answer.types.ts';
import { type Framing, writeStream } from './write-stream.ts';

const BOUNDARY = '\r\n--graphql';
// A client knows that a part is complete when it sees the next boundary, so that follows at once.
const part = (json: string) => `\r\ncontent-type: application/json\r\n\r\n${json}${BOUNDARY}`;

/** Subscriptions over HTTP as Apollo's clients and the explorer speak them. */
export const MULTIPART_SUBSCRIPTION: Framing = {
  contentType: 'multipart/mixed;boundary="graphql";subscriptionSpec="1.0"',
  head: BOUNDARY,
  // Without data it is not the answer to an event but why there are no more.
  next: (result) =>
    part(
      'data' in result
        ? `{"payload":${JSON.stringify(result)}}`
        : `{"payload":null,"errors":${JSON.stringify(result.errors)}}`,
    ),
  end: '--\r\n',
  heartbeat: part('{}'),
  heartbeatEvery: 5_000,
};

/** A query of which parts come later: results carry `hasNext`, all but the first `incremental`. */
export const MULTIPART_DEFER: Framing = {
  ...MULTIPART_SUBSCRIPTION,
  contentType: 'multipart/mixed;boundary="graphql";deferSpec=20220824',
  next: (result) => part(JSON.stringify(result)),
  // A client would take an empty part for a result.
  heartbeat: null,
};

/** Resolves when all is sent or the client has left. */
export function writeMultipart(results: AsyncIterableIterator<Result>, response: ServerResponse): Promise<void> {
  return writeStream(results, response, MULTIPART_SUBSCRIPTION);
}

/** Resolves when all is sent or the client has left. */
export function writeDeferred(results: AsyncIterableIterator<Result>, response: ServerResponse): Promise<void> {
  return writeStream(results, response, MULTIPART_DEFER);
}
