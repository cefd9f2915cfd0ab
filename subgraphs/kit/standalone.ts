import { loadConfig } from './config.ts';
import { Database } from './database.ts';
import { createLogger } from './log.ts';
import { migrate } from './migrate.ts';
import { createRegistry } from './registry.ts';
import type { Subgraph } from './subgraph.ts';
import { startSubgraphServer } from './subgraph-server.ts';

/**
 * Runs one subgraph as a process of its own on PORT. It believes only identities signed by the gateway.
 * DATABASE_URL, MLFLOW_TRACKING_URI and SUBGRAPH_SECRET are required here: nothing is embedded.
 * SIGTERM lets what is in flight end for a few seconds, then the process exits.
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
  const server = await startSubgraphServer({
    name: subgraph.name,
    schema: (await subgraph.schema()).schema,
    running,
    secret: SUBGRAPH_SECRET,
    log,
    host: config.HOST,
    port: config.PORT,
    drainMs: Math.min(config.DRAIN_SECONDS * 1_000, 5_000),
  });
  log.info({ url: server.url }, 'subgraph ready');

  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    await server.stop();
    await running.stop?.();
    await database.close();
    process.exit(0);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}
