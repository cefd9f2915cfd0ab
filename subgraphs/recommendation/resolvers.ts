import 'reflect-metadata';
import { Arg, Ctx, Directive, FieldResolver, ID, Int, Query, Resolver, Root } from 'type-graphql';
import { decodeCursor, page, pageSize } from '../kit/connection.ts';
import { badInput } from '../kit/errors.ts';
import type { RecommendationContext } from './context.ts';
import type * as domain from './recommender.ts';
import {
  ModelTraffic,
  ModelVersion,
  Product,
  Recommendation,
  RecommendationConnection,
  RecommendationReason,
  User,
} from './schema.ts';

const FIRST = 'How many products, 1 to 100; 20 when not given.';
const CATEGORY = 'Only products of this category and those below it. One that does not exist has none.';
const LIST = '@listSize(assumedSize: 20, slicingArguments: ["first"], requireOneSlicingArgument: false)';
const CONNECTION =
  '@listSize(assumedSize: 20, slicingArguments: ["first"], requireOneSlicingArgument: false, sizedFields: ["edges"])';
/** The registered model whose versions answer here. */
export const MODEL = 'recommender';
// Deeper than any list of candidates; what popularity fills beyond is not worth a page.
const DEEPEST_RANK = 10_000;

const toRecommendation = ({ productId, reason, ...rest }: domain.Recommendation): Recommendation => ({
  ...rest,
  product: { id: productId },
  reason: RecommendationReason[reason],
});

/** @throws HashiraError BAD_USER_INPUT for text that no stored id can equal */
function categoryArgument(id: string | null | undefined): string | null {
  if (id === null || id === undefined) return null;
  if (id.includes('\0') || !id.isWellFormed())
    throw badInput('"categoryId" has a NUL character or half of a surrogate pair in it.', 'categoryId');
  return id;
}

function isPosition(value: unknown): value is domain.Position {
  const { rank, productId, through } = (value ?? {}) as Record<string, unknown>;
  const isCount = (number: unknown) => Number.isSafeInteger(number) && (number as number) >= 0;
  return isCount(rank) && (rank as number) <= DEEPEST_RANK && typeof productId === 'string' && isCount(through);
}

@Resolver()
export class PopularResolver {
  @Query(() => [Recommendation], {
    description:
      'What most people look at and buy, lately above all, of what is in stock. For visitors; the same for everybody.',
  })
  @Directive(LIST)
  async popular(
    @Arg('first', () => Int, { nullable: true, description: FIRST }) first: number | null,
    @Arg('categoryId', () => ID, { nullable: true, description: CATEGORY }) categoryId: string | null,
    @Ctx() { popular }: RecommendationContext,
  ): Promise<Recommendation[]> {
    const list = await popular.load({ categoryId: categoryArgument(categoryId), limit: pageSize(first) });
    return list.map(toRecommendation);
  }
}

@Resolver(() => User)
export class UserResolver {
  @FieldResolver(() => RecommendationConnection, {
    description:
      'Products in stock that this user may like, best first. Never what the user has already looked at, put into the cart or bought: `recentlyViewed` shows that. The list ends where the model sees no reason to go on; later pages go on in the order of the first.',
  })
  @Directive(CONNECTION)
  async recommendations(
    @Root() { id }: User,
    @Arg('first', () => Int, { nullable: true, description: FIRST }) first: number | null,
    @Arg('after', () => String, {
      nullable: true,
      description: 'The cursor of a product of the same list: the page goes on after it.',
    })
    after: string | null,
    @Arg('categoryId', () => ID, { nullable: true, description: CATEGORY }) categoryId: string | null,
    @Ctx() { recommendations, shown }: RecommendationContext,
  ): Promise<RecommendationConnection> {
    const size = pageSize(first);
    const { items, through, model } = await recommendations.load({
      userId: id,
      categoryId: categoryArgument(categoryId),
      after: decodeCursor(after, isPosition),
      limit: size + 1,
    });
    const { edges, pageInfo } = page(items, size, after, ({ rank, productId }): domain.Position => {
      return { rank, productId, through };
    });
    if (model) {
      const productIds = edges.map(({ node }) => node.productId);
      shown({ userId: id, version: model.version, productIds, at: new Date() });
    }
    return { edges: edges.map(({ node, cursor }) => ({ node: toRecommendation(node), cursor })), pageInfo, model };
  }
}

@Resolver(() => Product)
export class ProductResolver {
  @FieldResolver(() => [Recommendation], {
    description:
      'Products in stock like this one, the nearest first: liked by the same people and, in part, of like attributes. Of a product too new for the model, the most popular ones of its category.',
  })
  @Directive(LIST)
  async similar(
    @Root() { id }: Product,
    @Arg('first', () => Int, { nullable: true, description: FIRST }) first: number | null,
    @Ctx() { similar }: RecommendationContext,
  ): Promise<Recommendation[]> {
    return (await similar.load({ productId: id, limit: pageSize(first) })).map(toRecommendation);
  }
}

@Resolver(() => ModelVersion)
export class ModelVersionResolver {
  @FieldResolver(() => ModelTraffic, {
    nullable: true,
    description:
      'What it has recommended lately, and what came of it. Null for models that recommend nothing, and where this is not counted.',
  })
  @Directive('@requiresScopes(scopes: [["admin"], ["analyst"]])')
  async traffic(
    @Root() { name, version }: ModelVersion,
    @Ctx() { traffic, trafficDays }: RecommendationContext,
  ): Promise<ModelTraffic | null> {
    if (name !== MODEL || version === 0 || trafficDays === 0) return null;
    return { days: trafficDays, ...(await traffic.load(version)) };
  }
}
