import path from 'node:path';
import { JobKind, JobStatus } from '../jobs.ts';
import type { Kind } from '../run.ts';
import { listJobs } from '../store.ts';
import { pythonCommand } from './python.ts';

/** Trains on the latest dataset and registers what passes. Result: {models, skipped}. */
export const trainModels: Kind = async (run) => {
  const { models, params } = run.job.input as { models: string[]; params: object };
  const args = [
    ...['--workspace', path.join(run.config.HASHIRA_DATA, 'train')],
    ...['--store-uri', run.config.STORE_URI, '--data-version', 'latest'],
    ...['--models', models.join(','), '--params', JSON.stringify(params)],
  ];
  const command = pythonCommand(run.config, 'The training', 'ml/common/train.py', args);
  // The version records which job made its data.
  const filter = { after: null, kind: JobKind.PREPARE_DATASETS, status: JobStatus.SUCCEEDED };
  const [prepared] = await listJobs(run.database, 1, filter);
  if (prepared) command.env = { ...command.env, HASHIRA_DATA_JOB: prepared.id };
  return run.child(command, 0, 1);
};
