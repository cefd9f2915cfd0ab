import { alsScores } from './als.ts';
import { Best } from './best.ts';
import type { Csr, Settings, Tables } from './bundle.ts';
import { Scratch } from './scratch.ts';

// Candidates and features as `ml/recommender/features.py` defines them; the files in `ml/recommender/golden` bind both.
// Arrays are indexed in bounds throughout: `as number` says so where the compiler cannot know.

/** One product of a user's history. */
export interface HistoryItem {
  productId: string;
  purchases: number;
  /** ln(1 + points). */
  weight: number;
  /** Days since 1970 of the last interaction; null: unknown. */
  day: number | null;
}

/** Products that may be shown to a user, by item number, with a row of features for each. */
export interface Candidates {
  items: number[];
  /** `items.length` × `FEATURES.length`. */
  features: Float32Array;
}

const ITEM_FEATURES = [
  'item_popularity',
  'item_log_popularity',
  'item_recent_popularity',
  'item_momentum',
  'item_purchase_rate',
  'item_log_age',
  'item_price_level',
] as const;
const POPULARITY = 0;

/** The features' names in the model's order. */
export const FEATURES: readonly string[] = [
  'als',
  'als_relative',
  'ease',
  'ease_recent',
  'ease_relative',
  'knn',
  'knn_recent',
  'knn_relative',
  'knn_mean',
  'knn_max',
  'knn_last',
  'bought',
  'content',
  'content_recent',
  'category_share',
  'category_recent',
  'price_gap',
  'price_distance',
  ...ITEM_FEATURES,
  'user_items',
  'user_purchase_share',
  'user_mainstream',
];

/** A product of the history that the model knows. */
interface Known {
  item: number;
  purchases: number;
  /** Weight relative to the mean weight. */
  w: number;
  /** The same, halved per half-life before the user's newest interaction. */
  r: number;
  /** Among the newest few. */
  last: boolean;
}

/**
 * Candidates of one user with their features. Nothing of `history` is a candidate.
 * @param allowed whether an item may be a candidate; all may when not given
 */
export function candidatesOf(
  tables: Tables,
  settings: Settings,
  history: readonly HistoryItem[],
  allowed?: (item: number) => boolean,
): Candidates {
  const count = tables.ids.length;
  const scratch = scratchOf(tables);
  const known = knownItems(tables, settings, history);
  const als = alsScores(tables, known, settings.regularisation, scratch);
  const ease = sums(tables.ease, known, (h) => h.w, scratch.zeros());
  const knn = sums(tables.knn, known, (h) => h.w, scratch.zeros());
  const contentOf = contentScore(tables, known, (h) => h.w);
  const content = scratch.zeros();
  for (let item = 0; item < count; item++) content[item] = contentOf(item);

  const excluded = new Uint8Array(count);
  for (const { productId } of history) {
    const item = tables.numberOf.get(productId);
    if (item !== undefined) excluded[item] = 1;
  }
  if (allowed) for (let item = 0; item < count; item++) if (!allowed(item)) excluded[item] = 1;
  const chosen = new Uint8Array(count);
  const { candidates } = settings;
  choose(chosen, excluded, als, candidates.als);
  choose(chosen, excluded, ease, candidates.ease);
  choose(chosen, excluded, knn, candidates.knn);
  choose(chosen, excluded, content, candidates.content);
  for (let place = 0, room = candidates.popular; place < count && room > 0; place++) {
    const item = tables.byPopularity[place] as number;
    if (excluded[item]) continue;
    chosen[item] = 1;
    room--;
  }
  const items: number[] = [];
  for (let item = 0; item < count; item++) if (chosen[item]) items.push(item);
  return { items, features: featureRows(tables, known, items, { als, ease, knn, content }, scratch) };
}

const scratches = new WeakMap<Tables, Scratch>();

function scratchOf(tables: Tables): Scratch {
  const scratch = scratches.get(tables) ?? new Scratch(tables.ids.length);
  scratches.set(tables, scratch);
  scratch.begin();
  return scratch;
}

function knownItems(tables: Tables, settings: Settings, history: readonly HistoryItem[]): Known[] {
  const rows = history.flatMap((row) => {
    const item = tables.numberOf.get(row.productId);
    return item === undefined ? [] : [{ ...row, item, at: row.day ?? Number.NEGATIVE_INFINITY }];
  });
  // Newest first, unknown times last, then the heaviest.
  rows.sort((a, b) => (a.at === b.at ? 0 : b.at - a.at) || b.weight - a.weight || a.item - b.item);
  const limited = rows.slice(0, settings.historyLimit);
  const newest = limited[0]?.at ?? 0;
  return limited
    .map(({ item, purchases, weight, day }, position) => {
      const w = weight / tables.meanWeight;
      const decay = day === null ? 1 : 0.5 ** ((newest - day) / settings.halfLifeDays);
      return { item, purchases, w, r: w * decay, last: position < settings.recentItems };
    })
    .sort((a, b) => a.item - b.item);
}

/** Marks the `most` best items of a score above zero that are not excluded; equal scores by item number. */
function choose(chosen: Uint8Array, excluded: Uint8Array, scores: Float64Array, most: number): void {
  const best = new Best(most);
  let bar = Math.max(0, best.least);
  for (let item = 0; item < scores.length; item++) {
    // Rounded before comparing: scores that differ by rounding errors are ties, which item numbers decide.
    const score = Math.fround(scores[item] as number);
    if (!(score > bar) || excluded[item]) continue;
    best.add(item, score);
    bar = Math.max(0, best.least);
  }
  for (const item of best.kept()) chosen[item] = 1;
}

