import { fileURLToPath } from 'node:url';
import { loadConfig } from '../kit/config.ts';
import { Database } from '../kit/database.ts';
import { createLogger } from '../kit/log.ts';
import { migrate } from '../kit/migrate.ts';
import { kinds } from './kinds/index.ts';
import { startSchedule } from './schedule.ts';
import { startWorker, stopOnSignals } from './work.ts';

/** A worker as a process of its own, where Spark and Python are. DATABASE_URL and MLFLOW_TRACKING_URI are required. */
async function main(): Promise<void> {
  const config = loadConfig();
  const log = createLogger('worker', config.LOG_LEVEL);
  if (!config.DATABASE_URL) throw new Error('A worker needs DATABASE_URL.');
  const migrations = fileURLToPath(new URL('./migrations', import.meta.url));
  await migrate(config.DATABASE_URL, 'pipeline', migrations, log);
  const database = new Database(config.DATABASE_URL, { max: config.DATABASE_POOL, name: 'worker' });
  const worker = await startWorker({ config, database, log, kinds });
  const schedule = await startSchedule({ config, database, log });
  const stop = async () => {
    await Promise.all([schedule.stop(), worker.stop()]);
  };
  stopOnSignals({ stop }, database, log);
}

await main().catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
