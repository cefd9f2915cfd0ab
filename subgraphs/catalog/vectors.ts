import { ChromaClient, ChromaNotFoundError, ChromaServerError, type Metadata, type Where } from 'chromadb';
import { HashiraError } from '../kit/errors.ts';

export interface VectorRecord {
  id: string;
  vector: Float32Array;
  metadata: Metadata;
}

export interface Neighbour {
  id: string;
  /** Cosine, -1 to 1. */
  similarity: number;
}

/** Chroma refuses more at once. */
export const MAX_BATCH = 5_000;
const QUERY_TIMEOUT_MS = 2_000;
const WRITE_TIMEOUT_MS = 60_000;

/**
 * HNSW's graph. The search width decides how many of the true nearest are found: `npm run bench:retrieval` measures it. Cosine,
 * although the vectors are of length 1, because Chroma then tells the similarity whatever they are.
 */
const HNSW = { space: 'cosine', max_neighbors: 32, ef_construction: 200, ef_search: 200 } as const;

const unavailable = (message: string, cause?: unknown) => new HashiraError('VECTORS_UNAVAILABLE', message, { cause });

/** A query named a record that is not there, which Chroma takes for a failure of its own. */
export class UnknownRecord extends HashiraError {
  constructor(cause: unknown) {
    super('VECTORS_UNAVAILABLE', 'The search index has just changed. Please try again.', { cause });
  }
}

/** A collection was lost, with the server's data for example; `open` makes it again. */
export class CollectionLost extends HashiraError {
  constructor(cause?: unknown) {
    super('VECTORS_UNAVAILABLE', 'The products are not indexed yet. Please try again later.', { cause });
  }
}

/**
 * One collection of Chroma, by name. Every method takes a signal, which ends its request, and throws HashiraError
 * VECTORS_UNAVAILABLE when Chroma cannot be reached in time, does not have the collection, or refuses; or the signal's reason.
 */
export class Vectors {
  readonly #connection: { host: string; port: number; ssl: boolean };
  #id: Promise<string> | null = null;

  constructor(
    url: string,
    readonly name: string,
  ) {
    const { protocol, hostname, port } = new URL(url);
    const ssl = protocol === 'https:';
    this.#connection = { host: hostname, port: Number(port) || (ssl ? 443 : 80), ssl };
  }

