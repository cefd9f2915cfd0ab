import 'reflect-metadata';
import { Directive, Field, Float, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { PageInfo } from '../kit/types.ts';

export enum RecommendationReason {
  PERSONAL = 'PERSONAL',
  SIMILAR_TO_VIEWED = 'SIMILAR_TO_VIEWED',
  BOUGHT_TOGETHER = 'BOUGHT_TOGETHER',
  POPULAR = 'POPULAR',
}
registerEnumType(RecommendationReason, {
  name: 'RecommendationReason',
  description: 'Why a product is shown: the first of these facts that holds, from BOUGHT_TOGETHER to POPULAR.',
  valuesConfig: {
    BOUGHT_TOGETHER: {
      description:
        'It is one of the products bought most often by those who bought something this user (or: the product) has bought.',
    },
    SIMILAR_TO_VIEWED: {
      description:
        'It is one of the products most similar to something the user has looked at or bought, or to the product.',
    },
    PERSONAL: { description: 'The whole of what the user has done speaks for it.' },
    POPULAR: { description: 'Many others chose it; nothing of this user speaks for it.' },
  },
});

@ObjectType({ description: 'Something the shop sells.' })
@Directive('@key(fields: "id")')
export class Product {
  @Field(() => ID)
  id: string;
}

@ObjectType({ description: 'A person with an account.' })
@Directive('@key(fields: "id")')
export class User {
  @Field(() => ID)
  id: string;
}

@ObjectType({ description: 'A product to show.' })
export class Recommendation {
  @Field(() => Product, { description: 'The product.' })
  product: Product;

  @Field(() => Float, { description: 'The higher the better. Comparable within one list only; may be negative.' })
  score: number;

  @Field(() => Int, { description: 'Its place in the whole list, from 1.' })
  rank: number;

  @Field(() => RecommendationReason, { description: 'Why it is shown.' })
  reason: RecommendationReason;
}

@ObjectType({ description: 'A recommendation in a list.' })
export class RecommendationEdge {
  @Field(() => Recommendation, { description: 'The recommendation.' })
  node: Recommendation;

  @Field(() => String, { description: 'Where it is in the list, for "after".' })
  cursor: string;
}

@ObjectType({ description: 'What a version of the recommender has recommended lately, and what came of it.' })
export class ModelTraffic {
  @Field(() => Int, { description: 'The last days that are counted.' })
  days: number;

  @Field(() => Int, { description: 'Users to whom it has recommended something.' })
  users: number;

  @Field(() => Int, { description: 'Products that it has recommended, each once per user.' })
  recommended: number;

  @Field(() => Int, {
    description: 'Of these, those that the user looked at afterwards, before another version showed them.',
  })
  clicks: number;

  @Field(() => Int, { description: 'Likewise, those that the user bought.' })
  purchases: number;
}

@ObjectType('ModelVersion', { description: 'A trained model in the registry.' })
@Directive('@key(fields: "name version")')
export class ModelVersion {
  @Field(() => String)
  name: string;

  @Field(() => Int)
  version: number;
}

@ObjectType({ description: 'A page of recommendations.' })
export class RecommendationConnection {
  @Field(() => [RecommendationEdge], { description: 'The recommendations of this page.' })
  edges: RecommendationEdge[];

  @Field(() => PageInfo, { description: 'Where this page begins and ends.' })
  pageInfo: PageInfo;

  @Field(() => ModelVersion, {
    nullable: true,
    description:
      'The model version that ranked them. Null: the most popular products, because there is no model yet or it knows nothing of the user.',
  })
  model: ModelVersion | null;
}
