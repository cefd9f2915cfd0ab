import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTracing, type Tracing } from './tracing.ts';

/** A span as OTLP's JSON has it. */
interface Span {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  status?: { code?: number };
  attributes: { key: string; value: { stringValue?: string; arrayValue?: { values: { stringValue: string }[] } } }[];
}

let collector: Server;
let endpoint: string;
let bodies: string[];
let paths: (string | undefined)[];
let status: number | null;

beforeEach(async () => {
  bodies = [];
  paths = [];
  status = 200;
  collector = createServer(async (request, response) => {
    paths.push(request.url);
    let body = '';
    for await (const chunk of request) body += chunk;
    bodies.push(body);
    if (status) response.writeHead(status).end('{}');
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
});

afterEach(async () => {
  collector.closeAllConnections();
  await new Promise((resolve) => collector.close(resolve));
});

const log = pino({ level: 'silent' });
const start = (options = {}) => startTracing(endpoint, 'gateway-under-test', { log, ...options });

const spans = (): Span[] =>
  bodies.flatMap((body) =>
    JSON.parse(body).resourceSpans.flatMap((resource: { scopeSpans: { spans: Span[] }[] }) =>
      resource.scopeSpans.flatMap((scope) => scope.spans),
    ),
  );

function request(tracing: Tracing, traceparent?: string): string {
  const trace = tracing.request({ traceparent, authorization: 'Bearer x.y.z', 'x-forwarded-for': '10.0.0.1' });
  trace.operation('query', 'Cart');
  trace.plan()();
  const good = trace.fetch('catalog');
  good.end();
  trace.fetch('forecast').end('SUBGRAPH_TIMEOUT');
  trace.end({ outcome: 'partial', codes: ['SUBGRAPH_TIMEOUT'] });
  return good.traceparent;
}

describe('a traced request', () => {
  it('is a span with its plan and its fetches under it', async () => {
    const tracing = await start();
    const outgoing = request(tracing);
    await tracing.stop();
    expect(paths).toEqual(['/v1/traces']);
    const [plan, good, failed, root] = spans() as [Span, Span, Span, Span];
    expect(spans().map(({ name, kind }) => [name, kind])).toEqual([
      ['plan', 1],
      ['fetch catalog', 3],
      ['fetch forecast', 3],
      ['query Cart', 2],
    ]);
    expect(root.parentSpanId).toBeFalsy();
    for (const child of [plan, good, failed])
      expect([child.traceId, child.parentSpanId]).toEqual([root.traceId, root.spanId]);
    expect(outgoing).toBe(`00-${good.traceId}-${good.spanId}-01`);
    expect([good.status?.code ?? 0, failed.status?.code ?? 0, root.status?.code ?? 0]).toEqual([0, 2, 0]);
    expect(JSON.stringify(failed.attributes)).toContain('SUBGRAPH_TIMEOUT');
    expect(JSON.parse(bodies[0] as string).resourceSpans[0].resource.attributes).toEqual([
      { key: 'service.name', value: { stringValue: 'gateway-under-test' } },
    ]);
  });

  it('joins the trace of its caller', async () => {
    const tracing = await start({ ratio: 0 });
    const outgoing = request(tracing, `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`);
    await tracing.stop();
    const root = spans().at(-1) as Span;
    expect([root.traceId, root.parentSpanId]).toEqual(['a'.repeat(32), 'b'.repeat(16)]);
    expect(outgoing).toMatch(new RegExp(`^00-${'a'.repeat(32)}-[0-9a-f]{16}-01$`));
  });

  it('is not sent when its caller does not want it traced, but its trace goes on to subgraphs', async () => {
    const tracing = await start();
    const outgoing = request(tracing, `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00`);
    await tracing.stop();
    expect(outgoing).toMatch(new RegExp(`^00-${'a'.repeat(32)}-[0-9a-f]{16}-00$`));
    expect(bodies).toEqual([]);
  });

  it('begins its own trace when the header makes no sense', async () => {
    const tracing = await start();
    const zero = `00-${'0'.repeat(32)}-${'b'.repeat(16)}-01`;
    for (const header of ['nonsense', zero, `ff-${'a'.repeat(32)}-${'b'.repeat(16)}-01`]) request(tracing, header);
    await tracing.stop();
    const roots = spans().filter(({ name }) => name === 'query Cart');
    expect(roots.map(({ parentSpanId }) => parentSpanId ?? '')).toEqual(['', '', '']);
    expect(new Set(roots.map(({ traceId }) => traceId)).size).toBe(3);
  });

  it('tells nothing of who asked', async () => {
    const tracing = await start();
    request(tracing);
    await tracing.stop();
    expect(bodies.join()).not.toMatch(/x\.y\.z|10\.0\.0\.1|host|process\.|user/i);
  });
});

describe('the end of tracing', () => {
  it('does not wait for ever for a collector that hangs', async () => {
    status = null;
    const tracing = await start();
    request(tracing);
    const before = Date.now();
    await tracing.stop();
    expect(Date.now() - before).toBeLessThan(2_000);
  });

  it.each([
    ['is away', 'http://127.0.0.1:1', 200],
    ['refuses', undefined, 400],
  ])('outlives a collector that %s, and says so', async (_, where, answer) => {
    status = answer;
    const lines: string[] = [];
    const loud = pino({}, { write: (line: string) => lines.push(line) });
    const tracing = await startTracing(where ?? endpoint, 'gateway-under-test', { log: loud });
    request(tracing);
    await tracing.stop();
    expect(lines.join()).toContain('traces could not be sent');
  });
});
