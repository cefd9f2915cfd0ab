import { HashiraError } from '../kit/errors.ts';
import type { Logger } from '../kit/log.ts';
import type { Ask, Generator } from './generator.ts';
import type { Generators } from './generators.ts';
import { cancelling } from './leaving.ts';

/** What an answer says beside its text when another than the first generator wrote it because that one was away. */
export const AWAY_NOTICE = 'The assistant is away for the moment. This answer is quoted from the catalogue.';

const SILENT = 'The assistant had no answer. Please ask again, perhaps in other words.';

/** An answer in the making: who writes it is certain with its first piece. */
export class Draft {
  model: string;
  notice: string | null = null;

  constructor(
    private readonly ask: Ask,
    private readonly generators: Generators,
    private readonly log: Logger,
  ) {
    this.model = this.writer.model;
  }

  /** The honest "the catalogue does not say" needs no model. */
  private get writer(): Generator {
    return this.ask.sources.length === 0 ? this.generators.fallback : this.generators.first;
  }

  /**
   * The pieces, none of them empty. Where the first generator fails before it has said anything, the fallback answers.
   * @throws HashiraError CHAT_MODEL_UNAVAILABLE, ANSWER_BLOCKED; the reason of the signal
   */
  async *pieces(signal: AbortSignal): AsyncGenerator<string, void, undefined> {
    const { writer } = this;
    const { fallback } = this.generators;
    let spoken = false;
    try {
      for await (const piece of this.written(writer, signal)) {
        spoken = true;
        yield piece;
      }
      return;
    } catch (error) {
      signal.throwIfAborted();
      const isBlocked = error instanceof HashiraError && error.code === 'ANSWER_BLOCKED';
      if (spoken || isBlocked || writer === fallback) throw error;
      this.log.warn({ err: error, model: writer.model }, 'the catalogue is quoted instead');
    }
    this.model = fallback.model;
    this.notice = AWAY_NOTICE;
    yield* this.written(fallback, signal);
  }

  private async *written(writer: Generator, signal: AbortSignal): AsyncGenerator<string, void, undefined> {
    let spoken = false;
    for await (const piece of cancelling(writer.generate(this.ask, signal), signal)) {
      if (piece === '') continue;
      spoken = true;
      yield piece;
    }
    if (!spoken) throw new HashiraError('CHAT_MODEL_UNAVAILABLE', SILENT);
  }
}
