import path from 'node:path';
import type { Kind } from '../run.ts';
import { pythonCommand } from './python.ts';

/** Trains on the latest dataset and registers what passes. Result: {models, skipped}. */
export const trainModels: Kind = async (run) => {
  const { models, params } = run.job.input as { models: string[]; params: object };
  const args = [
    ...['--workspace', path.join(run.config.HASHIRA_DATA, 'train')],
    ...['--store-uri', run.config.STORE_URI, '--data-version', 'latest'],
    ...['--models', models.join(','), '--params', JSON.stringify(params)],
  ];
  return run.child(pythonCommand(run.config, 'The training', 'ml/common/train.py', args), 0, 1);
};
