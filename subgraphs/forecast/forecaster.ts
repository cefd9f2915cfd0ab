import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { z } from 'zod';
import { FEATURES_VERSION, featuresOf, namesOf, type Origin, type Spec } from './features.ts';
import type { GranularityName, SeriesKey } from './series.ts';

const specSchema = z.object({
  granularity: z.enum(['day', 'week']),
  season: z.int().positive(),
  memory: z.int().positive(),
  half_lives: z.array(z.number().positive()).min(2),
  windows: z.array(z.int().positive()).min(2),
  aligned: z.int().min(4),
  year: z.int().positive(),
  year_level: z.int().positive(),
  year_reach: z.int().nonnegative(),
  horizon: z.int().positive(),
  max_horizon: z.int().positive(),
});

const weights = z.array(z.number()).length(8);
const table = z.array(z.array(z.number()));
/** Edges of the buckets of a table: of the scale by row, of the step by column. */
const edges = { levels: z.array(z.number()), steps: z.array(z.number()) };

const granularitySchema = z.object({
  model: z.string(),
  spec: specSchema,
  features: z.array(z.string()),
  weights: z.object({ product: weights, sum: weights }),
  round: z.number(),
  margins: z.object({ ...edges, margins: table }),
  bands: z.object({ ...edges, lower: table, upper: table }),
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

/** A series to forecast, by what it is, for steps 1..horizon. */
export interface Ask {
  kind: SeriesKey['kind'];
  origin: Origin;
  horizon: number;
}

type Row = Pick<Ask, 'kind' | 'origin'> & { step: number; features: number[] };

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
  async forecast(granularity: GranularityName, asks: readonly Ask[]): Promise<Point[][]> {
    const { calibrated } = this.part(granularity);
    const rows = asks.flatMap(({ kind, origin, horizon }) =>
      Array.from({ length: horizon }, (_, index): Row => {
        return { kind, origin, step: index + 1, features: featuresOf(calibrated.spec, origin, index + 1) };
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
    return rows.map((row, index) =>
      combine(calibrated, row, shares.subarray(index * 4, index * 4 + 4), (name) => {
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

/** Blend and interval in units, from shares of the scale: mean, median, lower and upper end. */
function combine(
  { spec, weights, round, margins, bands, whole }: Calibrated,
  { kind, origin, step }: Row,
  shares: Float32Array,
  feature: (name: string) => number,
): Point {
  const [mean = 0, median = 0, low = 0, high = 0] = shares;
  const scale = origin.own.scale(step);
  const medians = spec.half_lives.slice(1).map((halfLife) => `median_${halfLife}`);
  const simple = ['pace', ...medians, 'aligned_mean', 'year_exact'].map(feature);
  const members = [mean, median, 1, ...simple].map((share) => Math.max(share, 0) * scale);
  const chosen = kind === 'product' ? weights.product : weights.sum;
  const blend = members.reduce((sum, member, i) => sum + member * (chosen[i] ?? 0), 0);
  const at = (table: number[][], { levels, steps }: { levels: number[]; steps: number[] }) =>
    table[bucket(levels, scale)]?.[bucket(steps, step)] ?? 0;
  if (kind !== 'product') {
    return ends(blend, blend * at(bands.lower, bands), blend * at(bands.upper, bands), whole);
  }
  const units = whole ? Math.floor(blend + round) : blend;
  const raw = [Math.max(low, 0) * scale, Math.max(high, 0) * scale];
  const [lower, upper] = [Math.min(...raw), Math.max(...raw)];
  const extra = at(margins.margins, margins) * (upper - lower + 0.1 * Math.sqrt(scale));
  return ends(units, lower - extra, upper + extra, whole);
}

/** The interval that is served: it holds the point forecast. Counts get whole ends: a lower end of 0.001 would miss every period without a sale. */
function ends(units: number, lower: number, upper: number, whole: boolean): Point {
  const end = (value: number) => (whole ? Math.floor(value + 0.5) : value);
  return { units, lower: Math.min(Math.max(end(lower), 0), units), upper: Math.max(end(upper), units) };
}

/** The first bucket whose upper edge is not below the value. */
function bucket(edges: readonly number[], value: number): number {
  const index = edges.findIndex((edge) => edge >= value);
  return index === -1 ? edges.length : index;
}
