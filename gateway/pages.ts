import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { ApolloServerPluginLandingPageLocalDefault } from '@apollo/server/plugin/landingPage/default';
import { renderGraphiQL } from '@graphql-yoga/render-graphiql';

export type Page = (request: IncomingMessage, response: ServerResponse) => void;

/** Serves one HTML text, made and compressed at the first request. @param policy what it may load and run */
function html(policy: string, render: () => string): Page {
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
    response.setHeader(
      'content-security-policy',
      `${policy}frame-ancestors 'none'; base-uri 'none'; form-action 'none'`,
    );
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

/** Everything is in the page itself: inline scripts, fonts as data, workers made of it. It talks to its own origin only. */
const GRAPHIQL_POLICY =
  "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob:; worker-src blob:; style-src 'unsafe-inline'; " +
  "img-src 'self' data:; font-src data:; connect-src 'self'; ";

/**
 * GraphiQL in one self-contained page: works without a network. It subscribes by SSE, because over WebSocket it would not
 * send what a person types under Headers, the token.
 */
const graphiql = html(GRAPHIQL_POLICY, () =>
  renderGraphiQL({
    title: 'HashiraMart',
    endpoint: '/graphql',
    subscriptionsProtocol: 'GRAPHQL_SSE',
    subscriptionsEndpoint: '/graphql',
    method: 'POST',
    defaultQuery: FIRST_QUERY,
    // All of them reach GraphiQL; the type knows only those of Yoga's own.
  } as Parameters<typeof renderGraphiQL>[0]),
);

const welcome = html(
  "default-src 'none'; style-src 'unsafe-inline'; ",
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

/** Apollo Sandbox as Apollo Server shows it. Its own policy, in the page, says what it may load from its vendor. */
async function landingPage(): Promise<Page> {
  const plugin = ApolloServerPluginLandingPageLocalDefault({
    footer: false,
    document: FIRST_QUERY,
    embed: { runTelemetry: false, endpointIsEditable: false },
  });
  // The plugin asks nothing of the server it starts with.
  const started = await plugin.serverWillStart?.({} as never);
  const page = (await started?.renderLandingPage?.())?.html;
  const text = typeof page === 'function' ? await page() : page;
  if (!text) throw new Error('Apollo Server has no landing page.');
  return html('', () =>
    text.replace(
      'you might be offline.',
      'you might be offline. <a href="/graphiql">GraphiQL</a> works without a network.',
    ),
  );
}

/** The pages a person opens besides the web app, by path; `/graphql` for a GET that accepts HTML. None in production. */
export async function createPages({ production }: { production: boolean }): Promise<ReadonlyMap<string, Page>> {
  if (production) return new Map();
  return new Map([
    ['/', welcome],
    ['/graphiql', graphiql],
    ['/graphql', await landingPage()],
  ]);
}
