import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { createRegistry, type ModelVersion } from '../../kit/registry.ts';
import { WATCHED_MODELS } from '../drift.ts';
import { saveDrift } from '../drift-store.ts';
import { JobFailure, JobKind } from '../jobs.ts';
import { outlastingOutages } from '../patience.ts';
import type { JobRun, Kind } from '../run.ts';
import { pythonCommand } from './python.ts';

/** As ml/common/drift.py names it: what a version was like on the data that it was trained on. */
const REFERENCE = 'drift.json';

const checked = z.object({
  dataVersion: z.string(),
  models: z.record(z.string(), z.record(z.string(), z.number().nonnegative())),
});

/**
 * Compares what the models in production get and say on the latest dataset with what they did at training, and notes it for
 * today. Where DRIFT_RETRAIN is on, what has moved beyond DRIFT_THRESHOLD is trained. Result: {dataVersion, models, training}.
 */
export const checkDrift: Kind = async (run) => {
  const { config, database } = run;
  const dir = await mkdtemp(path.join(tmpdir(), 'hashira-drift-'));
  try {
    const versions = await fetchBundles(run, dir);
    if (versions.length === 0) return { models: {} };
    const args = ['--bundles', dir, '--store-uri', config.STORE_URI];
    const command = pythonCommand(config, 'The drift check', 'ml/common/drift.py', args);
    const parsed = checked.safeParse(await run.child(command, 0.1, 0.95));
    if (!parsed.success)
      throw new JobFailure('NO_RESULT', 'The drift check ended without numbers.', { cause: parsed.error });
    const { dataVersion, models } = parsed.data;
    await run.step(0.95, 'note the drift', async () => {
      for (const version of versions) await saveDrift(database, version, models[version.name] ?? {});
    });
    const far = Object.keys(models).filter((name) =>
      Object.values(models[name] ?? {}).some((psi) => psi > config.DRIFT_THRESHOLD),
    );
    const training = far.length > 0 && config.DRIFT_RETRAIN === 'true' ? await retrain(run, far) : null;
    return { dataVersion, models, training };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
};

/** Puts bundles and references of what is in production into `dir`, as drift.py reads them. */
async function fetchBundles(run: JobRun, dir: string): Promise<ModelVersion[]> {
  const registry = createRegistry(run.config);
  const { signal } = run;
  const fetched: ModelVersion[] = [];
  for (const name of WATCHED_MODELS) {
    run.progress(0, `fetch the ${name}`);
    const reference = async () => {
      const version = await registry.productionVersion(name, signal);
      return version && { version, text: await registry.text(name, version.version, REFERENCE, signal) };
    };
    const found = await outlastingOutages(reference, { signal });
    if (!found?.text) {
      run.log(
        `${name}: ${found ? `version ${found.version.version} has nothing to compare with` : 'none in production'}`,
      );
      continue;
    }
    await writeFile(path.join(dir, `${name}.json`), found.text);
    const bundle = path.join(dir, name);
    await outlastingOutages(() => registry.download(name, found.version.version, bundle, signal), { signal });
    fetched.push(found.version);
  }
  return fetched;
}

/** The id of the training that was asked for. */
async function retrain(run: JobRun, models: string[]): Promise<string> {
  const training = await run.request(JobKind.TRAIN_MODELS, { models });
  run.log(`${models.join(', ')}: moved beyond ${run.config.DRIFT_THRESHOLD}, job ${training.id} trains anew`);
  return training.id;
}

/** Has a new dataset looked at, where there is a model to compare it with. Never what a job fails of. */
export async function requestDriftCheck(run: JobRun): Promise<void> {
  try {
    const registry = createRegistry(run.config);
    const served = await Promise.all(WATCHED_MODELS.map((name) => registry.productionVersion(name, run.signal)));
    if (served.some((version) => version !== null)) await run.request(JobKind.CHECK_DRIFT);
  } catch (error) {
    run.signal.throwIfAborted();
    run.log(`the drift is not checked: ${error instanceof Error ? error.message : String(error)}`);
  }
}
