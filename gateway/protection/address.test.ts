import { describe, expect, it } from 'vitest';
import { clientAddress, networkOf } from './address.ts';

const ask = (proxies: number, forwarded: string | undefined, remoteAddress: string | undefined = '10.0.0.1') =>
  clientAddress(proxies)({ headers: { 'x-forwarded-for': forwarded } as never, socket: { remoteAddress } });

describe('clientAddress', () => {
  it('believes the connection alone when there is no proxy', () => {
    expect(ask(0, '6.6.6.6')).toBe('10.0.0.1');
  });

  it('takes what the outermost trusted proxy wrote, not what a client wrote before', () => {
    expect(ask(1, '6.6.6.6, 1.2.3.4')).toBe('1.2.3.4');
    expect(ask(2, '6.6.6.6, 1.2.3.4, 10.0.0.2')).toBe('1.2.3.4');
    expect(ask(2, '1.2.3.4')).toBe('1.2.3.4');
  });

  it('understands ports', () => {
    expect(ask(1, '1.2.3.4:5678')).toBe('1.2.3.4');
    expect(ask(1, '[2001:db8::1]:5678')).toBe('2001:db8::1');
    expect(ask(1, '2001:db8::1')).toBe('2001:db8::1');
  });

  it('takes the connection for what is no address', () => {
    expect(ask(1, undefined)).toBe('10.0.0.1');
    expect(ask(1, 'unknown')).toBe('10.0.0.1');
    expect(ask(1, '[')).toBe('10.0.0.1');
    expect(clientAddress(1)({ headers: {}, socket: {} })).toBe('');
  });
});

describe('networkOf', () => {
  it.each([
    ['1.2.3.4', '1.2.3.4'],
    ['::ffff:1.2.3.4', '1.2.3.4'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:0001:2::6', '2001:db8:1:2::/64'],
    ['2001:db8::', '2001:db8:0:0::/64'],
    ['2001:db8::1:2', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['64:ff9b::1.2.3.4', '64:ff9b:0:0::/64'],
    ['', ''],
  ])('of %s is %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});
