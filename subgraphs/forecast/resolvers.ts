import 'reflect-metadata';
import { Arg, Ctx, Directive, FieldResolver, ID, Int, Query, Resolver, Root } from 'type-graphql';
import { badInput, HashiraError } from '../kit/errors.ts';
import type { ForecastContext } from './context.ts';
import type * as domain from './sales-forecast.ts';
import { Category, Granularity, Product, SalesForecast } from './schema.ts';
import { type SeriesKey, SHOP } from './series.ts';

const HORIZON = 'How many periods ahead: 1 to 56 days or 26 weeks; 28 days or 8 weeks when not given.';
const GRANULARITY = 'By day or by week; when not given, by day where sales are known by day.';
const ANALYSTS = '@requiresScopes(scopes: [["analyst"], ["admin"]])';
const PERIODS =
  '@listSize(assumedSize: 28, slicingArguments: ["horizon"], requireOneSlicingArgument: false, sizedFields: ["history", "points"])';

const toSchema = ({ granularity, ...rest }: domain.SalesForecast): SalesForecast => ({
  ...rest,
  granularity: granularity === 'day' ? Granularity.DAY : Granularity.WEEK,
});

const toAsk = (key: SeriesKey, horizon: number | null, granularity: Granularity | null): domain.Ask => ({
  key,
  horizon,
  granularity: granularity && (granularity === Granularity.DAY ? 'day' : 'week'),
});

/** Null where there is nothing to forecast or to forecast with: a field of a product list must not cost the list. */
async function orNull(forecast: Promise<domain.SalesForecast>): Promise<SalesForecast | null> {
  try {
    return toSchema(await forecast);
  } catch (error) {
    if (error instanceof HashiraError && (error.code === 'NOT_FOUND' || error.code === 'MODEL_NOT_READY')) return null;
    throw error;
  }
}

@Resolver()
export class ForecastResolver {
  @Query(() => SalesForecast, {
    description: 'Sales of a product, of a category with those below it, or, with neither, of the whole shop.',
  })
  @Directive(ANALYSTS)
  @Directive(PERIODS)
  async salesForecast(
    @Arg('productId', () => ID, { nullable: true, description: 'A product.' }) productId: string | null,
    @Arg('categoryId', () => ID, { nullable: true, description: 'A category.' }) categoryId: string | null,
    @Arg('horizon', () => Int, { nullable: true, description: HORIZON }) horizon: number | null,
    @Arg('granularity', () => Granularity, { nullable: true, description: GRANULARITY })
    granularity: Granularity | null,
    @Ctx() { forecasts }: ForecastContext,
  ): Promise<SalesForecast> {
    const ids = { productId: productId ?? null, categoryId: categoryId ?? null };
    if (ids.productId !== null && ids.categoryId !== null)
      throw badInput('Give "productId" or "categoryId", not both.', 'categoryId');
    for (const [argument, id] of Object.entries(ids)) {
      if (id !== null && (id.includes('\0') || !id.isWellFormed()))
        throw badInput(`"${argument}" has a NUL character or half of a surrogate pair in it.`, argument);
    }
    const key: SeriesKey =
      ids.productId !== null
        ? { kind: 'product', id: ids.productId }
        : ids.categoryId !== null
          ? { kind: 'category', id: ids.categoryId }
          : SHOP;
    return toSchema(await forecasts.load(toAsk(key, horizon ?? null, granularity ?? null)));
  }
}

@Resolver(() => Product)
export class ProductResolver {
  @FieldResolver(() => SalesForecast, {
    nullable: true,
    description: 'Its sales; null when it has none yet, or no model is in production.',
  })
  @Directive(ANALYSTS)
  @Directive(PERIODS)
  forecast(
    @Root() { id }: Product,
    @Arg('horizon', () => Int, { nullable: true, description: HORIZON }) horizon: number | null,
    @Arg('granularity', () => Granularity, { nullable: true, description: GRANULARITY })
    granularity: Granularity | null,
    @Ctx() { forecasts }: ForecastContext,
  ): Promise<SalesForecast | null> {
    return orNull(forecasts.load(toAsk({ kind: 'product', id }, horizon ?? null, granularity ?? null)));
  }
}

@Resolver(() => Category)
export class CategoryResolver {
  @FieldResolver(() => SalesForecast, {
    nullable: true,
    description: 'Sales of it and those below it; null when there are none yet, or no model is in production.',
  })
  @Directive(ANALYSTS)
  @Directive(PERIODS)
  forecast(
    @Root() { id }: Category,
    @Arg('horizon', () => Int, { nullable: true, description: HORIZON }) horizon: number | null,
    @Arg('granularity', () => Granularity, { nullable: true, description: GRANULARITY })
    granularity: Granularity | null,
    @Ctx() { forecasts }: ForecastContext,
  ): Promise<SalesForecast | null> {
    return orNull(forecasts.load(toAsk({ kind: 'category', id }, horizon ?? null, granularity ?? null)));
  }
}
