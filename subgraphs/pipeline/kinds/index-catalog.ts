import { repairIndex } from '../../catalog/index-repair.ts';
import { type IndexCounts, indexCatalog } from '../../catalog/indexer.ts';
import { ProductIndex } from '../../catalog/product-index.ts';
import { JobFailure } from '../jobs.ts';
import { outlastingOutages } from '../patience.ts';
import type { Kind } from '../run.ts';

/** A worker shares its cores with Spark and training at most. */
const THREADS = 2;

/** Brings the index of the products' vectors up to date, or makes it anew. Result: {indexed, updated, removed, total}. */
export const indexCatalogue: Kind = async (run) => {
  const { config, database, signal } = run;
  const index = ProductIndex.of(config, database, THREADS);
  if (!index) throw new JobFailure('INDEX_NOT_CONFIGURED', 'The worker has no CHROMA_URL, or no sentence embedder.');
  run.progress(0, 'load the embedder');
  const done: IndexCounts = { indexed: 0, updated: 0, removed: 0, total: 0 };
  let full = run.job.input.full === true;
  const work = async () => {
    const [vectors, embedder] = await Promise.all([index.vectors(), index.embedder()]);
    // Made anew, there is nothing to compare.
    if (!full) {
      const repaired = await repairIndex(database, vectors, signal);
      if (repaired > 0)
        run.log(`${repaired} products were in the index and should not have been, or the other way round`);
    }
    await indexCatalog(database, vectors, embedder, {
      full,
      signal,
      counts: done,
      onProgress: (fraction) => {
        // From here on, a try after an outage goes on instead of beginning anew.
        full = false;
        run.progress(fraction, `index products (${done.total} in all)`);
      },
    });
  };
  await outlastingOutages(work, { signal });
  run.log(`${done.indexed} products embedded, ${done.updated} updated, ${done.removed} removed; ${done.total} in all`);
  return { ...done };
};
