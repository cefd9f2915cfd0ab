import 'reflect-metadata';
import { Directive, Field, Float, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { DateTimeScalar, Money, PageInfo } from '../kit/types.ts';
import type { FilterInput } from './filter.ts';
import type { EventType } from './model.ts';

export enum ProductSort {
  RELEVANCE = 'RELEVANCE',
  PRICE_ASC = 'PRICE_ASC',
  PRICE_DESC = 'PRICE_DESC',
  NEWEST = 'NEWEST',
  NAME = 'NAME',
}
registerEnumType(ProductSort, {
  name: 'ProductSort',
  description: 'Orders of a list of products. Equal products are in a fixed order, so pages never overlap.',
  valuesConfig: {
    RELEVANCE: {
      description: 'What matters most. Nothing was searched for in a plain list, so this is the newest first.',
    },
    PRICE_ASC: { description: 'The cheapest first.' },
    PRICE_DESC: { description: 'The most expensive first.' },
    NEWEST: { description: 'The newest in the shop first.' },
    NAME: { description: 'By name, capitals and small letters alike.' },
  },
});

export enum EventTypeEnum {
  VIEW = 'VIEW',
  ADD_TO_CART = 'ADD_TO_CART',
  PURCHASE = 'PURCHASE',
}
registerEnumType(EventTypeEnum, {
  name: 'EventType',
  description: 'What a shopper did with a product.',
  valuesConfig: {
    VIEW: { description: 'Looked at its page.' },
    ADD_TO_CART: { description: 'Put it into the cart.' },
    PURCHASE: { description: 'Bought it.' },
  },
});

@ObjectType({ description: 'A property of a product.' })
export class ProductAttribute {
  @Field(() => String, { description: 'What it is about, for example "steel".' })
  name: string;

  @Field(() => String, { description: 'Its value, for example "scarlet crimson ore".' })
  value: string;
}

@ObjectType({ description: 'Something the shop sells.' })
@Directive('@key(fields: "id")')
export class Product {
  @Field(() => ID, { description: 'Never changes.' })
  id: string;

  @Field(() => String, { description: 'Stock keeping unit: the code the shop keeps it under.' })
  sku: string;

  @Field(() => String, { description: 'The name shoppers see.' })
  name: string;

  @Field(() => String, { description: 'Text for its page; may be empty.' })
  description: string;

  @Field(() => Money, { description: 'What one piece costs.' })
  price: Money;

  @Field(() => [ProductAttribute], { description: 'Its properties, by name: steel, length, breathing style, …' })
  attributes: ProductAttribute[];

  @Field(() => Boolean, { description: 'Whether it can be bought now.' })
  inStock: boolean;

  @Field(() => Int, { nullable: true, description: 'Pieces in stock, for admins. Null when stock is not counted.' })
  @Directive('@requiresScopes(scopes: [["admin"]])')
  stock: number | null;

  @Field(() => String, { nullable: true, description: 'Address of its picture.' })
  imageUrl: string | null;
}

@ObjectType({ description: 'A shelf of the shop. Categories form trees.' })
@Directive('@key(fields: "id")')
export class Category {
  @Field(() => ID, { description: 'Never changes.' })
  id: string;

  @Field(() => String, { description: 'The name shoppers see.' })
  name: string;
}

@ObjectType({ description: 'A person with an account.' })
@Directive('@key(fields: "id")')
export class User {
  @Field(() => ID, { description: "The subject of the person's access tokens." })
  id: string;
}

@ObjectType({ description: 'A product in a list.' })
export class ProductEdge {
  @Field(() => Product, { description: 'The product.' })
  node: Product;

  @Field(() => String, { description: 'Where it is in the list, for "after".' })
  cursor: string;
}

@ObjectType({ description: 'A page of a list of products.' })
export class ProductConnection {
  @Field(() => [ProductEdge], { description: 'The products of this page.' })
  edges: ProductEdge[];

  @Field(() => PageInfo, { description: 'Where this page begins and ends.' })
  pageInfo: PageInfo;

  /** Asks the database, so it runs only when the total is selected. */
  count: () => Promise<number>;
}

@InputType({ description: 'A property that a product must have, exactly as written.' })
export class AttributeFilter {
  @Field(() => String, { description: 'Name of the attribute.' })
  name: string;

  @Field(() => String, { description: 'Value it must have.' })
  value: string;
}

@InputType({ description: 'Which products a list has: those that meet all of it.' })
export class ProductFilter implements FilterInput {
  @Field(() => ID, { nullable: true, description: 'In this category or in one below it.' })
  categoryId?: string | null;

  @Field(() => Float, { nullable: true, description: 'Costs this much or more.' })
  minPrice?: number | null;

  @Field(() => Float, { nullable: true, description: 'Costs this much or less.' })
  maxPrice?: number | null;

  @Field(() => Boolean, { nullable: true, description: 'Can be bought now (true) or is sold out (false).' })
  inStock?: boolean | null;

  @Field(() => [AttributeFilter], {
    nullable: true,
    description: 'Has all these attributes; several values of one name are alternatives. At most 20.',
  })
  attributes?: AttributeFilter[] | null;
}

@InputType({ description: 'A property of a product.' })
export class ProductAttributeInput {
  @Field(() => String, { description: 'What it is about; once per product, at most 100 characters.' })
  name: string;

  @Field(() => String, { description: 'Its value, at most 1000 characters.' })
  value: string;
}

@InputType({ description: 'A product to create, or to replace as a whole.' })
export class ProductInput {
  @Field(() => ID, { nullable: true, description: 'None: the product with this SKU, or a new one.' })
  id?: string | null;

  @Field(() => String, { description: 'Stock keeping unit; no other product has it. At most 200 characters.' })
  sku: string;

  @Field(() => String, { description: 'The name shoppers see, at most 500 characters.' })
  name: string;

  @Field(() => String, { description: 'Text for its page, at most 20,000 characters.' })
  description: string;

  @Field(() => Float, { description: 'What one piece costs, 0 or more.' })
  price: number;

  @Field(() => String, { description: 'ISO 4217 code of the price, for example JPY.' })
  currency: string;

  @Field(() => ID, { description: 'An existing category.' })
  categoryId: string;

  @Field(() => [ProductAttributeInput], { nullable: true, description: 'Its properties, at most 100.' })
  attributes?: ProductAttributeInput[] | null;

  @Field(() => Int, { description: 'Pieces in stock, 0 or more.' })
  stock: number;

  @Field(() => String, { nullable: true, description: 'http or https address of its picture.' })
  imageUrl?: string | null;
}

@ObjectType({ description: 'What became of the products.' })
export class UpsertProductsPayload {
  @Field(() => [Product], { description: 'The products as they are now, in the order they were given.' })
  @Directive('@listSize(assumedSize: 500)')
  products: Product[];
}

@InputType({ description: 'Something a shopper did.' })
export class EventInput {
  @Field(() => ID, {
    description:
      "The client's id of the event, 1 to 100 characters, best a UUID. The same id again, of the same user (or of any visitor), counts as the same event.",
  })
  clientEventId: string;

  @Field(() => ID, {
    nullable: true,
    description: 'Whose event it is. None: of who is signed in, or of a visitor. Only an admin can name another user.',
  })
  userId?: string | null;

  @Field(() => ID, { description: 'The product.' })
  productId: string;

  @Field(() => EventTypeEnum, { description: 'What was done.' })
  type: EventType;

  @Field(() => Int, { nullable: true, description: 'How many pieces, 1 (when not given) to 10,000.' })
  quantity?: number | null;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'When; now when not given. Not in the future, and not more than 365 days ago.',
  })
  occurredAt?: Date | null;
}

@ObjectType({ description: 'How many events were new. All of a call are recorded, or none.' })
export class TrackEventsPayload {
  @Field(() => Int, { description: 'Events recorded by this call.' })
  accepted: number;

  @Field(() => Int, { description: 'Events that had been recorded before, or are in this call twice.' })
  duplicates: number;
}
