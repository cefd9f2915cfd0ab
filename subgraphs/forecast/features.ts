import { addDays, type GranularityName, type Series, STEP_DAYS, weekdayOf } from './series.ts';

/** Version of the definition below; a bundle made for another one is refused. */
export const FEATURES_VERSION = 2;

/** A season's profile counts as much as its parent's from this many units sold on. */
const PRIOR_UNITS = 50;

/** Lags and windows of one granularity, in periods; their meaning is in ml/forecaster/features.py. */
export interface Spec {
  granularity: GranularityName;
  season: number;
  memory: number;
  half_lives: number[];
  windows: number[];
  aligned: number;
  year: number;
  year_level: number;
  year_reach: number;
  horizon: number;
  max_horizon: number;
}

/** Periods of history that the features read, counting the origin. */
export const spanOf = (spec: Spec): number => spec.year + spec.year_level;

/** A series with what is above it, and what of it does not depend on the step. */
export interface Origin {
  /** Features of the origin alone, in order. */
  fixed: number[];
  own: Past;
  category: Past;
  shop: Past;
  /** First day of the origin's period. */
  date: string;
}

/** A series as its own features and those of the series below it see it; place 0 of an array is the origin, k is k periods before. */
export class Past {
  readonly level: number;
  readonly levels: number[];
  /** Factor of each place in the season, place 0 that of the origin. */
  private readonly profile: number[];
  /** Sales without promotion and in stock, NaN else; all sales of a series that never had any. */
  private readonly plain: number[];

  constructor(
    readonly spec: Spec,
    readonly series: Series,
    parent: Past | null,
  ) {
    const past = this.last(spec.memory);
    const promotion = this.last(spec.memory, series.promotion);
    const stock = this.last(spec.memory, series.inStock);
    const plain = past.map((units, i) => ((promotion[i] ?? 0) > 0 || stock[i] === 0 ? Number.NaN : units));
    this.plain = plain.every(Number.isNaN) ? past : plain;
    this.profile = this.profileOf(parent);
    this.levels = spec.half_lives.map((halfLife) => {
      const { sold, expected } = this.weighted(halfLife);
      return expected > 0 ? sold / expected : 0;
    });
    const long = spec.windows.at(-1) ?? 1;
    // A series at rest is not scaled by nothing.
    const floor = Math.max(0.5 * mean(past.slice(0, long), 0), 1 / long);
    this.level = Math.max(this.levels[1] ?? 0, floor);
  }

  /** The last `length` values, the newest first, NaN before the start. */
  last(length: number, values: ArrayLike<number> = this.series.units): number[] {
    return Array.from({ length }, (_, index) => at(values, values.length - 1 - index));
  }

  /** Near the parent's profile while little was sold. */
  private profileOf(parent: Past | null): number[] {
    const { season, memory } = this.spec;
    const prior = parent?.profile ?? Array<number>(season).fill(1);
    if (season === 1) return prior;
    const sold = Array<number>(season).fill(0);
    const count = Array<number>(season).fill(0);
    for (let i = 0; i < Math.floor(memory / season) * season; i++) {
      const units = this.plain[i] as number;
      if (Number.isNaN(units)) continue;
      sold[i % season] = (sold[i % season] as number) + units;
      count[i % season] = (count[i % season] as number) + 1;
    }
    const average = sum(sold) / Math.max(sum(count), 1);
    return prior.map(
      (factor, i) => ((sold[i] as number) + PRIOR_UNITS * factor) / ((count[i] as number) * average + PRIOR_UNITS),
    );
  }

  private rhythm(place: number): number {
    return this.profile[place % this.spec.season] as number;
  }

  /** Units, and how many there would be at one a period, both with weights that halve in a half-life. */
  private weighted(halfLife: number): { sold: number; expected: number } {
    let sold = 0;
    let expected = 0;
    for (const [place, units] of this.plain.entries()) {
      if (Number.isNaN(units)) continue;
      const weight = 0.5 ** (place / halfLife);
      sold += weight * units;
      expected += weight * this.rhythm(place);
    }
    return { sold, expected };
  }

  /** Lower weighted medians without the season's rhythm, by half-life. */
  medians(): number[] {
    const ordered = [...this.plain.entries()]
      .filter(([, units]) => !Number.isNaN(units))
      .map(([place, units]) => ({ place, value: units / this.rhythm(place) }))
      .sort((a, b) => a.value - b.value || a.place - b.place);
    return this.spec.half_lives.map((halfLife) => {
      const weights = ordered.map(({ place }) => 0.5 ** (place / halfLife));
      const half = 0.5 * sum(weights);
      let passed = 0;
      const middle = weights.findIndex((weight) => {
        passed += weight;
        return passed >= half;
      });
      return ordered[middle]?.value ?? 0;
    });
  }

  /** Where sales are now relative to the level, by the shortest half-life; near 1 while little was sold. */
  pace(): number {
    const { sold, expected } = this.weighted(this.spec.half_lives[0] ?? 1);
    return (sold + PRIOR_UNITS) / (expected * this.level + PRIOR_UNITS);
  }

  /** Spread of the newest periods around the level, without the season's rhythm. */
  deviation(length: number): number {
    const errors = this.plain.slice(0, length).map((units, place) => (units / this.rhythm(place) - this.level) ** 2);
    return Math.sqrt(mean(errors, 0));
  }

  /** The newest units without the season's rhythm. */
  newest(): number {
    return at(this.series.units, this.series.units.length - 1) / this.rhythm(0);
  }

  /** The season's factor `step` periods after the origin. */
  factor(step: number): number {
    const { season } = this.spec;
    return this.profile[(season - (step % season)) % season] as number;
  }

