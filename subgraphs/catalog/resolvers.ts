import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import {
  Arg,
  Ctx,
  Directive,
  FieldResolver,
  ID,
  Int,
  Mutation,
  Query,
  Resolver,
  Root,
  UseMiddleware,
} from 'type-graphql';
import { page, pageSize } from '../kit/connection.ts';
import { badInput, HashiraError } from '../kit/errors.ts';
import type { CatalogContext } from './context.ts';
import { toDrafts } from './draft.ts';
import { refuseUnknownProducts, toTrackedEvents } from './events.ts';
import { toFilter } from './filter.ts';
import * as model from './model.ts';
import { fromCursor, type Order, type Position, toCursor } from './order.ts';
import { MAX_LISTED } from './retriever.ts';
import {
  Category,
  EventInput,
  Product,
  ProductConnection,
  ProductFilter,
  ProductInput,
  ProductSort,
  TrackEventsPayload,
  UpsertProductsPayload,
  User,
} from './schema.ts';
import type { PlacedProduct } from './store.ts';
import { storableArguments } from './text.ts';

const FIRST = 'How many products, 1 to 100; 20 when not given.';
const AFTER = 'The cursor of a product of the same list: the page goes on after it.';
const LIST = '@listSize(assumedSize: 20, slicingArguments: ["first"], requireOneSlicingArgument: false)';
const CONNECTION =
  '@listSize(assumedSize: 20, slicingArguments: ["first"], requireOneSlicingArgument: false, sizedFields: ["edges"])';

type Connection = Pick<ProductConnection, 'pageInfo' | 'count'> & { edges: { node: model.Product; cursor: string }[] };

/** A page of products in an order; one more than asked for is fetched, to know whether more follow. */
async function connection(
  order: Order,
  first: number | null | undefined,
  after: string | null | undefined,
  fetch: (after: Position | null, limit: number) => Promise<PlacedProduct[]>,
  count: () => Promise<number>,
): Promise<Connection> {
  const size = pageSize(first);
  const rows = await fetch(fromCursor(order, after), size + 1);
  const { edges, pageInfo } = page(rows, size, after, (row) => toCursor(order, row.position));
  return { edges: edges.map(({ node, cursor }) => ({ node: node.product, cursor })), pageInfo, count };
}

@Resolver()
@UseMiddleware(storableArguments)
export class CatalogResolver {
  @Query(() => User, { nullable: true, description: 'Who is signed in; null for a visitor.' })
  me(@Ctx() { identity }: CatalogContext): User | null {
    return identity && { id: identity.subject };
  }

  @Query(() => User, { nullable: true, description: 'A user by id; null when there is none. For support and admins.' })
  @Directive('@requiresScopes(scopes: [["support"], ["admin"]])')
  async user(
    @Arg('id', () => ID, { description: "The user's id." }) id: string,
    @Ctx() { userNames }: CatalogContext,
  ): Promise<User | null> {
    return (await userNames.load(id)) === null ? null : { id };
  }

  @Query(() => Product, { nullable: true, description: 'A product by id; null when there is none.' })
  product(
    @Arg('id', () => ID, { description: "The product's id." }) id: string,
    @Ctx() { products }: CatalogContext,
  ): Promise<model.Product | null> {
    return products.load(id);
  }

  @Query(() => ProductConnection, { description: 'The catalogue, filtered and sorted.' })
  @Directive(CONNECTION)
  products(
    @Arg('first', () => Int, { nullable: true, description: FIRST }) first: number | null,
    @Arg('after', () => String, { nullable: true, description: AFTER }) after: string | null,
    @Arg('filter', () => ProductFilter, { nullable: true, description: 'Which products.' })
    input: ProductFilter | null,
    @Arg('sort', () => ProductSort, { nullable: true, description: 'In which order; RELEVANCE when not given.' })
    sort: ProductSort | null,
    @Ctx() { store }: CatalogContext,
  ): Promise<Connection> {
    const filter = toFilter(input);
    const order = !sort || sort === ProductSort.RELEVANCE ? 'NEWEST' : sort;
    return connection(
      order,
      first,
      after,
      (position, limit) => store.products({ filter, order, after: position, limit }),
      () => store.countProducts(filter),
    );
  }

  @Query(() => ProductConnection, {
    description:
      'Products that have all words of a query, and such as mean nearly the same, best first. The last word may be only begun. ' +
      '"A phrase", or, and -not work; then words alone decide. ' +
      `Where the shop has an index of meanings, a search lists at most ${MAX_LISTED} products.`,
  })
  @Directive(CONNECTION)
  async search(
    @Arg('query', () => String, { description: 'What the shopper typed, at most 500 characters.' }) query: string,
    @Arg('first', () => Int, { nullable: true, description: FIRST }) first: number | null,
    @Arg('after', () => String, { nullable: true, description: AFTER }) after: string | null,
    @Arg('filter', () => ProductFilter, { nullable: true, description: 'Which products are searched.' })
    input: ProductFilter | null,
    @Ctx() { store, retriever, request }: CatalogContext,
  ): Promise<Connection> {
    const found = await retriever.search(store, query, toFilter(input), { after, signal: request.signal });
    return connection(found.order, first, after, found.page, found.count);
  }

