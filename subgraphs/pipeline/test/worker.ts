// A worker as a process of its own that can do the jobs of tests. DATABASE_URL says where.
import { loadConfig } from '../../kit/config.ts';
import { Database } from '../../kit/database.ts';
import { createLogger } from '../../kit/log.ts';
import { startWorker, stopOnSignals } from '../work.ts';
import { shellKinds } from './shell.ts';

const config = loadConfig();
const log = createLogger('test-worker', config.LOG_LEVEL);
const database = new Database(config.DATABASE_URL as string, { max: 4 });
stopOnSignals(await startWorker({ config, database, log, kinds: shellKinds }), database, log);
console.log('ready');
