import 'reflect-metadata';
import { Directive, Field, Float, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { ModelVersionReference, PageInfo } from '../kit/types.ts';

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

@ObjectType({ description: 'A page of recommendations.' })
export class RecommendationConnection {
  @Field(() => [RecommendationEdge], { description: 'The recommendations of this page.' })
  edges: RecommendationEdge[];

  @Field(() => PageInfo, { description: 'Where this page begins and ends.' })
  pageInfo: PageInfo;

  @Field(() => ModelVersionReference, {
    nullable: true,
    description:
      'The model version that ranked them. Null: the most popular products, because there is no model yet or it knows nothing of the user.',
  })
  model: ModelVersionReference | null;
}
