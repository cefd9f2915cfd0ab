import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { BlockList } from 'node:net';

const INTERNAL = new BlockList();
for (const [network, prefix] of [
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
  ['169.254.0.0', 16],
] as const) {
  INTERNAL.addSubnet(network, prefix);
}
INTERNAL.addAddress('::1', 'ipv6');
INTERNAL.addSubnet('fc00::', 7, 'ipv6');
INTERNAL.addSubnet('fe80::', 10, 'ipv6');

/** What proxies add. */
const PROXIED = ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via'];

/** Whether a proxy says that it speaks for somebody else. */
export const isProxied = (headers: IncomingHttpHeaders): boolean => PROXIED.some((name) => headers[name] !== undefined);

/**
 * Whether a request came straight from this machine or its own network: what only operators are to see is answered to nobody
 * else, and to nobody through a proxy, which says whom it speaks for.
 */
export function isInternal({
  headers,
  socket,
}: Pick<IncomingMessage, 'headers'> & { socket: { remoteAddress?: string | undefined } }): boolean {
  if (isProxied(headers)) return false;
  const address = socket.remoteAddress?.replace(/^::ffff:(?=\d+\.)/i, '') ?? '';
  return INTERNAL.check(address, address.includes(':') ? 'ipv6' : 'ipv4');
}
