import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPages, type Page } from './pages.ts';

let server: Server;
let url: string;

beforeAll(async () => {
  const pages = await createPages({ production: false });
  server = createServer((request, response) => (pages.get(request.url ?? '') as Page)(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => server.close());

describe('the pages a person opens', () => {
  it.each([
    ['/', 'href="/graphiql"'],
    ['/graphiql', '"subscriptionsProtocol":"GRAPHQL_SSE"'],
    ['/graphql', 'embeddable-sandbox'],
  ])('are whole at %s, cannot be framed, and cost little a second time', async (path, part) => {
    const first = await fetch(url + path);
    expect(await first.text()).toContain(part);
    expect(first.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(first.headers.get('x-frame-options')).toBe('DENY');
    const again = await fetch(url + path, { headers: { 'if-none-match': first.headers.get('etag') as string } });
    expect([again.status, await again.text()]).toEqual([304, '']);
  });

  it('send nothing of what is asked to their vendors', async () => {
    expect(await (await fetch(`${url}/graphql`)).text()).toContain('"runTelemetry":false');
  });

  it('lead from the explorer that needs a network to the one that does not', async () => {
    expect(await (await fetch(`${url}/graphql`)).text()).toContain('<a href="/graphiql">');
  });

  it('begin with a query that a visitor may run', async () => {
    for (const path of ['/graphiql', '/graphql'])
      expect(await (await fetch(url + path)).text()).toContain('query Visitor');
  });

  it('are not there in production', async () => {
    expect((await createPages({ production: true })).size).toBe(0);
  });
});
