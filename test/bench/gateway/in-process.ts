/** Our gateway with the shop's subgraphs in its own process. Argument: the supergraph's file. */
import { pathToFileURL } from 'node:url';
import { startGateway } from '../../../gateway/gateway.ts';
import { loadConfig } from '../../../subgraphs/kit/config.ts';
import { Database } from '../../../subgraphs/kit/database.ts';
import { createLogger } from '../../../subgraphs/kit/log.ts';
import { createRegistry } from '../../../subgraphs/kit/registry.ts';
import { serve } from './control.ts';
import { shop, takeFetches } from './shop.ts';

const config = loadConfig();
// Never asked: the shop keeps nothing.
const database = new Database('postgres://nobody@127.0.0.1:1/none');
const services = { config, database, log: createLogger('gateway', config.LOG_LEVEL), registry: createRegistry(config) };
const gateway = await startGateway(shop, services, pathToFileURL(process.argv[2] as string));
process.once('SIGTERM', () => process.exit(0));
serve({ takeFetches });
console.log(`@ready ${gateway.url}`);
