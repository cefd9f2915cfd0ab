import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { z } from 'zod';
import type { Config } from './config.ts';
import { HashiraError, notFound } from './errors.ts';

/** A registered version of a model. */
export interface ModelVersion {
  name: string;
  version: number;
  runId: string;
  dataVersion: string;
  createdAt: Date;
  /** Whether the alias `production` points at it. */
  production: boolean;
  /** By who was measured (`ours`, baselines, `ceiling`), then by metric; null: not available for its data. */
  metrics: Record<string, Record<string, number | null> | null>;
  tags: Record<string, string>;
}

export interface ModelKey {
  name: string;
  version: number;
}

/** A second version that answers some of the users, beside the one in production. */
export interface Split {
  challenger: ModelVersion;
  /** Of the users, 0..1. */
  share: number;
  /** The version in production that it is compared with. Whatever else comes into production ends the split. */
  against: number;
}

/**
 * The model registry. Every method throws HashiraError REGISTRY_UNAVAILABLE when it does not answer, and the signal's
 * reason when that is aborted.
 */
export interface Registry {
  /** The version in production, or null. */
  productionVersion(name: string, signal?: AbortSignal): Promise<ModelVersion | null>;
  version(name: string, version: number, signal?: AbortSignal): Promise<ModelVersion | null>;
  /** All versions, of one model or of all: by name, newest first. */
  list(name?: string, signal?: AbortSignal): Promise<ModelVersion[]>;
  /** In the order of `keys`, null where there is none; a fixed number of requests per model, for DataLoaders. */
  getMany(keys: readonly ModelKey[], signal?: AbortSignal): Promise<(ModelVersion | null)[]>;
  /**
   * Moves the alias `production`, forward or back, and ends the split of the model's traffic.
   * @throws HashiraError NOT_FOUND, or GATE_NOT_PASSED for a version that failed its gate
   */
  setProduction(name: string, version: number, signal?: AbortSignal): Promise<ModelVersion>;
  /** The split in force, or null. */
  split(name: string, signal?: AbortSignal): Promise<Split | null>;
  /**
   * Lets a version answer a share of the users beside the one in production; none of them ends the split.
   * @throws HashiraError NOT_FOUND; GATE_NOT_PASSED; CONFLICT when it is in production itself, or no version is
   */
  setSplit(name: string, version: number, share: number, signal?: AbortSignal): Promise<ModelVersion>;
  /** A text that lies beside the version's bundle, as its model card; null where there is none. */
  text(name: string, version: number, file: string, signal?: AbortSignal): Promise<string | null>;
  /**
   * Writes the version's bundle to `dir`, which appears whole and verified or not at all.
   * @throws HashiraError NOT_FOUND, or MODEL_NOT_READY when a file does not have its hash
   */
  download(name: string, version: number, dir: string, signal?: AbortSignal): Promise<void>;
}

const ALIAS = 'production';
const CHALLENGER = 'challenger';
const MANIFEST = 'hashira.json';
const REQUEST_MS = 10_000;
const DOWNLOAD_MS = 300_000;
const PAGE = 200;

// Names go into MLflow's filter language, which has no parameters.
const NAME = /^[\w.-]{1,100}$/;

const tagList = z.array(z.object({ key: z.string(), value: z.string().default('') })).default([]);
/** One tag for both, so that whoever reads it while it changes sees either the old split or the new one. */
const splitTag = z.object({ share: z.number().gt(0).max(1), against: z.number().int() });
const metricsTag = z.record(z.string(), z.record(z.string(), z.number().nullable()).nullable());
const mlflowVersion = z.object({
  name: z.string(),
  version: z.coerce.number().int(),
  run_id: z.string().default(''),
  creation_timestamp: z.coerce.number(),
  aliases: z.array(z.string()).default([]),
  tags: tagList,
});
const oneVersion = z.object({ model_version: mlflowVersion });
const versionPage = z.object({
  model_versions: z.array(mlflowVersion).default([]),
  next_page_token: z.string().optional(),
});
const modelPage = z.object({
  registered_models: z
    .array(
      z.object({
        name: z.string(),
        aliases: z.array(z.object({ alias: z.string(), version: z.coerce.number().int() })).default([]),
      }),
    )
    .default([]),
  next_page_token: z.string().optional(),
});
const manifest = z.object({ files: z.record(z.string(), z.string().regex(/^[0-9a-f]{64}$/)) });

