import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { featuresOf, namesOf, type Origin, originOf, spanOf } from './features.ts';
import { Forecaster } from './forecaster.ts';
import { addDays, type GranularityName, type Series, SHOP, STEP_DAYS } from './series.ts';

const GOLDEN = path.join(import.meta.dirname, '../../ml/forecaster/golden');

interface Golden {
  start: string;
  series: {
    kind: 'product' | 'category' | 'shop';
    id: string;
    category: number;
    units: (number | null)[];
    price: (number | null)[];
    promotion: number[];
    inStock: number[];
  }[];
  rows: {
    series: number;
    step: number;
    scale: number;
    features: number[];
    units: number;
    lower: number;
    upper: number;
  }[];
}
const golden: Record<GranularityName, Golden> = {
  day: JSON.parse(readFileSync(path.join(GOLDEN, 'daily.json'), 'utf8')),
  week: JSON.parse(readFileSync(path.join(GOLDEN, 'weekly.json'), 'utf8')),
};

let forecaster: Forecaster;
beforeAll(async () => {
  forecaster = await Forecaster.load(path.join(GOLDEN, 'bundle'));
});
afterAll(() => forecaster?.dispose());

/** The golden series as serving reads them: the newest periods only. */
function origins(granularity: GranularityName): Origin[] {
  const spec = forecaster.spec(granularity);
  if (!spec) throw new Error('no such granularity');
  const { start, series } = golden[granularity];
  const span = spanOf(spec);
  const newest = (values: (number | null)[]) => {
    const known = values.slice(-span).map((value) => value ?? Number.NaN);
    return [...Array.from({ length: span - known.length }, () => Number.NaN), ...known];
  };
  const all = series.map((one): Series => {
    const missing = Math.max(span - one.units.length, 0);
    return {
      units: Float64Array.from(newest(one.units)),
      price: Float64Array.from(newest(one.price)),
      promotion: Uint8Array.from([...Array(missing).fill(0), ...one.promotion.slice(-span)]),
      inStock: Uint8Array.from([...Array(missing).fill(1), ...one.inStock.slice(-span)]),
      parent: SHOP,
    };
  });
  const periods = series[0]?.units.length ?? 0;
  const last = addDays(start, (periods - 1) * STEP_DAYS[granularity]);
  const shop = all.at(-1) as Series;
  return all.map((own, index) => originOf(spec, own, all[series[index]?.category ?? 0] as Series, shop, last));
}

describe.each(['day', 'week'] as const)('the golden %s model that training wrote', (granularity) => {
  it('gets the same features here', () => {
    const spec = forecaster.spec(granularity);
    if (!spec) throw new Error('no such granularity');
    const all = origins(granularity);
    const names = namesOf(spec);
    for (const row of golden[granularity].rows) {
      const origin = all[row.series] as Origin;
      const features = featuresOf(spec, origin, row.step);
      expect(features).toHaveLength(row.features.length);
      expect(origin.own.scale(row.step)).toBeCloseTo(row.scale, 9);
      const wrong = features.flatMap((value, i) => {
        const expected = row.features[i] as number;
        const same = Math.abs(value - expected) <= 1e-5 * Math.max(1, Math.abs(expected));
        return same ? [] : [`series ${row.series} step ${row.step} ${names[i]}: ${value}, not ${expected}`];
      });
      expect(wrong).toEqual([]);
    }
  });

  it('forecasts the same here, all series in one run', async () => {
    const most = Math.max(...golden[granularity].rows.map(({ step }) => step));
    const lists = await forecaster.forecast(
      granularity,
      origins(granularity).map((origin, index) => ({
        kind: golden[granularity].series[index]?.kind ?? 'shop',
        origin,
        horizon: most,
      })),
    );
    for (const row of golden[granularity].rows) {
      const point = lists[row.series]?.[row.step - 1];
      for (const what of ['units', 'lower', 'upper'] as const) {
        const difference = Math.abs((point?.[what] ?? Number.NaN) - row[what]);
        expect(difference, `${what} of series ${row.series} step ${row.step}`).toBeLessThan(
          1e-3 * Math.max(1, row[what]),
        );
      }
    }
    for (const { lower, units, upper } of lists.flat()) {
      expect(lower).toBeGreaterThanOrEqual(0);
      expect(units).toBeGreaterThanOrEqual(lower);
      expect(upper).toBeGreaterThanOrEqual(units);
    }
  });
});
