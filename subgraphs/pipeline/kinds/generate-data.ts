import { loadCatalog } from '../../catalog/loader.ts';
import type { Kind } from '../run.ts';
import { pythonCommand, under } from './python.ts';

/** A synthetic shop: into the lake by Spark, then its catalogue into the database. Result: {batch, counts, inputs}. */
export const generateData: Kind = async (run) => {
  const { users, products, days, interactions, seed, endDate } = run.job.input;
  const flags = { users, products, days, interactions, seed, 'end-date': endDate };
  const args = Object.entries(flags).flatMap(([flag, value]) =>
    value === undefined ? [] : [`--${flag}`, String(value)],
  );
  const spark = pythonCommand(run.config, 'The Spark job', 'spark/generate.py', [
    '--lake',
    run.config.LAKE_URI,
    ...args,
  ]);
  const result = await run.child(spark, 0, 0.85);
  const batch = under(run.config.LAKE_URI, 'raw', String(result.batch));
  await run.step(0.85, 'load the catalogue', () => loadCatalog(run.database, batch));
  return result;
};
