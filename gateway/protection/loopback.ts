import type { IncomingHttpHeaders } from 'node:http';
import { isProxied } from './internal.ts';

/** Whether a request came straight from a process of this machine. */
export function isLoopback({
  headers,
  socket,
}: {
  headers: IncomingHttpHeaders;
  socket: { remoteAddress?: string | undefined };
}): boolean {
  const address = socket.remoteAddress?.replace(/^::ffff:(?=\d+\.)/i, '') ?? '';
  return !isProxied(headers) && (address === '::1' || address.startsWith('127.'));
}

/** Whether a Host header names this machine in a way that no name server can give to a stranger. */
export function isLoopbackHost(host: string | undefined): boolean {
  if (!host || !URL.canParse(`http://${host}`)) return false;
  const { hostname } = new URL(`http://${host}`);
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
}
