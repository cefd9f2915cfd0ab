import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { renderGraphiQL } from '@graphql-yoga/render-graphiql';

export type Page = (request: IncomingMessage, response: ServerResponse) => void;

/** Serves one HTML text, made and compressed at the first request. */
function html(render: () => string): Page {
  let page: { plain: Buffer; zipped: Buffer; etag: string } | undefined;
  return (request, response) => {
    if (!page) {
      const plain = Buffer.from(render());
      page = { plain, zipped: gzipSync(plain), etag: `"${createHash('sha256').update(plain).digest('base64url')}"` };
    }
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.setHeader('cache-control', 'no-cache');
    response.setHeader('etag', page.etag);
    response.setHeader('x-frame-options', 'DENY');
    if (request.headers['if-none-match'] === page.etag) {
      response.statusCode = 304;
      response.end();
      return;
    }
    const zip = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
    if (zip) response.setHeader('content-encoding', 'gzip');
    response.end(request.method === 'HEAD' ? undefined : zip ? page.zipped : page.plain);
  };
}

/** A query that shows the graph at work to a visitor: no token needed. */
export const FIRST_QUERY = `# Ctrl-Enter runs it. Add a header {"Authorization": "Bearer <token>"} to ask as somebody.
query Visitor {
  popular(first: 5) {
    rank
    product { id name price { amount currency } category { name } }
  }
  search(query: "water breathing katana", first: 3) {
    totalCount
    edges { node { name description } }
  }
}
`;

/** GraphiQL in one self-contained page: works without a network. */
const graphiql = html(() => renderGraphiQL({ title: 'HashiraMart', endpoint: '/graphql', defaultQuery: FIRST_QUERY }));

const welcome = html(
  () => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>HashiraMart</title>
<style>
  body { font: 16px/1.6 system-ui, sans-serif; max-width: 40rem; margin: 10vh auto; padding: 0 1rem; color-scheme: light dark }
  code { font-family: ui-monospace, monospace } li { margin: .4rem 0 }
</style></head><body>
<h1>HashiraMart</h1>
<p>One federated GraphQL API: catalogue, recommendations, forecasts, and the pipeline behind them.</p>
<ul>
  <li><a href="/graphiql">GraphiQL</a>, the explorer that works offline</li>
  <li><a href="/graphql">Apollo Sandbox</a>, loaded from its vendor's network</li>
  <li><code>POST /graphql</code> for programs; <a href="/health/ready">health</a></li>
</ul>
<p>Development tokens are in <code>tokens.json</code> of the data folder and were printed at the start.</p>
</body></html>`,
);

export const pages: ReadonlyMap<string, Page> = new Map([
  ['/', welcome],
  ['/graphiql', graphiql],
]);
