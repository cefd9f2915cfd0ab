import { describe, expect, it } from 'vitest';
import { isInternal } from './internal.ts';

const from = (remoteAddress: string | undefined, headers = {}) => isInternal({ headers, socket: { remoteAddress } });

describe('what only operators see', () => {
  it('is shown to this machine and its own network', () => {
    for (const address of ['127.0.0.1', '::1', '::ffff:10.1.2.3', '10.0.0.7', '172.20.0.2', '192.168.1.5', 'fd00::1']) {
      expect(from(address), address).toBe(true);
    }
  });

  it('is shown to nobody else, and to nobody through a proxy', () => {
    for (const address of ['8.8.8.8', '172.32.0.1', '2001:db8::1', '::ffff:8.8.8.8', '', undefined]) {
      expect(from(address), address).toBe(false);
    }
    expect(from('127.0.0.1', { 'x-forwarded-for': '127.0.0.1' })).toBe(false);
    expect(from('127.0.0.1', { forwarded: 'for=1.2.3.4' })).toBe(false);
    expect(from('127.0.0.1', { via: '1.1 proxy' })).toBe(false);
  });
});
