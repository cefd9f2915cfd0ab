import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { z } from 'zod';
import { FEATURES_VERSION, featuresOf, namesOf, type Origin, type Spec } from './features.ts';
import type { GranularityName } from './series.ts';

const specSchema = z.object({
  granularity: z.enum(['day', 'week']),
  season: z.int().positive(),
  windows: z.array(z.int().positive()).nonempty(),
  level: z.int().positive(),
  aligned: z.int().min(4),
  year: z.int().positive(),
  year_reach: z.int().nonnegative(),
  horizon: z.int().positive(),
  max_horizon: z.int().positive(),
});

const granularitySchema = z.object({
  model: z.string(),
  spec: specSchema,
  features: z.array(z.string()),
  weights: z.array(z.number()).length(6),
  margins: z.object({
    levels: z.array(z.number()),
    steps: z.array(z.number()),
    margins: z.array(z.array(z.number())),
  }),
  whole: z.boolean(),
});

const bundleSchema = z.object({
  version: z.int(),
  outputs: z.array(z.string()),
  members: z.array(z.string()),
  granularities: z.partialRecord(z.enum(['day', 'week']), granularitySchema),
});

type Calibrated = z.infer<typeof granularitySchema>;

/** One period ahead; 0 <= lower <= units <= upper. */
export interface Point {
  units: number;
  lower: number;
  upper: number;
}

/** What the trees say of one row, as shares of the level, and the features that the blend uses. */
type Row = { origin: Origin; step: number; features: number[] };

/** A forecaster version at work, mirroring ml/forecaster/forecaster.py; golden files hold both together. */
export class Forecaster {
  private constructor(
    private readonly parts: ReadonlyMap<GranularityName, { calibrated: Calibrated; session: InferenceSession }>,
  ) {}

  /** @throws Error when the bundle is broken or was made for other features */
  static async load(dir: string): Promise<Forecaster> {
    const bundle = bundleSchema.parse(JSON.parse(await readFile(path.join(dir, 'features.json'), 'utf8')));
    if (bundle.version !== FEATURES_VERSION) throw new Error('the model was trained with other features');
    const parts = new Map<GranularityName, { calibrated: Calibrated; session: InferenceSession }>();
    for (const [name, calibrated] of Object.entries(bundle.granularities)) {
      const same = namesOf(calibrated.spec).join() === calibrated.features.join();
      if (!same) throw new Error('the model was trained with other features');
      // One thread: a request's rows are few, and requests share the cores.
      const options = { intraOpNumThreads: 1, interOpNumThreads: 1 };
      const session = await InferenceSession.create(path.join(dir, path.basename(calibrated.model)), options);
      parts.set(name as GranularityName, { calibrated, session });
    }
    return new Forecaster(parts);
  }

  /** The windows of a granularity, or null when the model has none of it. */
  spec(granularity: GranularityName): Spec | null {
    return this.parts.get(granularity)?.calibrated.spec ?? null;
  }

  /** Steps 1..horizon after each origin; all of them in one run of the model. */
  async forecast(
    granularity: GranularityName,
    asks: readonly { origin: Origin; horizon: number }[],
  ): Promise<Point[][]> {
    const { calibrated } = this.part(granularity);
    const rows = asks.flatMap(({ origin, horizon }) =>
      Array.from({ length: horizon }, (_, index): Row => {
        return { origin, step: index + 1, features: featuresOf(calibrated.spec, origin, index + 1) };
      }),
    );
    const points = await this.points(granularity, rows);
    let start = 0;
    return asks.map(({ horizon }) => {
      start += horizon;
      return points.slice(start - horizon, start);
    });
  }

  private async points(granularity: GranularityName, rows: readonly Row[]): Promise<Point[]> {
    if (rows.length === 0) return [];
    const { calibrated, session } = this.part(granularity);
    const width = calibrated.features.length;
    const features = new Float32Array(rows.length * width);
    for (const [index, row] of rows.entries()) features.set(row.features, index * width);
    const output = await session.run({ features: new Tensor('float32', features, [rows.length, width]) });
    const shares = output.shares?.data as Float32Array;
    return rows.map(({ origin, step }, index) =>
      combine(calibrated, origin.level, step, shares.subarray(index * 4, index * 4 + 4), (name) => {
        return features[index * width + calibrated.features.indexOf(name)] as number;
      }),
    );
  }

  private part(granularity: GranularityName) {
    const part = this.parts.get(granularity);
    if (!part) throw new Error(`the model has no granularity ${granularity}`);
    return part;
  }

  async dispose(): Promise<void> {
    for (const { session } of this.parts.values()) await session.release();
  }
}

/** Blend and interval in units, from shares of the level: mean, median, lower and upper end. */
function combine(
  { spec, weights, margins, whole }: Calibrated,
  level: number,
  step: number,
  shares: Float32Array,
  feature: (name: string) => number,
): Point {
  const [mean = 0, median = 0, low = 0, high = 0] = shares;
  const simple = ['aligned_mean', `mean_${spec.level}`, `mean_${spec.windows.at(-1)}`, 'median_long'].map(feature);
  const members = [mean, median, ...simple].map((share) => Math.max(share, 0) * level);
  const units = members.reduce((sum, member, i) => sum + member * (weights[i] ?? 0), 0);
  const ends = [Math.max(low, 0) * level, Math.max(high, 0) * level];
  const [lower, upper] = [Math.min(...ends), Math.max(...ends)];
  const margin = margins.margins[bucket(margins.levels, level)]?.[bucket(margins.steps, step)] ?? 0;
  const extra = margin * (Math.max(upper - lower, 0) + 0.1 * Math.sqrt(level));
  // Counts get whole ends: a lower end of 0.001 would miss every period without a sale.
  const end = (value: number) => (whole ? Math.floor(value + 0.5) : value);
  return {
    units,
    lower: Math.min(Math.max(end(lower - extra), 0), units),
    upper: Math.max(end(upper + extra), units),
  };
}

/** The first bucket whose upper edge is not below the value. */
function bucket(edges: readonly number[], value: number): number {
  const index = edges.findIndex((edge) => edge >= value);
  return index === -1 ? edges.length : index;
}
