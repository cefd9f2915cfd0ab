import { loadCatalog } from '../../catalog/loader.ts';
import { openLake } from '../../kit/storage/open.ts';
import type { Kind } from '../run.ts';
import { sparkJob } from './spark.ts';

/** A synthetic shop: into the lake by Spark, then its catalogue into the database. Result: {batch, counts, inputs}. */
export const generateData: Kind = async (run) => {
  const { users, products, days, interactions, seed, endDate } = run.job.input;
  const flags = { users, products, days, interactions, seed, 'end-date': endDate };
  const args = Object.entries(flags).flatMap(([flag, value]) =>
    value === undefined ? [] : [`--${flag}`, String(value)],
  );
  const result = await sparkJob(run, 'generate.py', ['--lake', run.config.LAKE_URI, ...args], 0, 0.85);
  const lake = openLake(run.config);
  await run.step(0.85, 'load the catalogue', () => loadCatalog(run.database, lake, `raw/${result.batch}`));
  return result;
};