  /** The collection's id in Chroma. It is made when there is none; one that was lost gets another id. */
  async open(signal?: AbortSignal): Promise<string> {
    const { id } = await this.#call(WRITE_TIMEOUT_MS, signal, (client) =>
      client.getOrCreateCollection({ name: this.name, embeddingFunction: null, configuration: { hnsw: HNSW } }),
    );
    this.#id = Promise.resolve(id);
    return id;
  }

  /** Ids of all collections there are, also of others. */
  async collections(signal?: AbortSignal): Promise<string[]> {
    return this.#call(WRITE_TIMEOUT_MS, signal, async (client) => {
      const ids: string[] = [];
      for (let page = 100; page === 100; ) {
        const found = await client.listCollections({ limit: 100, offset: ids.length });
        ids.push(...found.map(({ id }) => id));
        page = found.length;
      }
      return ids;
    });
  }

  /** Writes records of the collection with this id, replacing those with the same ids. */
  async upsert(collection: string, records: readonly VectorRecord[], signal?: AbortSignal): Promise<void> {
    await this.#inBatches(records, collection, signal, (handle, batch) =>
      handle.upsert({
        ids: batch.map(({ id }) => id),
        embeddings: batch.map(({ vector }) => Array.from(vector)),
        metadatas: batch.map(({ metadata }) => metadata),
      }),
    );
  }

  /** Replaces the metadata of records that are there; a key that is not given keeps its value. */
  async describe(
    collection: string,
    records: readonly Omit<VectorRecord, 'vector'>[],
    signal?: AbortSignal,
  ): Promise<void> {
    await this.#inBatches(records, collection, signal, (handle, batch) =>
      handle.update({ ids: batch.map(({ id }) => id), metadatas: batch.map(({ metadata }) => metadata) }),
    );
  }

  /** Ids that are not there are nothing to remove. */
  async remove(collection: string, ids: readonly string[], signal?: AbortSignal): Promise<void> {
    await this.#inBatches(ids, collection, signal, (handle, batch) => handle.delete({ ids: batch }));
  }

  /**
   * The nearest records, the nearest first.
   * @param where what to choose from, by metadata or by ids, all of which must be there; all records when not given
   * @throws UnknownRecord
   */
  async nearest(
    vector: Float32Array,
    limit: number,
    { where, ids, signal }: { where?: Where; ids?: string[]; signal?: AbortSignal } = {},
  ): Promise<Neighbour[]> {
    const ask = async () => {
      const collection = await this.id();
      return this.#call(QUERY_TIMEOUT_MS, signal, (client) =>
        client.collection(collection).query({
          queryEmbeddings: [Array.from(vector)],
          nResults: limit,
          where,
          ids,
          include: ['distances'],
        }),
      );
    };
    const result = await ask().catch((error) => {
      // Made again since: asks once more, by the new id.
      if (!(error instanceof CollectionLost)) throw error;
      this.#id = null;
      return ask();
    });
    const distances = result.distances[0] ?? [];
    return (result.ids[0] ?? []).map((id, index) => ({ id, similarity: 1 - (distances[index] ?? 1) }));
  }

  /** How many records there are. */
  async count(collection: string, signal?: AbortSignal): Promise<number> {
    return this.#call(QUERY_TIMEOUT_MS, signal, (client) => client.collection(collection).count());
  }

  /** A part of the ids that there are, always in the same order. */
  async ids(collection: string, limit: number, offset: number, signal?: AbortSignal): Promise<string[]> {
    const { ids } = await this.#call(WRITE_TIMEOUT_MS, signal, (client) =>
      client.collection(collection).get({ limit, offset, include: [] }),
    );
    return ids;
  }

  /** Deletes the collection, if there is one. */
  async drop(signal?: AbortSignal): Promise<void> {
    this.#id = null;
    await this.#call(WRITE_TIMEOUT_MS, signal, (client) => client.deleteCollection({ name: this.name })).catch(
      (error) => {
        if (!(error instanceof CollectionLost)) throw error;
      },
    );
  }

  /** The collection's id as it was last known. Queries ask only once for it, and together, hence without a signal. */
  id(): Promise<string> {
    if (this.#id) return this.#id;
    const asked = this.#call(QUERY_TIMEOUT_MS, undefined, async (client) => {
      return (await client.getCollection({ name: this.name })).id;
    });
    this.#id = asked;
    asked.catch(() => {
      if (this.#id === asked) this.#id = null;
    });
    return asked;
  }

  async #inBatches<T>(
    items: readonly T[],
    collection: string,
    signal: AbortSignal | undefined,
    write: (handle: ReturnType<ChromaClient['collection']>, batch: T[]) => Promise<unknown>,
  ): Promise<void> {
    for (let start = 0; start < items.length; start += MAX_BATCH) {
      const batch = items.slice(start, start + MAX_BATCH);
      await this.#call(WRITE_TIMEOUT_MS, signal, (client) => write(client.collection(collection), batch));
    }
  }

  /** The client takes a signal only for all its requests, so each call has a client of its own, which costs nothing. */
  async #call<T>(
    timeoutMs: number,
    signal: AbortSignal | undefined,
    work: (client: ChromaClient) => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    const timeout = AbortSignal.timeout(timeoutMs);
    const either = signal ? AbortSignal.any([signal, timeout]) : timeout;
    try {
      return await work(new ChromaClient({ ...this.#connection, fetchOptions: { signal: either } }));
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof ChromaNotFoundError) throw new CollectionLost(error);
      if (error instanceof ChromaServerError && /finding id/i.test(error.message)) throw new UnknownRecord(error);
      throw timeout.aborted
        ? unavailable('The search index takes too long. Please try again.', error)
        : unavailable('The search index cannot be reached. Please try again.', error);
    }
  }
}