  @Query(() => [Category], { description: 'All categories, by name.' })
  @Directive('@listSize(assumedSize: 50)')
  categories(@Ctx() { store }: CatalogContext): Promise<model.Category[]> {
    return store.categories();
  }

  @Mutation(() => TrackEventsPayload, {
    description:
      'Records what shoppers did, at most 500 events per call: all of them or, when one is wrong, none. Safe to repeat: an event counts once.',
  })
  async trackEvents(
    @Arg('events', () => [EventInput], { description: 'The events, in any order.' }) inputs: EventInput[],
    @Ctx() { store, identity }: CatalogContext,
  ): Promise<TrackEventsPayload> {
    const events = toTrackedEvents(inputs, identity);
    const { accepted, unknown } = await store.track(events);
    refuseUnknownProducts(unknown);
    return { accepted, duplicates: events.length - accepted };
  }

  @Mutation(() => UpsertProductsPayload, {
    description:
      'Creates products or replaces them as a whole, at most 500 per call: all of them or none. They win over loaded data. For admins.',
  })
  @Directive('@requiresScopes(scopes: [["admin"]])')
  async upsertProducts(
    @Arg('products', () => [ProductInput], { description: 'The products; no SKU and no id twice.' })
    inputs: ProductInput[],
    @Ctx() { store, products }: CatalogContext,
  ): Promise<{ products: model.Product[] }> {
    const drafts = toDrafts(inputs);
    const done = await store.upsert(drafts, randomUUID);
    if ('problem' in done) {
      throw done.problem === 'SKU_TAKEN'
        ? new HashiraError('CONFLICT', `Product "${done.sku}": another product has this SKU.`)
        : badInput(`Product "${done.sku}": "categoryId" is not a category.`, 'products');
    }
    for (const id of done.ids) products.clear(id);
    const now = await products.loadMany(done.ids);
    const failed = now.find((product) => product instanceof Error);
    if (failed) throw failed;
    return { products: now.filter((product): product is model.Product => product !== null) };
  }
}

@Resolver(() => Product)
export class ProductResolver {
  @FieldResolver(() => Category, { description: 'The shelf it is on.' })
  category(@Root() product: model.Product, @Ctx() { categories }: CatalogContext): Promise<model.Category | null> {
    return categories.load(product.categoryId);
  }
}

@Resolver(() => Category)
export class CategoryResolver {
  @FieldResolver(() => Category, { nullable: true, description: 'The category above; null at the top.' })
  async parent(
    @Root() { parentId }: model.Category,
    @Ctx() { categories }: CatalogContext,
  ): Promise<model.Category | null> {
    return parentId === null ? null : categories.load(parentId);
  }

  @FieldResolver(() => ProductConnection, { description: 'Products in it and in the categories below, newest first.' })
  @Directive(CONNECTION)
  products(
    @Root() { id }: model.Category,
    @Arg('first', () => Int, { nullable: true, description: FIRST }) first: number | null,
    @Arg('after', () => String, { nullable: true, description: AFTER }) after: string | null,
    @Ctx() { productsOf, productCounts }: CatalogContext,
  ): Promise<Connection> {
    return connection(
      'NEWEST',
      first,
      after,
      (position, limit) => productsOf(position, limit).load(id),
      () => productCounts.load(id),
    );
  }
}

@Resolver(() => User)
export class UserResolver {
  @FieldResolver(() => String, { description: 'The name to show; the id when the shop knows no name.' })
  async name(@Root() { id }: User, @Ctx() { userNames }: CatalogContext): Promise<string> {
    return (await userNames.load(id)) ?? id;
  }

  @FieldResolver(() => [Product], {
    description: 'Products this user has looked at since tracking began, latest first.',
  })
  @Directive(LIST)
  async recentlyViewed(
    @Root() { id }: User,
    @Arg('first', () => Int, { nullable: true, description: FIRST }) first: number | null,
    @Ctx() { recentlyViewed }: CatalogContext,
  ): Promise<model.Product[]> {
    return recentlyViewed(pageSize(first)).load(id);
  }
}

@Resolver(() => ProductConnection)
export class ProductConnectionResolver {
  @FieldResolver(() => Int, { description: 'How many products the whole list has.' })
  totalCount(@Root() connection: Connection): Promise<number> {
    return connection.count();
  }
}
