import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Config } from '../kit/config.ts';
import type { Database } from '../kit/database.ts';
import { Embedder, embedderFolder } from '../kit/embedder.ts';
import { HashiraError } from '../kit/errors.ts';
import { DOCUMENT_VERSION } from './documents.ts';
import { databaseOrigin } from './index-store.ts';
import { Vectors } from './vectors.ts';

/** By folder: embedders are large, and the subgraphs of one process share them. */
const embedders = new Map<string, Promise<{ embedder: Embedder; identity: string }>>();

/** What dense search needs, made when it is first needed: neither Chroma nor the embedder holds up a start. */
export class ProductIndex {
  #vectors: Promise<Vectors> | null = null;

  constructor(
    private readonly database: Database,
    private readonly chromaUrl: string,
    private readonly folder: string,
    private readonly threads: number,
  ) {}

  /**
   * Null where there is no index: without CHROMA_URL, or without the files of an embedder.
   * @param threads of the embedder; the first who needs it decides
   */
  static of(config: Config, database: Database, threads = 1): ProductIndex | null {
    const folder = embedderFolder(config);
    if (!config.CHROMA_URL || !existsSync(path.join(folder, 'model.onnx'))) return null;
    return new ProductIndex(database, config.CHROMA_URL, folder, threads);
  }

  /** @throws HashiraError VECTORS_UNAVAILABLE when its files are broken */
  async embedder(): Promise<Embedder> {
    return (await this.#loaded()).embedder;
  }

  /**
   * The collection of this database's products by this embedder: vectors of another one mean something else, so they are kept
   * apart. @throws HashiraError DATABASE_UNAVAILABLE or VECTORS_UNAVAILABLE
   */
  vectors(): Promise<Vectors> {
    if (this.#vectors) return this.#vectors;
    const opening = this.#open();
    this.#vectors = opening;
    opening.catch(() => {
      this.#vectors = null;
    });
    return opening;
  }

  async #open(): Promise<Vectors> {
    const [origin, { identity }] = await Promise.all([databaseOrigin(this.database), this.#loaded()]);
    return new Vectors(this.chromaUrl, `products-${origin}-${identity}-${DOCUMENT_VERSION}`);
  }

  #loaded(): Promise<{ embedder: Embedder; identity: string }> {
    const known = embedders.get(this.folder);
    if (known) return known;
    const loading = load(this.folder, this.threads).catch((cause) => {
      embedders.delete(this.folder);
      throw new HashiraError('VECTORS_UNAVAILABLE', 'The search index cannot be used now.', { cause });
    });
    embedders.set(this.folder, loading);
    return loading;
  }
}

async function load(folder: string, threads: number): Promise<{ embedder: Embedder; identity: string }> {
  const [embedder, identity] = await Promise.all([Embedder.load(folder, threads), identityOf(folder)]);
  return { embedder, identity };
}

/** Twelve hexadecimal digits that tell an embedder's files from those of others. */
export async function identityOf(folder: string): Promise<string> {
  const hash = createHash('sha256');
  for (const file of ['tokenizer.json', 'model.onnx'])
    await pipeline(createReadStream(path.join(folder, file), { highWaterMark: 1 << 20 }), async (chunks) => {
      for await (const chunk of chunks) hash.update(chunk);
    });
  return hash.digest('hex').slice(0, 12);
}
