import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { Config } from './config.ts';
import { HashiraError } from './errors.ts';
import type { Logger } from './log.ts';
import { type ModelVersion, type Registry, verifyBundle } from './registry.ts';

/** A loaded model: it holds memory outside the garbage collector's reach, so it is told when to let go. */
export interface LoadedModel {
  dispose(): Promise<void> | void;
}

/** Where the processes of a data folder keep the bundles they serve. */
export const modelCache = ({ HASHIRA_DATA }: Pick<Config, 'HASHIRA_DATA'>): string => path.join(HASHIRA_DATA, 'models');

export interface ProductionModelOptions<T extends LoadedModel> {
  /** Name of the registered model. */
  name: string;
  registry: Pick<Registry, 'productionVersion' | 'download'>;
  /** Bundles are kept in `<cacheDir>/<name>/`. */
  cacheDir: string;
  /** Loads the bundle in `dir`; rejects when it cannot be served. */
  load(dir: string, version: ModelVersion): Promise<T>;
  log: Logger;
  /** Between two looks at the alias. @default 2000 */
  pollMs?: number;
  /** Whether the version stays when the alias was taken away. @default true */
  keep?: boolean;
}

export interface Served<T> {
  model: T;
  version: ModelVersion;
}

const CURRENT = 'current.json';
const CACHED_VERSIONS = 3;
const LONGEST_WAIT_MS = 60_000;

const savedVersion = z.object({
  name: z.string(),
  version: z.number().int(),
  runId: z.string(),
  dataVersion: z.string(),
  createdAt: z.coerce.date(),
  production: z.boolean(),
  metrics: z.record(z.string(), z.record(z.string(), z.number().nullable()).nullable()),
  tags: z.record(z.string(), z.string()),
});

/**
 * The production version of one model, loaded, and replaced without a pause when the alias moves.
 *
 * What cannot be downloaded whole or loaded is never served: the version before stays. After a restart the last version
 * served is loaded from the cache at once, so serving does not wait for the registry.
 */
export class ProductionModel<T extends LoadedModel> {
  readonly #options: Required<ProductionModelOptions<T>>;
  readonly #dir: string;
  readonly #stopped = new AbortController();
  #current: Holder<T> | null = null;
  /** Models that were replaced, until they are disposed. */
  readonly #retiring = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  /** Looks at the alias happen one after another. */
  #queue: Promise<void> = Promise.resolve();
  /** How often in a row the registry did not answer. */
  #unanswered = 0;
  /** The version that could not be served last, and when it may be tried again. */
  #failed: { key: string; tries: number; retryAt: number } | null = null;

  constructor(options: ProductionModelOptions<T>) {
    this.#options = { pollMs: 2000, keep: true, ...options };
    this.#dir = path.join(options.cacheDir, options.name);
  }

  /** Loads the cached version, if there is one, and begins to follow the alias. Does not wait for the registry. */
  async start(): Promise<void> {
    await this.#restore();
    this.#schedule(0);
  }

  /** What is served now, to look at; null before the first version. To work with the model call `use`. */
  current(): Served<T> | null {
    return this.#current && { model: this.#current.model, version: this.#current.version };
  }

  /**
   * Runs `work` with the model, which is not disposed before it ends.
   * @throws HashiraError MODEL_NOT_READY when no version is served yet
   */
  async use<R>(work: (model: T, version: ModelVersion) => Promise<R> | R): Promise<R> {
    const holder = this.#current;
    if (!holder) throw new HashiraError('MODEL_NOT_READY', `The model ${this.#options.name} is not ready yet.`);
    return holder.run(work);
  }

  /** Looks at the alias now, and waits until its version is served or has failed. Never rejects. */
  refresh(): Promise<void> {
    this.#failed = null;
    return this.#poll();
  }

