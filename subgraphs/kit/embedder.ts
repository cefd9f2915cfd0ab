import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Tokenizer } from '@huggingface/tokenizers';
import { LRUCache } from 'lru-cache';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Config } from './config.ts';

/** What set-up builds (`ml/embedder/build.py`). */
const BUILT = fileURLToPath(new URL('../../.embedder', import.meta.url));
/** What the model was trained on; a longer text is known by its beginning. */
const MAX_TOKENS = 256;
const MAX_CHARACTERS = 4 * MAX_TOKENS;
/** Texts of one run; more only need more memory. */
const BATCH = 16;
const CACHED_TEXTS = 20_000;

export const embedderFolder = ({ EMBEDDER_DIR }: Pick<Config, 'EMBEDDER_DIR'>): string => EMBEDDER_DIR ?? BUILT;

/**
 * A sentence encoder: texts that mean alike get vectors that point alike. Vectors have the length 1, so that their dot product is
 * the cosine of the angle between them.
 */
export class Embedder {
  private readonly cache = new LRUCache<string, Float32Array>({ max: CACHED_TEXTS });

  private constructor(
    private readonly session: InferenceSession,
    private readonly tokenizer: Tokenizer,
  ) {}

  /**
   * @param dir with `model.onnx` and `tokenizer.json`
   * @param threads of one run. Serving takes 1, because its requests share the cores
   * @throws Error when the files are not there or broken
   */
  static async load(dir: string, threads = 1): Promise<Embedder> {
    const [session, tokenizer] = await Promise.all([
      InferenceSession.create(path.join(dir, 'model.onnx'), { intraOpNumThreads: threads, interOpNumThreads: 1 }),
      readFile(path.join(dir, 'tokenizer.json'), 'utf8'),
    ]);
    const { truncation: _, padding: __, ...rest } = JSON.parse(tokenizer);
    return new Embedder(session, new Tokenizer(rest, {}));
  }

  /** The vector of one text. Vectors are shared: they must not be changed. */
  async one(text: string): Promise<Float32Array> {
    return (await this.embed([text]))[0] as Float32Array;
  }

  /**
   * The vectors of texts, in their order. Those of lately seen texts are remembered.
   * @throws the reason of the signal; what runs then still ends its batch
   */
  async embed(texts: readonly string[], signal?: AbortSignal): Promise<Float32Array[]> {
    const vectors = new Map<string, Float32Array>();
    const missing = new Set<string>();
    for (const text of texts) {
      const known = this.cache.get(text);
      if (known) vectors.set(text, known);
      else missing.add(text);
    }
    // Texts of like length together: each batch is padded to its longest.
    const encoded = [...missing]
      .map((text) => ({ text, ids: this.encode(text) }))
      .sort((a, b) => a.ids.length - b.ids.length);
    for (let start = 0; start < encoded.length; start += BATCH) {
      signal?.throwIfAborted();
      const batch = encoded.slice(start, start + BATCH);
      const rows = await this.run(batch.map(({ ids }) => ids));
      for (const [index, { text }] of batch.entries()) {
        const vector = rows[index] as Float32Array;
        vectors.set(text, vector);
        this.cache.set(text, vector);
      }
    }
    return texts.map((text) => vectors.get(text) as Float32Array);
  }

  /** Pieces that the model knows a word by: one of a common word, several of a name or a rare one. */
  pieces(word: string): number {
    return this.encode(word).length - 2;
  }

  async dispose(): Promise<void> {
    await this.session.release();
  }

  private encode(text: string): number[] {
    const { ids } = this.tokenizer.encode(text.slice(0, MAX_CHARACTERS));
    // The last token tells the end.
    return ids.length > MAX_TOKENS ? [...ids.slice(0, MAX_TOKENS - 1), ids.at(-1) as number] : ids;
  }

  private async run(batch: number[][]): Promise<Float32Array[]> {
    const length = Math.max(...batch.map((ids) => ids.length));
    const ids = new BigInt64Array(batch.length * length);
    const mask = new BigInt64Array(batch.length * length);
    for (const [row, tokens] of batch.entries()) {
      for (const [column, id] of tokens.entries()) {
        ids[row * length + column] = BigInt(id);
        mask[row * length + column] = 1n;
      }
    }
    const shape = [batch.length, length];
    const { embedding } = await this.session.run({
      input_ids: new Tensor('int64', ids, shape),
      attention_mask: new Tensor('int64', mask, shape),
    });
    const data = embedding?.data as Float32Array;
    const width = data.length / batch.length;
    return batch.map((_, row) => data.slice(row * width, (row + 1) * width));
  }
}

/** The cosine of two vectors of an embedder. */
export function cosine(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}
