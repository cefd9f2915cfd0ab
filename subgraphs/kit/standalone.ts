import { ApolloServer } from '@apollo/server';
import { unwrapResolverError } from '@apollo/server/errors';
import { startStandaloneServer } from '@apollo/server/standalone';
import { IDENTITY_HEADER, verifyIdentity } from './auth.ts';
import { loadConfig } from './config.ts';
import { Database } from './database.ts';
import { formatError } from './format-error.ts';
import { createLogger } from './log.ts';
import { migrate } from './migrate.ts';
import { createRegistry } from './registry.ts';
import type { Subgraph } from './subgraph.ts';

/**
 * Runs one subgraph as a process of its own on PORT. It believes only identities signed by the gateway.
 * DATABASE_URL, MLFLOW_TRACKING_URI and SUBGRAPH_SECRET are required here: nothing is embedded.
 */
export async function runStandalone(subgraph: Subgraph): Promise<void> {
  const config = loadConfig();
  const { DATABASE_URL, SUBGRAPH_SECRET } = config;
  if (!DATABASE_URL || !SUBGRAPH_SECRET)
    throw new Error('A subgraph on its own needs DATABASE_URL and SUBGRAPH_SECRET.');
  const log = createLogger(subgraph.name, config.LOG_LEVEL);
  await migrate(DATABASE_URL, subgraph.name, subgraph.migrations, log);
  const database = new Database(DATABASE_URL, { max: config.DATABASE_POOL, name: subgraph.name });
  const running = await subgraph.start({ config, database, log, registry: createRegistry(config) });
  const { schema } = await subgraph.schema();
  const server = new ApolloServer({
    schema,
    formatError: (formatted, error) => formatError({ ...formatted, originalError: unwrapResolverError(error) }, log),
    introspection: false,
  });
  const { url } = await startStandaloneServer(server, {
    listen: { host: config.HOST, port: config.PORT },
    context: async ({ req }) => {
      const header = req.headers[IDENTITY_HEADER];
      const requestId = String(req.headers['x-request-id'] ?? '');
      const identity = await verifyIdentity(String(header ?? ''), subgraph.name, SUBGRAPH_SECRET);
      return running.context({ identity, requestId, log: log.child({ requestId }) });
    },
  });
  log.info({ url }, 'subgraph ready');
  const stop = async () => {
    await server.stop();
    await running.stop?.();
    await database.close();
    process.exit(0);
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}
