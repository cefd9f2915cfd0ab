import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { entitySpec } from './entities.ts';

/** What a model says of itself, `summarizer.json` beside its graphs (ml/summarizer/train.py). */
const bundleSchema = z.object({
  version: z.literal(1),
  prompt: z.string(),
  soFar: z.string(),
  mostTokens: z.int().min(64),
  issues: z.array(z.string()).nonempty(),
  words: z.array(z.string()),
  entities: entitySpec,
  starters: z.array(z.string()),
  common: z.array(z.string()),
});
export type Bundle = z.infer<typeof bundleSchema>;

/** @throws Error when it is missing or broken */
export async function readBundle(dir: string): Promise<Bundle> {
  return bundleSchema.parse(JSON.parse(await readFile(path.join(dir, 'summarizer.json'), 'utf8')));
}
