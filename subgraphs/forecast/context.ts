import DataLoader from 'dataloader';
import type { Ask, SalesForecast, SalesForecasts } from './sales-forecast.ts';

/** What resolvers work with, made anew for each request. */
export interface ForecastContext {
  forecasts: DataLoader<Ask, SalesForecast, string>;
}

export function createContext(forecasts: SalesForecasts): ForecastContext {
  return {
    forecasts: new DataLoader<Ask, SalesForecast, string>((asks) => forecasts.forecast(asks), {
      cacheKeyFn: (ask) => JSON.stringify(ask),
    }),
  };
}