/** A client of MLflow's REST interface. Without an address every call fails as if the registry were down. */
export function createRegistry(config: Pick<Config, 'MLFLOW_TRACKING_URI'>): Registry {
  return new MlflowRegistry(config.MLFLOW_TRACKING_URI ?? null);
}

class MlflowRegistry implements Registry {
  readonly #uri: string | null;

  constructor(uri: string | null) {
    this.#uri = uri?.replace(/\/+$/, '') ?? null;
  }

  async productionVersion(name: string, signal?: AbortSignal): Promise<ModelVersion | null> {
    return this.#aliased(name, ALIAS, signal);
  }

  async version(name: string, version: number, signal?: AbortSignal): Promise<ModelVersion | null> {
    if (!NAME.test(name)) return null;
    const found = await this.#json('GET', 'model-versions/get', { name, version: `${version}` }, oneVersion, signal);
    return found && fromMlflow(found.model_version);
  }

  async list(name?: string, signal?: AbortSignal): Promise<ModelVersion[]> {
    if (name !== undefined && !NAME.test(name)) return [];
    const filter: Record<string, string> = name === undefined ? {} : { filter: `name = '${name}'` };
    // A search of versions does not tell their aliases; the models do.
    const [versions, models] = await Promise.all([
      this.#pages('model-versions/search', filter, versionPage, (page) => page.model_versions, signal),
      this.#pages('registered-models/search', filter, modelPage, (page) => page.registered_models, signal),
    ]);
    const production = new Map(
      models.map((model) => [model.name, model.aliases.find(({ alias }) => alias === ALIAS)?.version]),
    );
    return versions
      .map((version) => ({ ...fromMlflow(version), production: production.get(version.name) === version.version }))
      .sort((a, b) => (a.name === b.name ? b.version - a.version : a.name < b.name ? -1 : 1));
  }

  async getMany(keys: readonly ModelKey[], signal?: AbortSignal): Promise<(ModelVersion | null)[]> {
    const names = [...new Set(keys.map((key) => key.name))];
    const lists = await Promise.all(names.map((name) => this.list(name, signal)));
    const found = new Map(lists.flat().map((version) => [`${version.name}/${version.version}`, version]));
    return keys.map((key) => found.get(`${key.name}/${key.version}`) ?? null);
  }

  async setProduction(name: string, version: number, signal?: AbortSignal): Promise<ModelVersion> {
    const wanted = await this.#passed(name, version, signal);
    await this.#json('DELETE', 'registered-models/alias', { name, alias: CHALLENGER }, z.unknown(), signal);
    const body = { name, alias: ALIAS, version: `${version}` };
    await this.#json('POST', 'registered-models/alias', body, z.unknown(), signal);
    return { ...wanted, production: true };
  }

  async split(name: string, signal?: AbortSignal): Promise<Split | null> {
    const [production, challenger] = await Promise.all([
      this.productionVersion(name, signal),
      this.#aliased(name, CHALLENGER, signal),
    ]);
    const split = challenger && parseSplit(challenger.tags[CHALLENGER]);
    return split && split.against === production?.version ? { challenger, ...split } : null;
  }

  async setSplit(name: string, version: number, share: number, signal?: AbortSignal): Promise<ModelVersion> {
    const wanted = await this.#passed(name, version, signal);
    const production = await this.productionVersion(name, signal);
    if (!production) throw new HashiraError('CONFLICT', `No version of ${name} is in production.`);
    if (production.version === version)
      throw new HashiraError('CONFLICT', `Version ${version} of ${name} is in production: it answers all others.`);
    if (share === 0) {
      await this.#json('DELETE', 'registered-models/alias', { name, alias: CHALLENGER }, z.unknown(), signal);
      return wanted;
    }
    const value = JSON.stringify({ share, against: production.version });
    const tag = { name, version: `${version}`, key: CHALLENGER, value };
    // The tag first: an alias is never there without its share.
    await this.#json('POST', 'model-versions/set-tag', tag, z.unknown(), signal);
    const alias = { name, alias: CHALLENGER, version: `${version}` };
    await this.#json('POST', 'registered-models/alias', alias, z.unknown(), signal);
    return wanted;
  }

