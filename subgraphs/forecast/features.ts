import { addDays, type GranularityName, type Series, STEP_DAYS, weekdayOf } from './series.ts';

/** Version of the definition below; a bundle made for another one is refused. */
export const FEATURES_VERSION = 1;

/** Lags and windows of one granularity, in periods; their meaning is in ml/forecaster/features.py. */
export interface Spec {
  granularity: GranularityName;
  season: number;
  windows: number[];
  level: number;
  aligned: number;
  year: number;
  year_reach: number;
  horizon: number;
  max_horizon: number;
}

/** Periods of history that the features read, counting the origin. */
export const spanOf = (spec: Spec): number => spec.year + spec.level;

/** A series with what is above it, and what of it does not depend on the step. */
export interface Origin {
  level: number;
  /** Features of the origin alone, in order. */
  fixed: number[];
  own: Past;
  category: Past;
  shop: Past;
  /** First day of the origin's period. */
  date: string;
}

/** A series as its own features and those of the series below it see it. */
class Past {
  readonly level: number;

  constructor(
    readonly spec: Spec,
    readonly series: Series,
  ) {
    this.level = levelOf(spec, this.window(Math.max(spec.level, spec.windows.at(-1) ?? 0)));
  }

  /** The last `length` values, NaN before the start. */
  window(length: number, values: ArrayLike<number> = this.series.units): number[] {
    return Array.from({ length }, (_, index) => at(values, values.length - length + index));
  }

  /** Values 1, 2, … seasons before the target, starting with the last season that the origin has seen. */
  aligned(step: number): number[] {
    const { season, aligned } = this.spec;
    const { units } = this.series;
    const last = units.length - 1 + step - season * Math.ceil(step / season);
    return Array.from({ length: aligned }, (_, index) => at(units, last - season * index));
  }

  /** Last year's units around the target over last year's level at the origin; 1 without a full year. */
  lastYear(step: number): number {
    const { spec } = this;
    const { units } = this.series;
    const origin = units.length - 1;
    const target = origin + step - spec.year;
    const around = Array.from({ length: 2 * spec.year_reach + 1 }, (_, i) => at(units, target - spec.year_reach + i));
    const before = Array.from({ length: spec.level }, (_, i) => at(units, origin - spec.year + 1 - spec.level + i));
    const level = mean(before, 0);
    if (level <= 0 || around.some(Number.isNaN) || before.some(Number.isNaN)) return 1;
    return clip(mean(around, 0) / level, 0, 10);
  }
}

/** What is known of a series at its last period. */
export function originOf(spec: Spec, series: Series, category: Series, shop: Series, date: string): Origin {
  const own = new Past(spec, series);
  const { level } = own;
  const long = own.window(spec.windows.at(-1) ?? spec.level);
  const recent = own.window(spec.level);
  const promotion = own.window(spec.level, series.promotion);
  const stock = own.window(spec.level, series.inStock);
  const known = (value: number) => !Number.isNaN(value);
  const average = mean(recent, 0);
  const ordinary = recent.map((value, i) => ((promotion[i] ?? 0) > 0 || stock[i] === 0 ? Number.NaN : value));
  const first = series.units.findIndex(known);
  const share = (hit: (i: number) => boolean, values: number[]) => {
    const places = values.map((_, i) => i).filter((i) => known(values[i] as number));
    return places.filter(hit).length / Math.max(places.length, 1);
  };
  const deviation = Math.sqrt(
    mean(
      recent.map((value) => (value - average) ** 2),
      0,
    ),
  );
  const fixed = [
    Math.log1p(level),
    ...spec.windows.map((length) => mean(long.slice(-length), level) / level),
    median(recent, level) / level,
    median(long, level) / level,
    deviation / level,
    share((i) => recent[i] === 0, recent),
    share((i) => long[i] === 0, long),
    (recent.at(-1) as number) / level,
    mean(ordinary, level) / level,
    Math.log1p(clip(series.units.length - first, 0, spec.year)),
    promotion.at(-1) as number,
    share((i) => (promotion[i] ?? 0) > 0, recent),
    priceRatio(own.window(spec.windows.at(-1) ?? spec.level, series.price)),
    stock.at(-1) as number,
    share((i) => (stock[i] ?? 0) > 0, recent),
  ];
  return { level, fixed, own, category: new Past(spec, category), shop: new Past(spec, shop), date };
}

/** The features of one step after the origin, in the order of ml/forecaster/features.py `names`. */
export function featuresOf(spec: Spec, origin: Origin, step: number): number[] {
  const { level, own } = origin;
  const aligned = own.aligned(step);
  const lags = aligned.slice(0, 4).map((value) => (Number.isNaN(value) ? level : value) / level);
  const above = (past: Past) => [mean(past.aligned(step), past.level) / past.level, past.lastYear(step)];
  const date = addDays(origin.date, step * STEP_DAYS[spec.granularity]);
  return [
    ...origin.fixed,
    step,
    ...lags,
    mean(aligned, level) / level,
    median(aligned, level) / level,
    own.lastYear(step),
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
    ...['median', 'median_long', 'deviation', 'zeros', 'zeros_long', 'last', 'base', 'age', 'promotion'],
    ...['promotion_share', 'price_ratio', 'stock', 'stock_share', 'step', 'lag_1', 'lag_2', 'lag_3', 'lag_4'],
    ...['aligned_mean', 'aligned_median', 'year', 'category_aligned_mean', 'category_year'],
    ...['shop_aligned_mean', 'shop_year', 'weekday'],
  ];
}

/** The scale of a series: its recent mean, but at least half its longer mean and one unit per that window. */
function levelOf(spec: Spec, history: number[]): number {
  const floor = Math.max(0.5 * mean(history, 0), 1 / history.length);
  return Math.max(mean(history.slice(-spec.level), 0), floor);
}

const at = (values: ArrayLike<number>, index: number): number => values[index] ?? Number.NaN;

const clip = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);

function mean(values: readonly number[], missing: number): number {
  let sum = 0;
  let count = 0;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    sum += value;
    count++;
  }
  return count > 0 ? sum / count : missing;
}

function median(values: readonly number[], missing: number): number {
  const ordered = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  const low = ordered[(ordered.length - 1) >> 1];
  const high = ordered[ordered.length >> 1];
  return low === undefined || high === undefined ? missing : (low + high) / 2;
}

/** Last price over the mean price, within 0.2..5; 1 where either is unknown. */
function priceRatio(price: readonly number[]): number {
  const average = mean(price, 0);
  const last = price.at(-1) ?? Number.NaN;
  return Number.isNaN(last) || average <= 0 ? 1 : clip(last / average, 0.2, 5);
}
