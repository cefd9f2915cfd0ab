import 'reflect-metadata';
import { Directive, Field, Float, ID, ObjectType, registerEnumType } from 'type-graphql';
import { DateScalar, ModelVersionReference } from '../kit/types.ts';

export enum Granularity {
  DAY = 'DAY',
  WEEK = 'WEEK',
}
registerEnumType(Granularity, {
  name: 'Granularity',
  description: 'Length of the periods that sales are counted and forecast by.',
  valuesConfig: { DAY: { description: 'By day.' }, WEEK: { description: 'By week.' } },
});

@ObjectType({ description: 'Sales of one period that is over.' })
export class SalesPoint {
  @Field(() => DateScalar, { description: 'First day of the period.' })
  date: string;

  @Field(() => Float, { description: 'Units sold.' })
  units: number;
}

@ObjectType({ description: 'Sales expected in one period to come.' })
export class ForecastPoint {
  @Field(() => DateScalar, { description: 'First day of the period.' })
  date: string;

  @Field(() => Float, {
    description:
      'Units expected: of a product the middle of what is likely, so that it sells more as often as less; of a category or the shop the sum of its sales.',
  })
  units: number;

  @Field(() => Float, { description: 'Lower end of the central 80 % interval: sales are below it one time in ten.' })
  lower: number;

  @Field(() => Float, { description: 'Upper end of the central 80 % interval: sales are above it one time in ten.' })
  upper: number;
}

@ObjectType({ description: 'What was sold and what is expected to be, for a product, a category or the whole shop.' })
export class SalesForecast {
  @Field(() => String, { description: 'What it is about: "shop", "product:<id>" or "category:<id>".' })
  scope: string;

  @Field(() => Granularity, { description: 'Length of the periods.' })
  granularity: Granularity;

  @Field(() => [SalesPoint], {
    description:
      'Sales before the forecast, oldest first: eight periods for each one forecast, at most 392 days or 65 weeks, as far as they are known.',
  })
  // Eight periods for each one forecast, whose number gives the size of both lists.
  @Directive('@cost(weight: 8)')
  history: SalesPoint[];

  @Field(() => [ForecastPoint], { description: 'The forecast, beginning with the period after the history.' })
  points: ForecastPoint[];

  @Field(() => ModelVersionReference, { description: 'The model version that made it.' })
  model: ModelVersionReference;
}

@ObjectType({ description: 'Something the shop sells.' })
@Directive('@key(fields: "id")')
export class Product {
  @Field(() => ID, { description: 'Never changes.' })
  id: string;
}

@ObjectType({ description: 'A shelf of the shop. Categories form trees.' })
@Directive('@key(fields: "id")')
export class Category {
  @Field(() => ID, { description: 'Never changes.' })
  id: string;
}
