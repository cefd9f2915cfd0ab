import type { IncomingMessage, ServerResponse } from 'node:http';
import { originsOf } from '../../subgraphs/kit/config.ts';

const ALLOWED_HEADERS = [
  'accept',
  'apollo-require-preflight',
  'apollographql-client-name',
  'apollographql-client-version',
  'authorization',
  'content-type',
  'graphql-require-preflight',
  'traceparent',
  'tracestate',
  'x-apollo-operation-id',
  'x-apollo-operation-name',
  'x-graphql-event-stream-token',
  'x-hashira-explain',
  'x-request-id',
].join(', ');
const EXPOSED_HEADERS = 'retry-after, x-request-id';
const MAX_AGE_SECONDS = 7_200;

/** Which pages of other origins may read answers, over HTTP and WebSocket. Without any, only our own pages can. */
export class Cors {
  private readonly any: boolean;
  private readonly origins: ReadonlySet<string>;

  /** @param origins as in CORS_ORIGINS */
  constructor(origins: string) {
    this.origins = new Set(originsOf(origins));
    this.any = this.origins.has('*');
  }

  /** Whether pages of this origin may ask. */
  allows(origin: string | undefined): boolean {
    return origin !== undefined && (this.any || this.origins.has(origin));
  }

  /** Whether a WebSocket may be opened: browsers hold it to no rule, but say whose page asks. Other clients say nothing. */
  allowsSocket(origin: string | undefined, request: Pick<IncomingMessage, 'headers'>): boolean {
    return origin === undefined || this.allows(origin) || isOwnOrigin(origin, request.headers.host);
  }

  /** Sets the headers of an answer. True when the request was a preflight, which is hereby answered. */
  apply({ method, headers }: Pick<IncomingMessage, 'method' | 'headers'>, response: ServerResponse): boolean {
    const preflight = method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;
    if (this.origins.size > 0) this.describe(headers.origin, preflight, response);
    if (preflight) response.writeHead(204, { 'content-length': 0 }).end();
    return preflight;
  }

  private describe(origin: string | undefined, preflight: boolean, response: ServerResponse): void {
    // Even where the origin is not allowed: a cache must not give this answer to one that is.
    if (!this.any) response.setHeader('vary', 'Origin');
    if (!this.allows(origin)) return;
    response.setHeader('access-control-allow-origin', this.any ? '*' : (origin as string));
    if (!this.any) response.setHeader('access-control-allow-credentials', 'true');
    if (!preflight) {
      response.setHeader('access-control-expose-headers', EXPOSED_HEADERS);
      return;
    }
    response.setHeader('access-control-allow-methods', 'GET, POST');
    response.setHeader('access-control-allow-headers', ALLOWED_HEADERS);
    response.setHeader('access-control-max-age', MAX_AGE_SECONDS);
  }
}

/** Whether a page of this origin, or at this address, came from the host that is asked. */
export function isOwnOrigin(url: string, host: string | undefined): boolean {
  return host !== undefined && URL.canParse(url) && new URL(url).host === host.toLowerCase();
}
