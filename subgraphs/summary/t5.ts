import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { InferenceSession, Tensor } from 'onnxruntime-node';

/** Which tokens may follow what was written so far. */
export interface Grammar {
  /**
   * @param written ids so far, without the start token
   * @returns null: all but the special ones; or the ids that may come next; an empty list ends the text
   */
  next(written: readonly number[]): Iterable<number> | null;
}

type Feeds = Record<string, Tensor>;

/**
 * A T5 in ONNX as optimum exports it: an encoder, and a decoder that reads its own past. Texts are written greedily, one token a
 * step, which is what a summary of facts wants. One thread: other work shares the cores.
 */
export class T5 {
  private constructor(
    private readonly encoder: InferenceSession,
    private readonly decoder: InferenceSession,
    readonly tokenizer: Tokenizer,
    private readonly shape: { layers: number; heads: number; width: number },
  ) {}

  /**
   * @param dir with encoder_model.onnx, decoder_model_merged.onnx and tokenizer.json
   * @throws Error when the files are not there or are no T5
   */
  static async load(dir: string): Promise<T5> {
    const options = { intraOpNumThreads: 1, interOpNumThreads: 1 };
    const [encoder, decoder, tokenizer] = await Promise.all([
      InferenceSession.create(path.join(dir, 'encoder_model.onnx'), options),
      InferenceSession.create(path.join(dir, 'decoder_model_merged.onnx'), options),
      readFile(path.join(dir, 'tokenizer.json'), 'utf8'),
    ]);
    const layers = decoder.inputNames.filter((name) => /^past_key_values\.\d+\.decoder\.key$/.test(name)).length;
    const past = decoder.inputMetadata.find(({ name }) => name === 'past_key_values.0.decoder.key');
    if (!past?.isTensor || layers === 0) throw new Error('the decoder has no past: it is no merged T5 of optimum');
    const [, heads, , width] = past.shape as number[];
    const { truncation: _, padding: __, ...rest } = JSON.parse(tokenizer);
    return new T5(encoder, decoder, new Tokenizer(rest, {}), {
      layers,
      heads: heads as number,
      width: width as number,
    });
  }

  /** The id of a token; undefined for one that the vocabulary does not have. */
  id(token: string): number | undefined {
    return this.tokenizer.token_to_id(token);
  }

  /** Ids without the end. */
  encode(text: string): number[] {
    return this.tokenizer.encode(text, { add_special_tokens: false }).ids;
  }

  /**
   * What the model writes after reading `source`.
   * @param grammar what it may write; `banned` never
   * @throws the signal's reason
   */
  async write(
    source: readonly number[],
    {
      grammar,
      banned,
      most,
      signal,
    }: { grammar: Grammar; banned: ReadonlySet<number>; most: number; signal?: AbortSignal },
  ): Promise<number[]> {
    const mask = new Tensor('int64', new BigInt64Array(source.length).fill(1n), [1, source.length]);
    const { last_hidden_state: hidden } = await this.encoder.run({ input_ids: ids(source), attention_mask: mask });
    const written: number[] = [];
    let past = this.emptyPast();
    let token = 0;
    for (let step = 0; step < most; step++) {
      signal?.throwIfAborted();
      const allowed = grammar.next(written);
      const output = await this.decoder.run({
        ...past,
        input_ids: ids([token]),
        encoder_attention_mask: mask,
        encoder_hidden_states: hidden as Tensor,
        use_cache_branch: new Tensor('bool', [step > 0], [1]),
      });
      const best = argmax(output.logits?.data as Float32Array, allowed, banned);
      if (best === null) break;
      written.push(best);
      token = best;
      past = this.nextPast(past, output as Feeds, step === 0);
    }
    return written;
  }

  async dispose(): Promise<void> {
    await Promise.all([this.encoder.release(), this.decoder.release()]);
  }

  private emptyPast(): Feeds {
    const { layers, heads, width } = this.shape;
    const nothing = () => new Tensor('float32', new Float32Array(0), [1, heads, 0, width]);
    return Object.fromEntries(
      Array.from({ length: layers }, (_, layer) =>
        PAST_PARTS.map((part) => [`past_key_values.${layer}.${part}`, nothing()] as const),
      ).flat(),
    );
  }

  /** What the decoder made of the encoder's text stays as the first step made it; later ones return nothing for it. */
  private nextPast(past: Feeds, output: Feeds, first: boolean): Feeds {
    return Object.fromEntries(
      Object.keys(past).map((name) => {
        const present = output[name.replace('past_key_values', 'present')] as Tensor;
        return [name, first || name.includes('.decoder.') ? present : (past[name] as Tensor)];
      }),
    );
  }
}

const PAST_PARTS = ['decoder.key', 'decoder.value', 'encoder.key', 'encoder.value'];

const ids = (tokens: readonly number[]): Tensor =>
  new Tensor('int64', BigInt64Array.from(tokens, BigInt), [1, tokens.length]);

function argmax(logits: Float32Array, allowed: Iterable<number> | null, banned: ReadonlySet<number>): number | null {
  let best: number | null = null;
  let highest = Number.NEGATIVE_INFINITY;
  const consider = (id: number) => {
    const value = logits[id] as number;
    if (value > highest && !banned.has(id)) {
      best = id;
      highest = value;
    }
  };
  if (allowed) for (const id of allowed) consider(id);
  else for (let id = 0; id < logits.length; id++) consider(id);
  return best;
}