  async text(name: string, version: number, file: string, signal?: AbortSignal): Promise<string | null> {
    if (!NAME.test(name)) return null;
    const limit = withTimeout(REQUEST_MS, signal);
    const response = await this.#artifact({ name, version, file }, limit, signal);
    // MLflow says of a missing file that its server failed; only the bundle's manifest tells whether it did.
    if (!response.ok) {
      const manifest = await this.#artifact({ name, version, file: MANIFEST }, limit, signal);
      if (manifest.ok || manifest.status === 404) return null;
      throw unavailable(new Error(`HTTP ${response.status} for ${file}`));
    }
    try {
      return await response.text();
    } catch (error) {
      signal?.throwIfAborted();
      throw unavailable(error);
    }
  }

  async download(name: string, version: number, dir: string, signal?: AbortSignal): Promise<void> {
    const partial = `${dir}.partial-${randomUUID()}`;
    try {
      await mkdir(partial, { recursive: true });
      await this.#file(name, version, MANIFEST, partial, signal);
      for (const file of Object.keys(await readManifest(partial))) {
        await mkdir(path.dirname(path.join(partial, file)), { recursive: true });
        await this.#file(name, version, file, partial, signal);
      }
      await verifyBundle(partial);
      await rename(partial, dir).catch(async (error: NodeJS.ErrnoException) => {
        // Somebody else was faster: what is there is as good, if it is whole.
        if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
        await verifyBundle(dir);
      });
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
  }

  async #file(name: string, version: number, file: string, dir: string, signal?: AbortSignal): Promise<void> {
    const limit = withTimeout(DOWNLOAD_MS, signal);
    const response = await this.#artifact({ name, version, file }, limit, signal);
    if (response.status === 404) throw notFound('model version', `${name} ${version}`);
    if (!response.ok || !response.body) throw unavailable(new Error(`HTTP ${response.status} for ${file}`));
    try {
      const body = Readable.fromWeb(response.body as ReadableStream<Uint8Array>);
      await pipeline(body, createWriteStream(path.join(dir, file)), { signal: limit });
    } catch (error) {
      signal?.throwIfAborted();
      if (isDiskFull(error))
        throw new HashiraError('STORAGE_FULL', 'There is no space left on the disk.', { cause: error });
      throw unavailable(error);
    }
  }

  async #aliased(name: string, alias: string, signal?: AbortSignal): Promise<ModelVersion | null> {
    if (!NAME.test(name)) return null;
    const found = await this.#json('GET', 'registered-models/alias', { name, alias }, oneVersion, signal);
    return found && fromMlflow(found.model_version);
  }

  async #passed(name: string, version: number, signal?: AbortSignal): Promise<ModelVersion> {
    const wanted = await this.version(name, version, signal);
    if (!wanted) throw notFound('model version', `${name} ${version}`);
    if (wanted.tags.gate === 'passed') return wanted;
    const reason = wanted.tags['gate.reason'];
    throw new HashiraError(
      'GATE_NOT_PASSED',
      `Version ${version} of ${name} did not pass the gate${reason ? `: ${reason}` : ''}.`,
    );
  }

  #artifact({ name, version, file }: ModelKey & { file: string }, limit: AbortSignal, signal?: AbortSignal) {
    const query = new URLSearchParams({ name, version: `${version}`, path: file });
    return this.#fetch(`model-versions/get-artifact?${query}`, { signal: limit }, signal);
  }

  async #pages<Page extends { next_page_token?: string }, Item>(
    route: string,
    query: Record<string, string>,
    shape: z.ZodType<Page>,
    items: (page: Page) => Item[],
    signal?: AbortSignal,
  ): Promise<Item[]> {
    const all: Item[] = [];
    let token = '';
    do {
      const page = await this.#json(
        'GET',
        route,
        { ...query, max_results: `${PAGE}`, ...(token && { page_token: token }) },
        shape,
        signal,
      );
      if (page) all.push(...items(page));
      token = page?.next_page_token ?? '';
    } while (token);
    return all;
  }

  /** The parsed answer; null when MLflow says that what is asked for does not exist. */
  async #json<T>(
    method: 'GET' | 'POST' | 'DELETE',
    route: string,
    values: Record<string, string>,
    shape: z.ZodType<T>,
    signal?: AbortSignal,
  ): Promise<T | null> {
    const limit = withTimeout(REQUEST_MS, signal);
    const response =
      method === 'GET'
        ? await this.#fetch(`${route}?${new URLSearchParams(values)}`, { signal: limit }, signal)
        : await this.#fetch(
            route,
            { method, signal: limit, headers: { 'content-type': 'application/json' }, body: JSON.stringify(values) },
            signal,
          );
    let body: unknown;
    try {
      body = await response.json();
    } catch (error) {
      signal?.throwIfAborted();
      throw unavailable(error);
    }
    if (!response.ok) {
      if (isMissing(response.status, body)) return null;
      throw unavailable(new Error(`HTTP ${response.status}: ${JSON.stringify(body).slice(0, 500)}`));
    }
    const parsed = shape.safeParse(body);
    if (!parsed.success) throw unavailable(parsed.error);
    return parsed.data;
  }

  async #fetch(route: string, init: RequestInit, signal?: AbortSignal): Promise<Response> {
    signal?.throwIfAborted();
    if (!this.#uri) throw unavailable(new Error('MLFLOW_TRACKING_URI is not set'));
    try {
      return await fetch(
        `${this.#uri}/${route.startsWith('model-versions/get-artifact') ? '' : 'api/2.0/mlflow/'}${route}`,
        init,
      );
    } catch (error) {
      // Who left is told so; everybody else, that the registry does not answer.
      signal?.throwIfAborted();
      throw unavailable(error);
    }
  }
}

