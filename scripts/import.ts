import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadCatalog } from '../subgraphs/catalog/loader.ts';
import { subgraphs } from '../subgraphs/index.ts';
import { type Config, ConfigError, loadConfig } from '../subgraphs/kit/config.ts';
import { Database } from '../subgraphs/kit/database.ts';
import { spawnLeashed } from '../subgraphs/kit/leash.ts';
import { createLogger } from '../subgraphs/kit/log.ts';
import { migrate } from '../subgraphs/kit/migrate.ts';
import { modelCache, ProductionModel } from '../subgraphs/kit/production-model.ts';
import { createRegistry } from '../subgraphs/kit/registry.ts';
import { copyFolder } from '../subgraphs/kit/storage/copy.ts';
import { LocalStorage } from '../subgraphs/kit/storage/local.ts';
import { openLake } from '../subgraphs/kit/storage/open.ts';
import { JobKind } from '../subgraphs/pipeline/jobs.ts';
import { childEnvironment } from '../subgraphs/pipeline/kinds/python.ts';
import { jobSteps, trainingOutcome } from './first-run.ts';
import { runSteps } from './progress.ts';
import { claim, python, root, runningInstance, type Service, startBackends, startWorker } from './stack.ts';
import { writeTokens } from './tokens.ts';

/**
 * `npm run import -- --events F --sales F --products F --users F`: your own data into the lake and the catalogue, then the
 * same jobs as on generated data. Uses the instance that runs on this data folder, or brings up what it needs for the time.
 * Options and columns: spark/importer.py, which does the reading.
 */
const args = process.argv.slice(2);

/** Something the person can mend; shown without a stack. */
class ImportError extends Error {}

async function main(): Promise<void> {
  const instance = runningInstance(loadConfig().HASHIRA_DATA);
  // Where its lake and its store are, and the key to them, the running instance knows best.
  Object.assign(process.env, instance?.env);
  const config = loadConfig();
  const batch = await readFiles(config);
  const services: Service[] = [];
  let release = () => {};
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => interrupted.abort(new ImportError('Interrupted. The same command goes on with it.')));
  try {
    let env = instance?.env;
    if (!env) {
      const claimed = claim(config);
      release = claimed.release;
      const backends = await startBackends(config);
      services.push(...backends.services);
      env = backends.env;
      claimed.publish(env);
      const log = createLogger('import', 'warn');
      for (const { name, migrations } of subgraphs) await migrate(env.DATABASE_URL, name, migrations, log);
      services.push(startWorker(config, { ...env, HASHIRA_DATA: config.HASHIRA_DATA }));
    }
    const database = new Database(env.DATABASE_URL, { max: 2, name: 'import' });
    await runSteps([
      {
        title: 'Load the catalogue',
        run: async () => void (await loadCatalog(database, openLake(config), `raw/${batch}`)),
      },
      ...jobSteps(database, [JobKind.PREPARE_DATASETS, JobKind.TRAIN_MODELS, JobKind.INDEX_CATALOG], {
        fresh: true,
        signal: interrupted.signal,
      }),
      {
        title: 'Fetch the models',
        run: () => cacheModels({ ...config, MLFLOW_TRACKING_URI: env.MLFLOW_TRACKING_URI }),
      },
    ]);
    for (const line of await trainingOutcome(database)) console.log(line);
    await writeTokens(config, database);
    await database.close();
    console.log(
      instance
        ? `The running instance serves it: ${instance.url}`
        : 'Done. `npm start` with the same HASHIRA_DATA serves it. The customer of tokens.json is one of your users.',
    );
  } finally {
    for (const service of services.reverse()) await service.stop();
    release();
  }
}

/** Puts the models in production where the next start finds them at once, before the registry is up. */
async function cacheModels(config: Config): Promise<void> {
  const log = createLogger('import', 'warn');
  for (const name of ['recommender', 'forecaster']) {
    const load = async () => ({ dispose: () => {} });
    const model = new ProductionModel({
      name,
      registry: createRegistry(config),
      cacheDir: modelCache(config),
      load,
      log,
    });
    await model.refresh();
    await model.stop();
  }
}

/** Validates the files and writes them as one batch into the lake. @returns the batch's name */
async function readFiles(config: Config): Promise<string> {
  const lake = openLake(config);
  if (lake instanceof LocalStorage) return runImporter(config, config.LAKE_URI);
  // The importer writes to folders; what it has made is brought from there.
  const folder = await mkdtemp(path.join(tmpdir(), 'hashira-import-'));
  try {
    const batch = await runImporter(config, folder);
    const made = new LocalStorage(folder, 'The batch');
    for (const { name } of await made.list('quarantine')) await copyFolder(made, lake, `quarantine/${name}/${batch}`);
    if (!(await lake.committed(`raw/${batch}`))) await copyFolder(made, lake, `raw/${batch}`);
    for (const { name } of await lake.list('raw')) {
      if (/^(imported|generated)-/.test(name) && name !== batch) await lake.remove(`raw/${name}`);
    }
    return batch;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runImporter(config: Config, lake: string): Promise<string> {
  let result: { batch: string } | undefined;
  let failure: { message: string } | undefined;
  const child = spawnLeashed(python(), [path.join(root, 'spark/importer.py'), '--lake', lake, ...args], {
    cwd: process.env.INIT_CWD ?? process.cwd(),
    env: childEnvironment(config),
    onLine: (line) => {
      if (line.startsWith('@result ')) result = JSON.parse(line.slice('@result '.length));
      else if (line.startsWith('@error ')) failure = JSON.parse(line.slice('@error '.length));
      else if (!line.startsWith('@progress ')) console.log(line);
    },
  });
  const { code } = await child.exited;
  if (failure) throw new ImportError(failure.message);
  if (!result) process.exit(code ?? 1);
  return result.batch;
}

main().catch((thrown: Error) => {
  // An interrupted wait rejects with an AbortError that carries the reason.
  const error = thrown.name === 'AbortError' && thrown.cause instanceof Error ? thrown.cause : thrown;
  const expected = error instanceof ImportError || error instanceof ConfigError || error.name === 'AlreadyRunning';
  console.error(expected ? error.message : error);
  process.exit(1);
});
