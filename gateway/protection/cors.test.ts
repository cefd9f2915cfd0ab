import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Cors } from './cors.ts';

let server: Server | undefined;
afterEach(() => server?.close());

async function ask(origins: string, method: string, headers: Record<string, string>): Promise<Response> {
  server?.close();
  const cors = new Cors(origins);
  server = createServer((request, response) => {
    if (!cors.apply(request, response)) response.end('answer');
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`, { method, headers });
}

const access = ({ headers }: Response) =>
  Object.fromEntries([...headers].filter(([name]) => name.startsWith('access-control') || name === 'vary'));

const PREFLIGHT = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' };
const LIST = 'https://shop.example, https://admin.example:8443';

describe('Cors', () => {
  it('says nothing to other origins by default', async () => {
    expect(access(await ask('', 'POST', { origin: 'https://evil.example' }))).toEqual({});
    const preflight = await ask('', 'OPTIONS', { ...PREFLIGHT, origin: 'https://evil.example' });
    expect([preflight.status, access(preflight)]).toEqual([204, {}]);
  });

  it('answers the preflight of a listed origin', async () => {
    const answer = await ask(LIST, 'OPTIONS', { ...PREFLIGHT, origin: 'https://admin.example:8443' });
    expect(answer.status).toBe(204);
    expect(await answer.text()).toBe('');
    expect(access(answer)).toEqual({
      vary: 'Origin',
      'access-control-allow-origin': 'https://admin.example:8443',
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-headers': expect.stringContaining('authorization, content-type'),
      'access-control-max-age': '7200',
    });
  });

  it('lets a listed origin read the answer, its request id and when to come again', async () => {
    const answer = await ask(LIST, 'POST', { origin: 'https://shop.example' });
    expect(await answer.text()).toBe('answer');
    expect(access(answer)).toEqual({
      vary: 'Origin',
      'access-control-allow-origin': 'https://shop.example',
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': 'retry-after, x-request-id',
    });
  });

  it.each(['https://evil.example', 'https://shop.example.evil.example', 'http://shop.example', 'null'])(
    'gives %s nothing but the warning to caches',
    async (origin) => {
      expect(access(await ask(LIST, 'POST', { origin }))).toEqual({ vary: 'Origin' });
    },
  );

  it('lets every origin read, without credentials', async () => {
    expect(access(await ask('*', 'POST', { origin: 'https://any.example' }))).toEqual({
      'access-control-allow-origin': '*',
      'access-control-expose-headers': 'retry-after, x-request-id',
    });
  });

  it('takes OPTIONS without its headers for no preflight', async () => {
    expect(await (await ask(LIST, 'OPTIONS', { origin: 'https://shop.example' })).text()).toBe('answer');
  });

  it('lets our own pages, listed origins and programs open a WebSocket', () => {
    const cors = new Cors(LIST);
    const request = { headers: { host: '127.0.0.1:4000' } };
    expect(cors.allowsSocket(undefined, request)).toBe(true);
    expect(cors.allowsSocket('http://127.0.0.1:4000', request)).toBe(true);
    expect(cors.allowsSocket('https://shop.example', request)).toBe(true);
    expect(cors.allowsSocket('http://127.0.0.1:5000', request)).toBe(false);
    expect(cors.allowsSocket('https://evil.example', request)).toBe(false);
    expect(cors.allowsSocket('null', request)).toBe(false);
    expect(new Cors('*').allowsSocket('https://evil.example', request)).toBe(true);
  });
});