/**
 * Checks every file of a bundle against its manifest.
 * @throws HashiraError MODEL_NOT_READY when a file is missing or differs
 */
export async function verifyBundle(dir: string): Promise<void> {
  for (const [file, expected] of Object.entries(await readManifest(dir))) {
    const hash = createHash('sha256');
    const intact = await pipeline(createReadStream(path.join(dir, file)), hash).then(
      () => hash.digest('hex') === expected,
      () => false,
    );
    if (!intact) throw broken(new Error(`${file} does not have the hash of the manifest`));
  }
}

/** File → sha256. Names that would leave the folder are refused. */
async function readManifest(dir: string): Promise<Record<string, string>> {
  let files: Record<string, string>;
  try {
    files = manifest.parse(JSON.parse(await readFile(path.join(dir, MANIFEST), 'utf8'))).files;
  } catch (error) {
    throw broken(error);
  }
  const outside = Object.keys(files).find((file) => path.isAbsolute(file) || file.split(/[\\/]/).includes('..'));
  if (outside !== undefined) throw broken(new Error(`the manifest names ${outside}`));
  return files;
}

function fromMlflow(version: z.infer<typeof mlflowVersion>): ModelVersion {
  const tags = Object.fromEntries(version.tags.map(({ key, value }) => [key, value]));
  return {
    name: version.name,
    version: version.version,
    runId: version.run_id,
    dataVersion: tags.data_version ?? '',
    createdAt: new Date(version.creation_timestamp),
    production: version.aliases.includes(ALIAS),
    metrics: parseMetrics(tags.metrics),
    tags,
  };
}

/** A version that something else registered has no such tag: it has no metrics here. */
function parseMetrics(tag: string | undefined): ModelVersion['metrics'] {
  try {
    return metricsTag.parse(JSON.parse(tag ?? '{}'));
  } catch {
    return {};
  }
}

function parseSplit(tag: string | undefined): z.infer<typeof splitTag> | null {
  try {
    return splitTag.parse(JSON.parse(tag ?? ''));
  } catch {
    return null;
  }
}

/** MLflow answers 404 for an unknown name or version, and 400 for an alias that is not set. */
function isMissing(status: number, body: unknown): boolean {
  const error = z.object({ error_code: z.string(), message: z.string() }).safeParse(body);
  if (!error.success) return false;
  if (error.data.error_code === 'RESOURCE_DOES_NOT_EXIST') return true;
  return status === 400 && /alias .* not found/i.test(error.data.message);
}

const withTimeout = (ms: number, signal?: AbortSignal): AbortSignal =>
  signal ? AbortSignal.any([signal, AbortSignal.timeout(ms)]) : AbortSignal.timeout(ms);

const unavailable = (cause: unknown): HashiraError =>
  new HashiraError('REGISTRY_UNAVAILABLE', 'The model registry does not answer.', { cause });

const broken = (cause: unknown): HashiraError =>
  new HashiraError('MODEL_NOT_READY', 'The files of the model version are not intact.', { cause });

const isDiskFull = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
