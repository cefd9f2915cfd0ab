/** A process with the shop's three subgraphs by HTTP and graphql-ws, as cheap as Node allows: they share two cores with the gateway. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type GraphQLSchema, parse } from 'graphql';
import { type CompiledQuery, compileQuery, isCompiledQuery } from 'graphql-jit';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { serve } from './control.ts';
import { feed, shop, takeFetches } from './shop.ts';

type Query = CompiledQuery['query'];

function compiler(schema: GraphQLSchema): (text: string) => Query {
  const known = new Map<string, Query>();
  return (text) => {
    let query = known.get(text);
    if (!query) {
      const compiled = compileQuery(schema, parse(text));
      if (!isCompiledQuery(compiled)) throw new Error(`A gateway sent what is no operation: ${text}`);
      query = compiled.query;
      known.set(text, query);
    }
    return query;
  };
}

async function answer(compiled: (text: string) => Query, request: IncomingMessage, response: ServerResponse) {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const { query, variables } = JSON.parse(Buffer.concat(chunks).toString());
  const text = JSON.stringify(await compiled(query)({}, {}, variables ?? {}));
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text);
}

interface Emission {
  seats: number;
  perSecond: number;
  /** Events in all. */
  count: number;
  /** Number of the first event; none may come twice. */
  first: number;
  /** Whether all seats get theirs at one moment; otherwise they take turns, evenly spaced. */
  together: boolean;
}

/** Sends events to the seats in turn. @returns when the last one is sent */
async function emit({ seats, perSecond, count, first, together }: Emission): Promise<void> {
  const started = performance.now();
  const burst = together ? seats : 1;
  for (let sent = 0; sent < count; ) {
    const due = started + (sent / perSecond) * 1000 - performance.now();
    if (due > 0) await new Promise((resolve) => setTimeout(resolve, due));
    for (let index = 0; index < burst && sent < count; index++, sent++) feed.emit(String(sent % seats), first + sent);
  }
}

/** Subscriptions that are open: each listens to its seat, whose name is a number. */
const openSeats = () => feed.eventNames().filter((name) => /^\d+$/.test(String(name))).length;

const urls: Record<string, string> = {};
for (const { name, schema: load } of shop) {
  const { schema } = await load();
  const compiled = compiler(schema);
  const server = createServer((request, response) => {
    answer(compiled, request, response).catch((error) => response.writeHead(500).end(String(error)));
  });
  server.keepAliveTimeout = 120_000;
  useServer({ schema }, new WebSocketServer({ server, path: '/graphql' }));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  urls[name] = `http://127.0.0.1:${(server.address() as { port: number }).port}/graphql`;
}
serve({ urls: () => urls, takeFetches, emit, open: openSeats });
console.log('@ready');
