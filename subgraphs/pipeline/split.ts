import { badInput } from '../kit/errors.ts';
import type { ModelVersion, Split } from '../kit/registry.ts';

/** Models whose subgraph serves two versions at a time. */
const SPLIT_MODELS: readonly string[] = ['recommender'];

/** @throws HashiraError BAD_USER_INPUT */
export function splitInput(name: string, version: number, share: number) {
  if (!SPLIT_MODELS.includes(name))
    throw badInput(`Only the traffic of these models can be split: ${SPLIT_MODELS.join(', ')}.`, 'name');
  if (version < 1) throw badInput('"version" must be 1 or more.', 'version');
  if (!(share >= 0 && share <= 1)) throw badInput('"share" must be between 0 and 1.', 'share');
  return { name, version, share };
}

/** Of the users, those whom a version answers. */
export function shareOf({ version, production }: ModelVersion, split: Split | null): number {
  if (split?.challenger.version === version) return split.share;
  return production ? 1 - (split?.share ?? 0) : 0;
}
