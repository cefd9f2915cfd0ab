import { badInput, HashiraError } from '../kit/errors.ts';
import type { ProductionModel } from '../kit/production-model.ts';
import { originOf, spanOf } from './features.ts';
import type { Forecaster, Point } from './forecaster.ts';
import { addDays, type GranularityName, nameOf, type SeriesKey, STEP_DAYS } from './series.ts';
import type { ForecastStore, Histories } from './store.ts';

/** Horizons in periods: when none is asked for, and the longest. */
export const HORIZONS: Record<GranularityName, { usual: number; most: number }> = {
  day: { usual: 28, most: 56 },
  week: { usual: 8, most: 26 },
};
/** Periods of history shown per period forecast; never more than the features read (`spanOf`). */
const HISTORY_PER_HORIZON = 8;

/** What is asked; null: what is usual. */
export interface Ask {
  key: SeriesKey;
  horizon: number | null;
  granularity: GranularityName | null;
}

export interface SalesForecast {
  scope: string;
  granularity: GranularityName;
  /** Oldest first; the forecast begins with the period after the last. */
  history: { date: string; units: number }[];
  points: ({ date: string } & Point)[];
  model: { name: string; version: number };
}

type Answer = SalesForecast | HashiraError;

/** Forecasts of sales by the model in production. */
export class SalesForecasts {
  constructor(
    private readonly store: ForecastStore,
    private readonly models: Pick<ProductionModel<Forecaster>, 'current' | 'use'>,
  ) {}

  /** Answers in the order of the asks: at most three statements, and one run of the model per granularity. */
  async forecast(asks: readonly Ask[]): Promise<Answer[]> {
    const loaded = await this.store.granularity();
    const checked = asks.map((ask) => this.check(ask, loaded));
    const answers: Answer[] = checked.map((result) => (result instanceof HashiraError ? result : noSales(result.key)));
    for (const granularity of ['day', 'week'] as const) {
      const places = checked.flatMap((result, place) =>
        !(result instanceof HashiraError) && result.granularity === granularity ? [{ ...result, place }] : [],
      );
      if (places.length === 0) continue;
      const results = await this.run(granularity, places);
      places.forEach(({ place }, index) => {
        answers[place] = results[index] ?? (answers[place] as Answer);
      });
    }
    return answers;
  }

  /** The ask with all that was left open, or why it cannot be answered. */
  private check(ask: Ask, loaded: GranularityName | null): NonNullableAsk | HashiraError {
    const granularity = ask.granularity ?? loaded ?? 'day';
    const { usual, most } = HORIZONS[granularity];
    const horizon = ask.horizon ?? usual;
    if (horizon < 1 || horizon > most)
      return badInput(`"horizon" must be between 1 and ${most} ${granularity}s, not ${horizon}.`, 'horizon');
    const model = this.models.current();
    if (!model) return new HashiraError('MODEL_NOT_READY', 'There is no forecasting model in production yet.');
    if (granularity === 'day' && loaded === 'week')
      return new HashiraError('GRANULARITY_UNAVAILABLE', 'The sales are known by week only.');
    if (!model.model.spec(granularity)) {
      // Weeks may be too few to learn from; but a model without the data's own periods was made of other data.
      return granularity === loaded
        ? new HashiraError('MODEL_NOT_READY', 'The model in production was made before the sales were replaced.')
        : new HashiraError('GRANULARITY_UNAVAILABLE', `The model in production does not forecast by ${granularity}.`);
    }
    return { key: ask.key, horizon, granularity };
  }

  private run(granularity: GranularityName, asks: readonly NonNullableAsk[]): Promise<(SalesForecast | null)[]> {
    return this.models.use(async (model, { name, version }) => {
      const spec = model.spec(granularity);
      const keys = asks.map(({ key }) => key);
      const found = spec && (await this.store.histories(granularity, keys, spanOf(spec)));
      if (!spec || !found) return asks.map(() => null);
      const shop = found.series.get('shop');
      const known = asks.map(({ key, horizon }) => {
        const series = found.series.get(nameOf(key));
        const category = series && (found.series.get(nameOf(series.parent)) ?? shop);
        if (!series || !category || !shop) return null;
        return { series, horizon, key, kind: key.kind, origin: originOf(spec, series, category, shop, found.last) };
      });
      const points = await model.forecast(
        granularity,
        known.filter((ask) => ask !== null),
      );
      return known.map((ask) => ask && describe(granularity, ask, points.shift() ?? [], found, { name, version }));
    });
  }
}

/** True also of a product that the shop has and never sold. */
const noSales = ({ kind, id }: SeriesKey): HashiraError =>
  new HashiraError(
    'NOT_FOUND',
    kind === 'shop' ? 'There are no sales yet.' : `No sales are known of a ${kind} with the id "${id.slice(0, 100)}".`,
  );

type NonNullableAsk = { key: SeriesKey; horizon: number; granularity: GranularityName };

function describe(
  granularity: GranularityName,
  { key, horizon, series }: { key: SeriesKey; horizon: number; series: { units: Float64Array } },
  points: readonly Point[],
  { last }: Histories,
  model: SalesForecast['model'],
): SalesForecast {
  const step = STEP_DAYS[granularity];
  const shown = [...series.units.slice(-HISTORY_PER_HORIZON * horizon)];
  return {
    scope: nameOf(key),
    granularity,
    history: shown
      .map((units, index) => ({ date: addDays(last, (index + 1 - shown.length) * step), units }))
      .filter(({ units }) => !Number.isNaN(units)),
    points: points.map((point, index) => ({ date: addDays(last, (index + 1) * step), ...point })),
    model,
  };
}
