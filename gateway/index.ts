import { subgraphs } from '../subgraphs/index.ts';
import { loadConfig } from '../subgraphs/kit/config.ts';
import { Database } from '../subgraphs/kit/database.ts';
import { createLogger } from '../subgraphs/kit/log.ts';
import { migrate } from '../subgraphs/kit/migrate.ts';
import { createRegistry } from '../subgraphs/kit/registry.ts';
import { startGateway } from './gateway.ts';

/** The gateway's process, with the subgraphs that are not reached by URL inside it. Says `@ready <url>` when it answers. */
async function main(): Promise<void> {
  const config = loadConfig();
  const log = createLogger('gateway', config.LOG_LEVEL);
  if (!config.DATABASE_URL) throw new Error('DATABASE_URL is not set. `npm start` sets it to the embedded PostgreSQL.');
  for (const { name, migrations } of subgraphs) await migrate(config.DATABASE_URL, name, migrations, log);
  const database = new Database(config.DATABASE_URL, { max: config.DATABASE_POOL, name: 'gateway' });
  const gateway = await startGateway(subgraphs, { config, database, log, registry: createRegistry(config) });
  console.log(`@ready ${gateway.url}`);

  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    await gateway.stop();
    await database.close();
    process.exit(0);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exit(1);
});