  /** What a share is a share of: the level at the target's place in the season. */
  scale(step: number): number {
    return this.level * this.factor(step);
  }

  /** Values 1, 2, … seasons before the target, starting with the last season that the origin has seen. */
  aligned(step: number): number[] {
    const { season, aligned } = this.spec;
    const { units } = this.series;
    const last = units.length - 1 + step - season * Math.ceil(step / season);
    return Array.from({ length: aligned }, (_, index) => at(units, last - season * index));
  }

  /** Last year's units around the target over last year's level at the origin; 1 without a full year. */
  lastYear(step: number, reach: number): number {
    const { spec } = this;
    const { units } = this.series;
    const origin = units.length - 1;
    const target = origin + step - spec.year;
    const around = Array.from({ length: 2 * reach + 1 }, (_, i) => at(units, target - reach + i));
    const before = Array.from({ length: spec.year_level }, (_, i) => at(units, origin - spec.year - i));
    const level = mean(before, 0);
    if (level <= 0 || around.some(Number.isNaN) || before.some(Number.isNaN)) return 1;
    return clip(mean(around, 0) / level, 0, 10);
  }
}

/** What is known of a series at its last period. */
export function originOf(spec: Spec, series: Series, above: Series, all: Series, date: string): Origin {
  const shop = new Past(spec, all, null);
  const category = new Past(spec, above, shop);
  const own = new Past(spec, series, category);
  const { level } = own;
  const [, middle = 1] = spec.windows;
  const longest = spec.windows.at(-1) ?? 1;
  const long = own.last(longest);
  const recent = own.last(middle);
  const promoted = own.last(spec.memory, series.promotion).map((value) => value > 0);
  const out = own.last(spec.memory, series.inStock).map((value) => value === 0);
  const known = (value: number) => !Number.isNaN(value);
  const first = series.units.findIndex(known);
  const share = (hit: (i: number) => boolean, values: number[]) => {
    const places = values.map((_, i) => i).filter((i) => known(values[i] as number));
    return places.filter(hit).length / Math.max(places.length, 1);
  };
  const fixed = [
    Math.log1p(level),
    ...spec.windows.map((length) => mean(long.slice(0, length), level) / level),
    ...own.levels.map((value) => value / level),
    ...own.medians().map((value) => value / level),
    category.pace(),
    own.deviation(longest) / level,
    share((i) => recent[i] === 0, recent),
    share((i) => long[i] === 0, long),
    own.newest() / level,
    Math.log1p(clip(series.units.length - first, 0, spec.year)),
    run(promoted),
    share((i) => promoted[i] as boolean, recent),
    priceRatio(own.last(longest, series.price)),
    run(out),
    share((i) => out[i] as boolean, recent),
  ];
  return { fixed, own, category, shop, date };
}

/** The features of one step after the origin, in the order of ml/forecaster/features.py `names`. */
export function featuresOf(spec: Spec, origin: Origin, step: number): number[] {
  const { own } = origin;
  const scale = own.scale(step);
  const aligned = own.aligned(step);
  const lags = aligned.slice(0, 4).map((value) => (Number.isNaN(value) ? scale : value) / scale);
  const above = (past: Past) => [
    mean(past.aligned(step), past.scale(step)) / past.scale(step),
    past.lastYear(step, spec.year_reach),
  ];
  const date = addDays(origin.date, step * STEP_DAYS[spec.granularity]);
  return [
    ...origin.fixed,
    step,
    own.factor(step),
    ...lags,
    mean(aligned, scale) / scale,
    median(aligned, scale) / scale,
    own.lastYear(step, spec.year_reach),
    own.lastYear(step, 0),
    ...above(origin.category),
    ...above(origin.shop),
    spec.granularity === 'day' ? weekdayOf(date) : 0,
  ];
}

/** Names of the features, to check a bundle against. */
export function namesOf(spec: Spec): string[] {
  return [
    'level',
    ...spec.windows.map((length) => `mean_${length}`),
    ...spec.half_lives.map((halfLife) => `level_${halfLife}`),
    ...spec.half_lives.map((halfLife) => `median_${halfLife}`),
    ...['pace', 'deviation', 'zeros', 'zeros_long', 'last', 'age', 'promotion', 'promotion_share', 'price_ratio'],
    ...['out', 'out_share', 'step', 'profile', 'lag_1', 'lag_2', 'lag_3', 'lag_4', 'aligned_mean', 'aligned_median'],
    ...['year', 'year_exact', 'category_aligned_mean', 'category_year', 'shop_aligned_mean', 'shop_year', 'weekday'],
  ];
}

const at = (values: ArrayLike<number>, index: number): number => values[index] ?? Number.NaN;

const clip = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** How many periods in a row up to the origin, place 0, have the flag. */
function run(flags: readonly boolean[]): number {
  const end = flags.indexOf(false);
  return end === -1 ? flags.length : end;
}

function mean(values: readonly number[], missing: number): number {
  let total = 0;
  let count = 0;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    total += value;
    count++;
  }
  return count > 0 ? total / count : missing;
}

function median(values: readonly number[], missing: number): number {
  const ordered = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  const low = ordered[(ordered.length - 1) >> 1];
  const high = ordered[ordered.length >> 1];
  return low === undefined || high === undefined ? missing : (low + high) / 2;
}

/** Newest price over the mean price, within 0.2..5; 1 where either is unknown. */
function priceRatio(price: readonly number[]): number {
  const average = mean(price, 0);
  const newest = price[0] ?? Number.NaN;
  return Number.isNaN(newest) || average <= 0 ? 1 : clip(newest / average, 0.2, 5);
}
