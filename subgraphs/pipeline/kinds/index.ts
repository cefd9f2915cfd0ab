import { JobKind } from '../jobs.ts';
import type { Kind } from '../run.ts';
import { checkDrift } from './check-drift.ts';
import { generateData } from './generate-data.ts';
import { indexCatalogue } from './index-catalog.ts';
import { prepareDatasets } from './prepare-datasets.ts';
import { summarizeBatch } from './summarize-batch.ts';
import { trainModels } from './train-models.ts';

/** What a worker can do. */
export const kinds: Partial<Record<JobKind, Kind>> = {
  [JobKind.GENERATE_DATA]: generateData,
  [JobKind.PREPARE_DATASETS]: prepareDatasets,
  [JobKind.TRAIN_MODELS]: trainModels,
  [JobKind.INDEX_CATALOG]: indexCatalogue,
  [JobKind.SUMMARIZE_BATCH]: summarizeBatch,
  [JobKind.CHECK_DRIFT]: checkDrift,
};
