import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { readSafetensors, type Tensor } from './safetensors.ts';

/** A sparse matrix in compressed rows. */
export interface Csr {
  indptr: Int32Array;
  indices: Int32Array;
  values: Float32Array;
}

/** What is known of the items, as the training wrote it; numbers of items are places in `ids`. */
export interface Tables {
  ids: string[];
  /** Number of an item by its id. */
  numberOf: Map<string, number>;
  categories: string[];
  /** Number in `categories`, -1: none. */
  category: Int32Array;
  /** Natural logarithm; NaN: unknown. */
  logPrice: Float32Array;
  /** Items × `itemFeatureCount`. */
  itemFeatures: Float32Array;
  itemFeatureCount: number;
  /** All items, what is popular lately first; equal ones by number. */
  byPopularity: Int32Array;
  /** Items × `factorCount`. */
  factors: Float32Array;
  factorCount: number;
  /** `factorCount` × `factorCount`: what the equations of all users have in common. */
  factorGram: Float32Array;
  /** Rows are items of a history, columns items to score. */
  knn: Csr;
  ease: Csr;
  bought: Csr;
  /** Rows are items; unit rows over attribute values. */
  tokens: Csr;
  tokenCount: number;
  /** Interaction weight that counts as 1. */
  meanWeight: number;
}

/** Place among the features of an item. */
export const RECENT_POPULARITY = 2;

export interface Settings {
  historyLimit: number;
  recentItems: number;
  halfLifeDays: number;
  candidates: { als: number; ease: number; knn: number; content: number; popular: number };
  /** Of ALS, for each unit of weight in a history. */
  regularisation: number;
}

export interface Bundle {
  onnx: Uint8Array;
  tables: Tables;
  settings: Settings;
  /** Names of the features in the model's order. */
  features: string[];
}

const description = z.object({
  version: z.literal(2),
  meanWeight: z.number().positive(),
  settings: z.object({
    history_limit: z.number(),
    recent_items: z.number(),
    half_life_days: z.number(),
    candidates: z.object({
      als: z.number(),
      ease: z.number(),
      knn: z.number(),
      content: z.number(),
      popular: z.number(),
    }),
    als: z.object({ regularisation: z.number() }),
  }),
  features: z.array(z.object({ name: z.string() })),
});
const itemNames = z.object({ ids: z.array(z.string()), categories: z.array(z.string()) });

/** Reads a recommender bundle; `ml/recommender/bundle.py` describes it. @throws Error when a file is missing or wrong */
export async function readBundle(dir: string): Promise<Bundle> {
  const file = (name: string) => readFile(path.join(dir, name));
  const [onnx, features, items, arrays] = await Promise.all([
    file('model.onnx'),
    file('features.json').then((content) => description.parse(JSON.parse(content.toString('utf8')))),
    file('items.json').then((content) => itemNames.parse(JSON.parse(content.toString('utf8')))),
    file('tables.safetensors').then(readSafetensors),
  ]);
  const { settings } = features;
  return {
    onnx,
    tables: toTables(items, arrays, features.meanWeight),
    settings: {
      historyLimit: settings.history_limit,
      recentItems: settings.recent_items,
      halfLifeDays: settings.half_life_days,
      candidates: settings.candidates,
      regularisation: settings.als.regularisation,
    },
    features: features.features.map(({ name }) => name),
  };
}

function toTables(
  { ids, categories }: { ids: string[]; categories: string[] },
  arrays: Map<string, Tensor>,
  meanWeight: number,
): Tables {
  const tensor = (name: string): Tensor => {
    const found = arrays.get(name);
    if (!found) throw new Error(`the array ${name} is missing`);
    return found;
  };
  const floats = (name: string): Float32Array => {
    const { data } = tensor(name);
    if (!(data instanceof Float32Array)) throw new Error(`the array ${name} is not of numbers`);
    return data;
  };
  const integers = (name: string): Int32Array => {
    const { data } = tensor(name);
    if (!(data instanceof Int32Array)) throw new Error(`the array ${name} is not of integers`);
    return data;
  };
  const csr = (name: string): Csr => {
    const indptr = integers(`${name}.indptr`);
    if (indptr.length !== ids.length + 1) throw new Error(`the matrix ${name} has not one row for each item`);
    const indices = integers(`${name}.indices`);
    const values = floats(`${name}.values`);
    if (indptr.at(-1) !== indices.length || indices.length !== values.length)
      throw new Error(`the matrix ${name} is not of one piece`);
    return { indptr, indices, values };
  };
  const tokens = csr('tokens');
  const itemFeatures = floats('item_features');
  const itemFeatureCount = tensor('item_features').shape[1] ?? 0;
  const popularity = (item: number) => itemFeatures[item * itemFeatureCount + RECENT_POPULARITY] as number;
  return {
    ids,
    numberOf: new Map(ids.map((id, number) => [id, number])),
    categories,
    category: integers('category'),
    logPrice: floats('log_price'),
    itemFeatures,
    itemFeatureCount,
    byPopularity: Int32Array.from(ids.keys()).sort((a, b) => popularity(b) - popularity(a) || a - b),
    factors: floats('factors'),
    factorCount: tensor('factors').shape[1] ?? 0,
    factorGram: floats('factor_gram'),
    knn: csr('knn'),
    ease: csr('ease'),
    bought: csr('bought'),
    tokens,
    tokenCount: tokens.indices.reduce((most, token) => Math.max(most, token + 1), 0),
    meanWeight,
  };
}
