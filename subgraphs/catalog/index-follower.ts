import type { Database } from '../kit/database.ts';
import { type Listener, listen } from '../kit/listener.ts';
import type { Logger } from '../kit/log.ts';
import { type IndexCounts, indexCatalog } from './indexer.ts';
import type { ProductIndex } from './product-index.ts';

/** Notices can get lost (a broken connection, a transaction pooler), so it also looks. */
const LOOK_EVERY_MS = 5_000;
/** Changes that come together are indexed together. */
const SETTLE_MS = 50;
const MAX_BACKOFF_MS = 60_000;

/**
 * Keeps the index up to date while the shop changes: hears of changes, and looks now and then. Never throws; while PostgreSQL or
 * Chroma is away it tries again ever more seldom, and says so once.
 */
export class IndexFollower {
  readonly #stopped = new AbortController();
  readonly #listener: Listener;
  readonly #running: Promise<void>;
  #wake: () => void = () => {};
  #heard = false;

  constructor(
    private readonly database: Database,
    private readonly index: ProductIndex,
    private readonly log: Logger,
  ) {
    const hear = () => this.#hear();
    this.#listener = listen(database.url, 'catalog_products', hear, log, hear);
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#wake();
    await Promise.all([this.#listener.close(), this.#running]);
  }

  #hear(): void {
    this.#heard = true;
    this.#wake();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    let failures = 0;
    while (!signal.aborted) {
      this.#heard = false;
      try {
        const counts = await this.#look(signal);
        if (failures > 0) this.log.info('the product index is followed again');
        failures = 0;
        if (counts.indexed + counts.updated + counts.removed > 0) this.log.info(counts, 'products indexed');
      } catch (err) {
        if (signal.aborted) return;
        failures++;
        this.log[failures === 1 ? 'warn' : 'debug']({ err }, 'the product index cannot be followed now');
      }
      await this.#wait(failures === 0 ? LOOK_EVERY_MS : Math.min(500 * 2 ** failures, MAX_BACKOFF_MS), failures > 0);
    }
  }

  async #look(signal: AbortSignal): Promise<IndexCounts> {
    const [vectors, embedder] = await Promise.all([this.index.vectors(), this.index.embedder()]);
    return indexCatalog(this.database, vectors, embedder, { signal });
  }

  /** Until the time is over or a change was heard of; a change does not cut a back-off short. */
  async #wait(ms: number, deaf: boolean): Promise<void> {
    if (this.#stopped.signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    const settle = () => void setTimeout(resolve, SETTLE_MS);
    this.#wake = () => {
      if (this.#stopped.signal.aborted) resolve();
      else if (!deaf) settle();
    };
    if (this.#heard && !deaf) settle();
    await promise;
    clearTimeout(timer);
    this.#wake = () => {};
  }
}
