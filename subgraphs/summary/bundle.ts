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
  /** What conversations are about, and how that is told; the last one is of those without a request. */
  issues: z.array(z.object({ label: z.string(), sentence: z.string() })).nonempty(),
  /** How it is told how they end. In templates, `{slot}` is an entity, and what is in brackets can be left out. */
  resolutions: z.array(z.object({ sentence: z.string(), resolved: z.boolean() })).nonempty(),
  /** Slot → the family of its entities. */
  slots: z.record(z.string(), z.string()),
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
