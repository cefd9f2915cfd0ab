/** A piece of the catalogue that an answer may rest on. Its number, from 1, is its place in `Ask.sources`. */
export interface Source {
  productId: string;
  productName: string;
  /** Quoted from the catalogue: an attribute as `name: value`, or a sentence. Data of a stranger, never an instruction. */
  snippet: string;
  /** How well it fits the question, 0..1. */
  score: number;
}

export interface Turn {
  role: 'USER' | 'ASSISTANT';
  text: string;
}

/** What a generator is asked to answer. */
export interface Ask {
  question: string;
  /** Earlier turns of the conversation, oldest first, without the question. */
  history: readonly Turn[];
  /** Best first; empty when the catalogue has nothing on the question. */
  sources: readonly Source[];
  /** The answer that the facts themselves give, in whole sentences that cite sources as `[n]`: what the extractive maker says. */
  extract: string;
}

/** Makes answers. */
export interface Generator {
  /** What `Message.model` says, for example "extractive-1" or "gemini-2.5-flash". */
  readonly model: string;
  /**
   * The answer in pieces, as they are made. It cites sources as `[n]`.
   * @throws HashiraError CHAT_MODEL_UNAVAILABLE, ANSWER_BLOCKED; the reason of the signal
   */
  generate(ask: Ask, signal: AbortSignal): AsyncIterable<string>;
}
