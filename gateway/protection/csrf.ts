import type { IncomingHttpHeaders } from 'node:http';
import { HashiraError } from '../../subgraphs/kit/errors.ts';
import { type Cors, isOwnOrigin } from './cors.ts';

/** Content types that any page may send anywhere without asking. */
const SIMPLE_TYPES = new Set(['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain']);

/** Headers by which clients show that the browser has asked; of the names Apollo's and The Guild's clients send. */
const PREFLIGHTED = ['apollo-require-preflight', 'x-apollo-operation-name', 'graphql-require-preflight'] as const;

/**
 * Refuses what a page of another site may have sent through its visitor's browser, who may reach what the page cannot.
 * A request passes when one of these holds:
 *
 * 1. It has a content type other than the three simple ones, such as application/json, or one of the headers above. No browser
 *    sends these to another origin unless a preflight, answered by `Cors`, allows it. Every POST that is valid here is of this kind.
 * 2. The browser says (Sec-Fetch-Site) that our own page or the person sent it.
 * 3. Its Origin is our own or one that CORS_ORIGINS allows; without an Origin, its Referer is our own.
 * 4. It shows no sign of a browser: neither Sec-Fetch-Site nor Origin nor Referer, and a User-Agent that is not one's. Browsers send
 *    Sec-Fetch-Site to https and to loopback, Origin with every POST to another site, and their User-Agent always.
 *
 * @throws HashiraError CSRF_BLOCKED
 */
export function refuseCrossSite(method: string, headers: IncomingHttpHeaders, cors: Cors): void {
  if (isPreflighted(headers) || isFromHere(headers, cors)) return;
  const how = method === 'GET' ? 'with the header "apollo-require-preflight: true"' : 'as application/json';
  throw new HashiraError('CSRF_BLOCKED', `Another site's page may have sent this. Send it ${how}.`);
}

function isPreflighted(headers: IncomingHttpHeaders): boolean {
  const type = headers['content-type'];
  if (type && !SIMPLE_TYPES.has((type.split(';', 1)[0] as string).trim().toLowerCase())) return true;
  return PREFLIGHTED.some((name) => headers[name]);
}

function isFromHere(headers: IncomingHttpHeaders, cors: Cors): boolean {
  const { origin, referer, host } = headers;
  const site = headers['sec-fetch-site'];
  if (site === 'same-origin' || site === 'none') return true;
  if (cors.allows(origin)) return true;
  if (site !== undefined) return false;
  const page = origin ?? referer;
  if (page !== undefined) return isOwnOrigin(page, host);
  return !headers['user-agent']?.startsWith('Mozilla/');
}
