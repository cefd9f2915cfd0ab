import type { IncomingMessage } from 'node:http';
import { isIP, isIPv4 } from 'node:net';

/**
 * Tells the address that a request came from: of the connection, or what the outermost of the trusted proxies wrote into
 * X-Forwarded-For. Whatever stands before that was written by anybody.
 * @param proxies how many there are in front of this process
 */
export function clientAddress(
  proxies: number,
): (request: Pick<IncomingMessage, 'headers'> & { socket: { remoteAddress?: string | undefined } }) => string {
  return ({ headers, socket }) => {
    const connection = socket.remoteAddress ?? '';
    const forwarded = proxies > 0 && headers['x-forwarded-for'];
    if (!forwarded) return connection;
    const hops = String(forwarded).split(',');
    const hop = withoutPort((hops[hops.length - proxies] ?? hops[0] ?? '').trim());
    return isIP(hop) ? hop : connection;
  };
}

/** `1.2.3.4:5678` and `[2001:db8::1]:5678` are written by some proxies. */
function withoutPort(hop: string): string {
  if (hop.startsWith('[')) return hop.slice(1, hop.indexOf(']'));
  const colon = hop.indexOf(':');
  return colon >= 0 && colon === hop.lastIndexOf(':') ? hop.slice(0, colon) : hop;
}

/** What belongs to one customer of a network: an IPv4 address, or the /64 of an IPv6 address. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const mapped = address.slice(address.lastIndexOf(':') + 1);
  if (isIPv4(mapped) && address.toLowerCase().startsWith('::ffff:')) return mapped;
  const [left = '', right] = address.split('%', 1)[0]?.split('::') ?? [];
  const groups = left === '' ? [] : left.split(':');
  if (right !== undefined) {
    const last = right === '' ? [] : right.split(':');
    // An IPv4 tail stands for two groups.
    const written = groups.length + last.length + (right.includes('.') ? 1 : 0);
    for (let i = written; i < 8; i++) groups.push('0');
    groups.push(...last);
  }
  return `${groups
    .slice(0, 4)
    .map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
}
