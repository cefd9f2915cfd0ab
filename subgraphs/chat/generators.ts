import type { Config } from '../kit/config.ts';
import type { Logger } from '../kit/log.ts';
import { Extractive } from './extractive.ts';
import { Gemini } from './gemini.ts';
import type { Generator } from './generator.ts';

export interface Generators {
  /** Answers where the catalogue has something to say. */
  first: Generator;
  /** Answers when the first cannot, and where there is nothing to answer from. */
  fallback: Generator;
}

/** Gemini where there is a key, and extracts. */
export function createGenerators(config: Config, log: Logger): Generators {
  const fallback = new Extractive();
  const { GEMINI_API_KEY } = config;
  return { first: GEMINI_API_KEY ? new Gemini({ ...config, GEMINI_API_KEY }, log) : fallback, fallback };
}
