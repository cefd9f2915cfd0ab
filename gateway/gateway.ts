import { readFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { fileURLToPath } from 'node:url';
import { parse } from 'graphql';
import type { Services, Subgraph } from '../subgraphs/kit/subgraph.ts';
import { createAnswer } from './answer.ts';
import { createAuthenticator } from './auth.ts';
import { createDrain } from './drain.ts';
import { Graph } from './graph/graph.ts';
import { PreparedOperations } from './graph/prepared.ts';
import { watchSupergraph } from './graph/reload.ts';
import { subgraphEntries } from './graph/supergraph.ts';
import { createHealth } from './health.ts';
import { Metrics } from './observability/metrics.ts';
import { createRequestLog } from './observability/request-log.ts';
import { startTracing } from './observability/tracing.ts';
import { createPages } from './pages.ts';
import { clientAddress } from './protection/address.ts';
import { Cors } from './protection/cors.ts';
import { Documents } from './protection/documents.ts';
import { limitsOf } from './protection/limits.ts';
import { readManifest } from './protection/manifest.ts';
import { RateLimit } from './protection/rate-limit.ts';
import { Sources } from './sources/sources.ts';
import { Subscriptions } from './subscriptions/subscriptions.ts';
import { createHttpServer } from './transports/http.ts';
import { createWebSocketServer } from './transports/websocket.ts';
import { createSignIn } from './web/sign-in.ts';
import { readSite } from './web/site.ts';

export interface Gateway {
  url: string;
  /** Takes no more requests, lets those in flight end within DRAIN_SECONDS, ends streams, stops the subgraphs. */
  stop(): Promise<void>;
}

export type GatewayServices = Pick<Services, 'config' | 'log'> & Partial<Services>;

const DEFAULT_SUPERGRAPH = fileURLToPath(new URL('../schema/supergraph.graphql', import.meta.url));
const DEFAULT_WEB = fileURLToPath(new URL('../.web', import.meta.url));
const MANIFEST = new URL('../schema/operations/manifest.json', import.meta.url);

/**
 * Starts the subgraphs that run in this process and the doors in front of the whole graph.
 * @param services without a database, only subgraphs reached by URL can be served
 */
export async function startGateway(
  subgraphs: readonly Subgraph[],
  services: GatewayServices,
  supergraphFile: string | URL = services.config.SUPERGRAPH_FILE ?? DEFAULT_SUPERGRAPH,
): Promise<Gateway> {
  const { config, log, database, registry } = services;
  const metrics = config.METRICS === 'on' ? new Metrics() : null;
  const tracing = config.OTEL_EXPORTER_OTLP_ENDPOINT
    ? await startTracing(config.OTEL_EXPORTER_OTLP_ENDPOINT, 'hashiramart-gateway', { log })
    : null;
  const whole = database && registry ? { config, log, database, registry } : null;
  const sources = new Sources(subgraphs, config, whole, metrics);
  const production = config.PRODUCTION === 'on';
  const introspectsAllowed = config.INTROSPECTION === 'allowed';
  const introspection = config.INTROSPECTION === 'auto' ? !production : config.INTROSPECTION !== 'off';
  const load = async (sdl: string) =>
    new PreparedOperations(
      new Graph(sdl, {
        sources: await sources.of(subgraphEntries(parse(sdl, { noLocation: true }))),
        log,
        introspectsAllowed,
      }),
      {
        limits: limitsOf(config),
        introspection,
        suggestions: introspection && !introspectsAllowed,
        defaultListSize: config.DEFAULT_LIST_SIZE,
        onLookup: (hit) => metrics?.lookup('operation', hit),
        onPlanned: (ms) => metrics?.planned(ms),
      },
    );

  const file = typeof supergraphFile === 'string' ? supergraphFile : fileURLToPath(supergraphFile);
  const first = await readFile(file, 'utf8');
  let operations = await load(first);
  metrics?.supergraph('served');
  const watcher = watchSupergraph(
    file,
    async (sdl) => {
      try {
        const next = await load(sdl);
        await next.warm(operations);
        operations = next;
        metrics?.supergraph('served');
        log.info('the supergraph has changed and is served');
      } catch (error) {
        metrics?.supergraph('refused');
        throw error;
      }
    },
    { log, current: first },
  );

  const subscriptions = new Subscriptions({
    perUser: config.MAX_SUBSCRIPTIONS_PER_USER,
    queue: config.SUBSCRIPTION_QUEUE,
    log,
  });
  metrics?.streams(subscriptions.stats);
  const rateLimit = new RateLimit(config);
  const answer = createAnswer({
    operations: () => operations,
    documents: new Documents({ mode: config.TRUSTED_DOCUMENTS, manifest: await readManifest(MANIFEST) }),
    rateLimit,
    maxCost: config.MAX_COST,
    subscriptions,
    metrics,
    requestLog: createRequestLog(config.LOG_REQUESTS, log),
  });
  const health = createHealth({ database, breakers: () => sources.breakers() });
  const authenticate = await createAuthenticator(config, rateLimit);
  const cors = new Cors(config.CORS_ORIGINS);
  const address = clientAddress(config.TRUST_PROXY);
  // The web app is the shop's; another graph has no use for it.
  const web = config.WEB_DIR ?? (config.SUPERGRAPH_FILE ? null : DEFAULT_WEB);
  const site = web ? await readSite(web, config.OIDC_CLIENT_ID && config.JWT_ISSUER) : null;
  const server = createHttpServer({
    answer,
    authenticate,
    address,
    cors,
    health,
    metrics,
    tracing,
    pages: await createPages({ production }),
    site,
    signIn: createSignIn(config),
    maxBodyBytes: config.MAX_BODY_BYTES,
    log,
  });
  const drain = createDrain(server);
  const sockets = createWebSocketServer({
    answer,
    authenticate,
    allowOrigin: (origin, request) => cors.allowsSocket(origin, request),
    address,
    log,
    maxPayload: config.MAX_BODY_BYTES,
  });
  server.on('upgrade', (request, socket, head) => {
    if (request.url?.split('?')[0] === '/graphql') sockets.handleUpgrade(request, socket, head);
    else socket.destroy();
  });
  const url = await listen(server, config.HOST, config.PORT);
  return {
    url,
    stop: async () => {
      const deadline = config.DRAIN_SECONDS * 1000;
      health.drain();
      watcher.stop();
      await Promise.all([drain(deadline), subscriptions.stop(), sockets.stop(deadline)]);
      await sources.stop();
      await tracing?.stop();
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE';
      reject(taken ? new Error(`Port ${port} on ${host} is taken. Set PORT to another one.`, { cause: error }) : error);
    });
    server.listen(port, host, () => {
      const { port: bound } = server.address() as { port: number };
      resolve(`http://${host.includes(':') ? `[${host}]` : host}:${bound}`);
    });
  });
}
