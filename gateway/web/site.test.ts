import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request as httpRequest, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSite } from './site.ts';

let folder: string;
let server: Server;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'site-'));
  await mkdir(path.join(folder, 'assets'));
  await writeFile(path.join(folder, 'routes.json'), '["/", "/search", "/product/*"]');
  await writeFile(path.join(folder, 'index.html'), '<!doctype html>');
  await writeFile(path.join(folder, 'assets/app-1a2b.js'), 'app()');
  await writeFile(path.join(folder, 'assets/app-1a2b.js.gz'), gzipSync('app()'));
  const site = await readSite(folder, 'https://issuer.example/realm');
  server = createServer((request, response) => {
    const page = site?.(request.url ?? '');
    if (page) page(request, response);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true });
});

/** As it comes over the wire: fetch would unpack it. */
function get(pathname: string, headers: Record<string, string> = {}) {
  const { port } = server.address() as AddressInfo;
  return new Promise<{ status: number; headers: IncomingHttpHeaders; body: Buffer }>((resolve, reject) => {
    httpRequest({ port, host: '127.0.0.1', path: pathname, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    })
      .on('error', reject)
      .end();
  });
}

describe('the built web app', () => {
  it.each(['/', '/search', '/product/p-1'])(
    'answers its own route %s with its page, never from a stale cache',
    async (route) => {
      const { status, headers, body } = await get(route);
      expect([status, String(body)]).toEqual([200, '<!doctype html>']);
      expect(headers['cache-control']).toBe('no-cache');
      expect((await get(route, { 'if-none-match': headers.etag as string })).status).toBe(304);
    },
  );

  it.each(['/searching', '/product', '/routes.json', '/assets/app-1a2b.js.gz', '/assets/../routes.json', '/%2e%2e/x'])(
    'has nothing at %s',
    async (elsewhere) => expect((await get(elsewhere)).status).toBe(404),
  );

  it('runs no script and no style but its own, in no frame', async () => {
    const policy = (await get('/')).headers['content-security-policy'];
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(policy).toContain("connect-src 'self' https://issuer.example;");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe');
  });

  it('sends what is named by its hash compressed, to be kept for a year', async () => {
    const zipped = await get('/assets/app-1a2b.js', { 'accept-encoding': 'gzip, br' });
    expect(zipped.headers['content-encoding']).toBe('gzip');
    expect(zipped.headers['cache-control']).toContain('immutable');
    expect(zipped.headers['content-type']).toContain('text/javascript');
    expect(zipped.body).toEqual(gzipSync('app()'));
    const plain = await get('/assets/app-1a2b.js');
    expect([plain.headers['content-encoding'], String(plain.body)]).toEqual([undefined, 'app()']);
  });

  it('is not there where nothing is built', async () => {
    expect(await readSite(path.join(folder, 'assets'))).toBeNull();
  });
});