/** Adds Σ_h value(h) M[h, j] to `result` for every column j, and returns it. */
function sums(matrix: Csr, known: readonly Known[], value: (h: Known) => number, result: Float64Array): Float64Array {
  const { indptr, indices, values } = matrix;
  for (const h of known) {
    const weight = value(h);
    if (weight === 0) continue;
    const end = indptr[h.item + 1] as number;
    for (let entry = indptr[h.item] as number; entry < end; entry++) {
      const item = indices[entry] as number;
      result[item] = (result[item] as number) + weight * (values[entry] as number);
    }
  }
  return result;
}

/** max_h M[h, j] for every item j, in `result`, which is zeros; 0 where there is none. */
function highest(matrix: Csr, known: readonly Known[], result: Float64Array): Float64Array {
  const { indptr, indices, values } = matrix;
  for (const h of known) {
    const end = indptr[h.item + 1] as number;
    for (let entry = indptr[h.item] as number; entry < end; entry++) {
      const item = indices[entry] as number;
      if ((values[entry] as number) > (result[item] as number)) result[item] = values[entry] as number;
    }
  }
  return result;
}

/** Cosine of an item's attribute values with those of the history. */
function contentScore(
  { tokens, tokenCount }: Tables,
  known: readonly Known[],
  value: (h: Known) => number,
): (item: number) => number {
  const profile = sums(tokens, known, value, new Float64Array(tokenCount));
  let squares = 0;
  for (const weight of profile) squares += weight * weight;
  const norm = Math.sqrt(squares);
  if (norm === 0) return () => 0;
  const { indptr, indices, values } = tokens;
  return (item) => {
    let sum = 0;
    const end = indptr[item + 1] as number;
    for (let entry = indptr[item] as number; entry < end; entry++)
      sum += (profile[indices[entry] as number] as number) * (values[entry] as number);
    return sum / norm;
  };
}

function featureRows(
  tables: Tables,
  known: readonly Known[],
  items: readonly number[],
  { als, ease, knn, content }: Record<'als' | 'ease' | 'knn' | 'content', Float64Array>,
  scratch: Scratch,
): Float32Array {
  const { itemFeatures, itemFeatureCount } = tables;
  const easeRecent = sums(tables.ease, known, (h) => h.r, scratch.zeros());
  const knnRecent = sums(tables.knn, known, (h) => h.r, scratch.zeros());
  const bought = sums(tables.bought, known, (h) => (h.purchases > 0 ? 1 : 0), scratch.zeros());
  const contentRecent = contentScore(tables, known, (h) => h.r);
  const knnMax = highest(tables.knn, known, scratch.zeros());
  const knnLast = highest(
    tables.knn,
    known.filter((h) => h.last),
    scratch.zeros(),
  );
  const alsBest = positive(max(als));
  const easeBest = positive(max(ease));
  const knnBest = positive(max(knn));
  const total = positive(known.reduce((sum, h) => sum + h.w, 0));
  const totalRecent = positive(known.reduce((sum, h) => sum + h.r, 0));
  const category = new Float64Array(tables.categories.length);
  const categoryRecent = new Float64Array(tables.categories.length);
  let priced = 0;
  let prices = 0;
  let purchased = 0;
  let popularity = 0;
  for (const h of known) {
    const shelf = tables.category[h.item] as number;
    if (shelf >= 0) {
      category[shelf] = (category[shelf] as number) + h.w;
      categoryRecent[shelf] = (categoryRecent[shelf] as number) + h.r;
    }
    const logPrice = tables.logPrice[h.item] as number;
    if (!Number.isNaN(logPrice)) {
      priced += h.w;
      prices += h.w * logPrice;
    }
    if (h.purchases > 0) purchased++;
    popularity += itemFeatures[h.item * itemFeatureCount + POPULARITY] as number;
  }
  const meanPrice = prices / positive(priced);
  const size = Math.max(known.length, 1);

  const rows = new Float32Array(items.length * FEATURES.length);
  let at = 0;
  for (const item of items) {
    const shelf = tables.category[item] as number;
    const logPrice = tables.logPrice[item] as number;
    const gap = priced > 0 && !Number.isNaN(logPrice) ? logPrice - meanPrice : 0;
    rows[at++] = als[item] as number;
    rows[at++] = (als[item] as number) / alsBest;
    rows[at++] = ease[item] as number;
    rows[at++] = easeRecent[item] as number;
    rows[at++] = (ease[item] as number) / easeBest;
    rows[at++] = knn[item] as number;
    rows[at++] = knnRecent[item] as number;
    rows[at++] = (knn[item] as number) / knnBest;
    rows[at++] = (knn[item] as number) / total;
    rows[at++] = knnMax[item] as number;
    rows[at++] = knnLast[item] as number;
    rows[at++] = bought[item] as number;
    rows[at++] = content[item] as number;
    rows[at++] = contentRecent(item);
    rows[at++] = shelf < 0 ? 0 : (category[shelf] as number) / total;
    rows[at++] = shelf < 0 ? 0 : (categoryRecent[shelf] as number) / totalRecent;
    rows[at++] = gap;
    rows[at++] = Math.abs(gap);
    for (let column = 0; column < ITEM_FEATURES.length; column++)
      rows[at++] = itemFeatures[item * itemFeatureCount + column] as number;
    rows[at++] = Math.log1p(known.length);
    rows[at++] = purchased / size;
    rows[at++] = popularity / size;
  }
  return rows;
}

function max(values: Float64Array): number {
  let most = Number.NEGATIVE_INFINITY;
  // By index: an iterator takes ten times as long over a large catalogue.
  for (let item = 0; item < values.length; item++) most = Math.max(most, values[item] as number);
  return most;
}

/** A divisor: 1 where there is nothing to divide by. */
const positive = (value: number): number => (value > 0 ? value : 1);
