import { readFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { ApolloServer } from '@apollo/server';
import { unwrapResolverError } from '@apollo/server/errors';
import { ApolloServerPluginLandingPageLocalDefault } from '@apollo/server/plugin/landingPage/default';
import type { Config } from '../subgraphs/kit/config.ts';
import { formatError } from '../subgraphs/kit/format-error.ts';
import type { RunningSubgraph, Services, Subgraph } from '../subgraphs/kit/subgraph.ts';
import { createAuthenticator } from './auth.ts';
import type { GatewayContext } from './context.ts';
import { LocalDataSource, RemoteDataSource } from './data-source.ts';
import { Graph } from './graph.ts';
import { databaseHealth } from './health.ts';
import { createHttpServer } from './http.ts';
import { FIRST_QUERY, pages } from './pages.ts';
import { subgraphUrls } from './supergraph.ts';

export interface Gateway {
  url: string;
  /** Stops taking requests, lets those in flight end, stops the subgraphs. */
  stop(): Promise<void>;
}

/** Starts the subgraphs that run in this process and the HTTP door in front of the whole graph. */
export async function startGateway(
  subgraphs: readonly Subgraph[],
  services: Services,
  supergraphFile = new URL('../schema/supergraph.graphql', import.meta.url),
): Promise<Gateway> {
  const { config, log } = services;
  const supergraphSdl = await readFile(supergraphFile, 'utf8');
  const running: RunningSubgraph[] = [];
  const sources = new Map<string, LocalDataSource | RemoteDataSource>();
  for (const [name, declared] of subgraphUrls(supergraphSdl)) {
    const url = urlFromEnvironment(config, name) ?? declared;
    if (/^https?:/.test(url)) {
      if (!config.SUBGRAPH_SECRET) throw new Error(`SUBGRAPH_SECRET is needed to reach the subgraph "${name}" by URL.`);
      sources.set(name, new RemoteDataSource(name, url, config.SUBGRAPH_SECRET));
      continue;
    }
    const subgraph = subgraphs.find((candidate) => candidate.name === name);
    if (!subgraph) throw new Error(`The supergraph's subgraph "${name}" has no URL and is not part of this process.`);
    const started = await subgraph.start({ ...services, log: log.child({ subgraph: name }) });
    running.push(started);
    sources.set(name, new LocalDataSource(name, (await subgraph.schema()).schema, started));
  }

  const apollo = new ApolloServer<GatewayContext>({
    gateway: new Graph(supergraphSdl, sources, log),
    introspection: true,
    allowBatchedHttpRequests: false,
    stopOnTerminationSignals: false,
    formatError: (formatted, error) => formatError({ ...formatted, originalError: unwrapResolverError(error) }, log),
    logger: log,
    plugins: [
      ApolloServerPluginLandingPageLocalDefault({
        footer: false,
        document: FIRST_QUERY,
        embed: { runTelemetry: false, endpointIsEditable: false },
      }),
    ],
  });
  await apollo.start();
  const server = createHttpServer({
    apollo,
    authenticate: await createAuthenticator(config),
    health: databaseHealth(services.database),
    pages,
    log,
  });
  const url = await listen(server, config.HOST, config.PORT);
  return {
    url,
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeIdleConnections();
      setTimeout(() => server.closeAllConnections(), 5_000).unref();
      await closed;
      await apollo.stop();
      await Promise.all(running.map((subgraph) => subgraph.stop?.()));
    },
  };
}

function urlFromEnvironment(config: Config, name: string): string | undefined {
  return config[`${name.toUpperCase()}_URL` as keyof Config] as string | undefined;
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
