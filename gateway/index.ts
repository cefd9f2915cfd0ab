import { subgraphs } from '../subgraphs/index.ts';
import { loadConfig } from '../subgraphs/kit/config.ts';
import { Database } from '../subgraphs/kit/database.ts';
import { createLogger } from '../subgraphs/kit/log.ts';
import { migrate } from '../subgraphs/kit/migrate.ts';
import { createRegistry } from '../subgraphs/kit/registry.ts';
import { startGateway } from './gateway.ts';

/**
 * The gateway's process, with the subgraphs that are not reached by URL inside it. Says `@ready <url>` when it answers.
 * With a SUPERGRAPH_FILE whose subgraphs all have URLs it needs no database.
 */
async function main(): Promise<void> {
  const config = loadConfig();
  const log = createLogger('gateway', config.LOG_LEVEL);
  const database = config.DATABASE_URL
    ? new Database(config.DATABASE_URL, { max: config.DATABASE_POOL, name: 'gateway' })
    : undefined;
  if (config.DATABASE_URL) {
    for (const { name, migrations } of subgraphs) await migrate(config.DATABASE_URL, name, migrations, log);
  } else if (!config.SUPERGRAPH_FILE) {
    throw new Error('DATABASE_URL is not set. `npm start` sets it to the embedded PostgreSQL.');
  }
  const shop = database ? { database, registry: createRegistry(config) } : {};
  const gateway = await startGateway(subgraphs, { config, log, ...shop });
  console.log(`@ready ${gateway.url}`);

  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    await gateway.stop();
    await database?.close();
    process.exit(0);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exit(1);
});
