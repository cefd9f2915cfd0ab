import { exportTracked } from '../../catalog/exporter.ts';
import { loadSales } from '../../forecast/loader.ts';
import { openLake, openStore } from '../../kit/storage/open.ts';
import { loadHistories } from '../../recommendation/loader.ts';
import type { Kind } from '../run.ts';
import { requestDriftCheck } from './check-drift.ts';
import { sparkJob } from './spark.ts';

/**
 * What shoppers did since the last time goes into the lake, Spark makes a clean dataset of the lake, and what serving
 * needs of it goes into the database; then the models in production are compared with it. Result: the dataset's manifest.
 */
export const prepareDatasets: Kind = async (run) => {
  const { database, config } = run;
  const [lake, store] = [openLake(config), openStore(config)];
  const tracked = await run.step(0, 'export tracked events', () => exportTracked(database, lake));
  if (tracked.batch) run.log(`tracked events are in the batch ${tracked.batch}`);
  const args = ['--lake', config.LAKE_URI, '--store', config.STORE_URI];
  const result = await sparkJob(run, 'prepare.py', args, 0.03, 0.85);
  const dataset = `datasets/${result.dataVersion}`;
  await run.step(0.85, 'load histories', () => loadHistories(database, store, dataset, tracked.through));
  await run.step(0.93, 'load sales', () => loadSales(database, store, dataset));
  await requestDriftCheck(run);
  return result;
};
