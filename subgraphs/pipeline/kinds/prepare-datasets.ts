import { exportTracked } from '../../catalog/exporter.ts';
import { loadSales } from '../../forecast/loader.ts';
import { loadHistories } from '../../recommendation/loader.ts';
import type { Kind } from '../run.ts';
import { pythonCommand, under } from './python.ts';

/**
 * What shoppers did since the last time goes into the lake, Spark makes a clean dataset of the lake, and what serving
 * needs of it goes into the database. Result: the dataset's manifest.
 */
export const prepareDatasets: Kind = async (run) => {
  const { database, config } = run;
  const tracked = await run.step(0, 'export tracked events', () => exportTracked(database, config.LAKE_URI));
  if (tracked.batch) run.log(`tracked events are in the batch ${tracked.batch}`);
  const args = ['--lake', config.LAKE_URI, '--store', config.STORE_URI];
  const result = await run.child(pythonCommand(config, 'The Spark job', 'spark/prepare.py', args), 0.03, 0.85);
  const dataset = under(config.STORE_URI, 'datasets', String(result.dataVersion));
  await run.step(0.85, 'load histories', () => loadHistories(database, dataset, tracked.through));
  await run.step(0.93, 'load sales', () => loadSales(database, dataset));
  return result;
};
