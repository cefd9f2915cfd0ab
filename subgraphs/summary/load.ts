import { existsSync } from 'node:fs';
import path from 'node:path';
import { PlainSummarizer } from './plain-summarizer.ts';
import { Summarizer } from './summarizer.ts';

/** What a folder holds: a model that our pipeline trained, or any T5. @throws Error when it holds neither */
export const loadSummarizer = (dir: string): Promise<Summarizer | PlainSummarizer> =>
  existsSync(path.join(dir, 'summarizer.json')) ? Summarizer.load(dir) : PlainSummarizer.load(dir);
