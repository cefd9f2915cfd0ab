import type { IncomingHttpHeaders } from 'node:http';
import type { Context, Span } from '@opentelemetry/api';
import type { Logger } from '../../subgraphs/kit/log.ts';
import type { OperationKind } from './metrics.ts';
import type { Ending } from './outcome.ts';

/** How long the spans still waiting may take to be sent when the process ends. */
const FLUSH_MS = 1_000;

/** Traces by OpenTelemetry. A gateway without a collector holds null in its place. */
export interface Tracing {
  /** Begins the span of a request, under the caller's when `traceparent` names one. */
  request(headers: IncomingHttpHeaders): RequestTrace;
  /** Sends what waits, for at most a second; never rejects. */
  stop(): Promise<void>;
}

export interface RequestTrace {
  /** Names the span once the operation is known. */
  operation(kind: OperationKind, name: string | undefined): void;
  /** Planning. The function it returns ends the span. */
  plan(): () => void;
  fetch(subgraph: string): FetchTrace;
  end(ending: Ending): void;
}

export interface FetchTrace {
  /** Header for the subgraph, so that its spans join this trace. */
  readonly traceparent: string;
  /** @param code of the error, when the fetch failed as a whole */
  end(code?: string): void;
}

export interface TracingOptions {
  log: Logger;
  /** Share of the requests without a `traceparent` that are traced; one with it decides itself. @default 1 */
  ratio?: number;
}

/**
 * Sends spans by OTLP over HTTP, as JSON, to `<endpoint>/v1/traces`. Spans carry names of operations and subgraphs and
 * codes of errors: no variables, no addresses, nobody's identity.
 */
export async function startTracing(
  endpoint: string,
  serviceName: string,
  { log, ratio = 1 }: TracingOptions,
): Promise<Tracing> {
  // Loaded only here: a gateway that is not traced neither waits for these libraries nor keeps them in memory.
  const [api, sdk, { OTLPTraceExporter }, { resourceFromAttributes }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ]);
  const ignore = () => {};
  const warn = (message: string) => log.warn({ reason: message }, 'traces could not be sent');
  api.diag.setLogger({ error: warn, warn: ignore, info: ignore, debug: ignore, verbose: ignore });
  const provider = new sdk.TracerProvider({
    resource: resourceFromAttributes({ 'service.name': serviceName }),
    sampler: new sdk.ParentBasedSampler({ root: new sdk.TraceIdRatioBasedSampler(ratio) }),
    spanProcessors: [
      new sdk.BatchSpanProcessor({
        exporter: new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, '')}/v1/traces` }),
      }),
    ],
  });
  const tracer = provider.getTracer('hashiramart');
  const { SpanKind, SpanStatusCode, ROOT_CONTEXT, trace } = api;

  const parentOf = (header: string | undefined): Context => {
    const [, traceId = '', spanId = '', flags = ''] = TRACEPARENT.exec(header ?? '') ?? [];
    const parent = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true };
    return api.isSpanContextValid(parent) ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
  };

  return {
    request: (headers) => {
      const span = tracer.startSpan(
        'request',
        { kind: SpanKind.SERVER },
        parentOf(headers.traceparent as string | undefined),
      );
      const context = trace.setSpan(ROOT_CONTEXT, span);
      return {
        operation: (kind, name) => {
          span.updateName(name ? `${kind} ${name}` : kind);
          span.setAttribute('graphql.operation.type', kind);
          if (name) span.setAttribute('graphql.operation.name', name);
        },
        plan: () => {
          const plan = tracer.startSpan('plan', {}, context);
          return () => plan.end();
        },
        fetch: (subgraph) => {
          const attributes = { 'hashira.subgraph': subgraph };
          const fetch = tracer.startSpan(`fetch ${subgraph}`, { kind: SpanKind.CLIENT, attributes }, context);
          return {
            traceparent: traceparentOf(fetch),
            end: (code) => {
              if (code) fail(fetch, code);
              fetch.end();
            },
          };
        },
        end: ({ outcome, codes }) => {
          span.setAttribute('hashira.outcome', outcome);
          if (codes.length > 0) span.setAttribute('hashira.codes', [...codes]);
          if (outcome === 'error') fail(span, codes[0] ?? 'INTERNAL_SERVER_ERROR');
          span.end();
        },
      };
    },
    stop: async () => {
      const late = new Promise<true>((resolve) => setTimeout(resolve, FLUSH_MS, true).unref());
      const flushed = provider.shutdown().catch((error: unknown) => warn(String(error)));
      if (await Promise.race([flushed, late])) warn('the collector did not answer in time');
      api.diag.disable();
    },
  };

  function fail(span: Span, code: string): void {
    span.setAttribute('error.type', code);
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
}

/** W3C Trace Context: version, trace id, parent id, flags. A later version may append fields. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:$|-)/;

function traceparentOf(span: Span): string {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return `00-${traceId}-${spanId}-0${traceFlags & 1}`;
}
