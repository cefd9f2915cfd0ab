import { existsSync } from 'node:fs';
import path from 'node:path';
import type { TranscriptTurn } from './model.ts';
import { PlainSummarizer } from './plain-summarizer.ts';
import { Summarizer, type Written } from './summarizer.ts';

/** What writes summaries of a transcript. */
export interface LoadedSummarizer {
  /** @throws the signal's reason */
  summarize(turns: readonly TranscriptTurn[], signal?: AbortSignal): Promise<Written>;
  dispose(): Promise<void>;
}

/** What a folder holds: a model that our pipeline trained, or any T5. @throws Error when it holds neither */
export const loadSummarizer = (dir: string): Promise<LoadedSummarizer> =>
  existsSync(path.join(dir, 'summarizer.json')) ? Summarizer.load(dir) : PlainSummarizer.load(dir);