  /** Stops following and disposes the model once its uses have ended. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    clearTimeout(this.#timer);
    await this.#queue;
    if (this.#current) this.#retire(this.#current);
    this.#current = null;
    await Promise.all(this.#retiring);
  }

  #retire(holder: Holder<T>): void {
    const end = holder.retire().finally(() => this.#retiring.delete(end));
    this.#retiring.add(end);
  }

  #schedule(ms: number): void {
    if (this.#stopped.signal.aborted) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(async () => {
      await this.#poll();
      this.#schedule(backoff(this.#options.pollMs, this.#unanswered));
    }, ms);
    this.#timer.unref();
  }

  #poll(): Promise<void> {
    this.#queue = this.#queue.then(() => this.#follow());
    return this.#queue;
  }

  async #follow(): Promise<void> {
    const { name, registry, keep, log } = this.#options;
    const { signal } = this.#stopped;
    if (signal.aborted) return;
    let wanted: ModelVersion | null;
    try {
      wanted = await registry.productionVersion(name, signal);
      if (this.#unanswered > 0) log.info({ model: name }, 'the model registry answers again');
      this.#unanswered = 0;
    } catch (error) {
      if (signal.aborted) return;
      // Once: the registry may be away for hours.
      if (this.#unanswered++ === 0) log.warn({ model: name, err: error }, 'cannot ask the model registry');
      return;
    }
    // An alias that was taken away says nothing about what to serve instead.
    if (!wanted && !keep && this.#current) {
      this.#retire(this.#current);
      this.#current = null;
    }
    if (!wanted || (this.#current && key(wanted) === key(this.#current.version))) return;
    if (this.#failed?.key === key(wanted) && Date.now() < this.#failed.retryAt) return;
    await this.#install(wanted);
  }

  async #install(version: ModelVersion): Promise<void> {
    const { name, registry, pollMs, log } = this.#options;
    const { signal } = this.#stopped;
    const dir = path.join(this.#dir, key(version));
    try {
      await mkdir(this.#dir, { recursive: true });
      if (!(await isIntact(dir))) {
        await rm(dir, { recursive: true, force: true });
        await registry.download(name, version.version, dir, signal);
        await verifyBundle(dir);
      }
      await this.#serve(version, dir);
    } catch (error) {
      if (signal.aborted) return;
      const tries = this.#failed?.key === key(version) ? this.#failed.tries + 1 : 1;
      this.#failed = { key: key(version), tries, retryAt: Date.now() + backoff(pollMs, tries) };
      log.error({ model: name, version: version.version, err: error }, 'cannot serve the production version');
      return;
    }
    this.#failed = null;
    log.info({ model: name, version: version.version }, 'serving a new production version');
    await this.#remember(version).catch((error: unknown) =>
      log.warn({ model: name, version: version.version, err: error }, 'cannot remember the production version'),
    );
  }

  /** Loads first and swaps then, so that there is always a model to use. */
  async #serve(version: ModelVersion, dir: string): Promise<void> {
    const loaded = new Holder(await this.#options.load(dir, version), version, (error) =>
      this.#options.log.warn({ model: version.name, version: version.version, err: error }, 'cannot dispose a model'),
    );
    if (this.#stopped.signal.aborted) {
      await loaded.retire();
      return;
    }
    const old = this.#current;
    this.#current = loaded;
    // Not awaited: what still runs on the old one may take its time.
    if (old) this.#retire(old);
  }

  async #restore(): Promise<void> {
    const { name, log } = this.#options;
    let saved: unknown;
    try {
      saved = JSON.parse(await readFile(path.join(this.#dir, CURRENT), 'utf8'));
    } catch {
      // The first start.
      return;
    }
    try {
      const version = savedVersion.parse(saved);
      const dir = path.join(this.#dir, key(version));
      await verifyBundle(dir);
      await this.#serve(version, dir);
      log.info({ model: name, version: version.version }, 'serving the cached production version');
    } catch (error) {
      log.warn({ model: name, err: error }, 'cannot serve the cached version, waiting for the model registry');
    }
  }

  /** For the next start; and drops the cached versions that were served longest ago. */
  async #remember(version: ModelVersion): Promise<void> {
    const now = new Date();
    await utimes(path.join(this.#dir, key(version)), now, now);
    const partial = path.join(this.#dir, `${CURRENT}.partial`);
    await writeFile(partial, JSON.stringify(version));
    await rename(partial, path.join(this.#dir, CURRENT));

    const entries = await readdir(this.#dir, { withFileTypes: true });
    const served = await Promise.all(
      entries
        .filter((entry) => entry.isDirectory())
        .map(async ({ name }) => ({ name, at: (await stat(path.join(this.#dir, name))).mtimeMs })),
    );
    const old = served.sort((a, b) => b.at - a.at).slice(CACHED_VERSIONS);
    await Promise.all(old.map(({ name }) => rm(path.join(this.#dir, name), { recursive: true, force: true })));
  }
}

/** A served model with the number of uses under way. */
class Holder<T extends LoadedModel> implements Served<T> {
  #uses = 0;
  #retired: PromiseWithResolvers<void> | null = null;

  constructor(
    readonly model: T,
    readonly version: ModelVersion,
    private readonly onDisposeError: (error: unknown) => void,
  ) {}

  async run<R>(work: (model: T, version: ModelVersion) => Promise<R> | R): Promise<R> {
    this.#uses++;
    try {
      return await work(this.model, this.version);
    } finally {
      this.#uses--;
      if (this.#uses === 0) this.#retired?.resolve();
    }
  }

  /** Disposes the model when its last use has ended. No new use may begin: the holder must not be current any more. */
  async retire(): Promise<void> {
    this.#retired = Promise.withResolvers<void>();
    if (this.#uses === 0) this.#retired.resolve();
    await this.#retired.promise;
    try {
      await this.model.dispose();
    } catch (error) {
      this.onDisposeError(error);
    }
  }
}

/** Names a version for good: another registry's version of the same number comes from another run. */
const key = (version: ModelVersion): string => `${version.version}-${version.runId.replace(/\W/g, '').slice(0, 12)}`;

const backoff = (pollMs: number, failures: number): number =>
  Math.max(pollMs, Math.min(pollMs * 2 ** Math.min(failures, 20), LONGEST_WAIT_MS));

const isIntact = (dir: string): Promise<boolean> =>
  verifyBundle(dir).then(
    () => true,
    () => false,
  );
