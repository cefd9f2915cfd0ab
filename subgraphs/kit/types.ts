import { GraphQLScalarType } from 'graphql';
import { GraphQLDateTimeISO, GraphQLJSON, GraphQLLocalDate } from 'graphql-scalars';
import { Directive, Field, Float, Int, ObjectType } from 'type-graphql';

// Types that several subgraphs share, so that they are the same everywhere.

/** A calendar day as a string, `2026-11-24`. */
export const DateScalar = new GraphQLScalarType({
  ...GraphQLLocalDate.toConfig(),
  name: 'Date',
  description: 'A calendar day, for example 2026-11-24.',
  specifiedByURL: null,
  extensions: {},
});

/** An instant; resolvers return a JavaScript Date. */
export const DateTimeScalar = new GraphQLScalarType({
  ...GraphQLDateTimeISO.toConfig(),
  name: 'DateTime',
  description: 'An instant in RFC 3339, UTC, for example 2026-11-24T08:30:00.000Z.',
  specifiedByURL: null,
  extensions: {},
});

export const JsonScalar = new GraphQLScalarType({
  ...GraphQLJSON.toConfig(),
  name: 'JSON',
  description: 'Any JSON value.',
  specifiedByURL: null,
  extensions: {},
});

@ObjectType({ description: 'Where a page of a list begins and ends.' })
@Directive('@shareable')
export class PageInfo {
  @Field(() => Boolean, { description: 'Whether more items follow this page.' })
  hasNextPage: boolean;

  @Field(() => Boolean, { description: 'Whether items precede this page.' })
  hasPreviousPage: boolean;

  @Field(() => String, { nullable: true, description: 'Cursor of the first item; null on an empty page.' })
  startCursor: string | null;

  @Field(() => String, { nullable: true, description: 'Cursor of the last item, for "after" of the next page.' })
  endCursor: string | null;
}

@ObjectType({ description: 'An amount in a currency.' })
@Directive('@shareable')
export class Money {
  @Field(() => Float, { description: 'The amount in units of the currency.' })
  amount: number;

  @Field(() => String, { description: 'ISO 4217 code, for example JPY.' })
  currency: string;
}

/** What other subgraphs say of a model version; the pipeline subgraph resolves the rest. */
@ObjectType('ModelVersion')
@Directive('@key(fields: "name version", resolvable: false)')
export class ModelVersionReference {
  @Field(() => String)
  name: string;

  @Field(() => Int)
  version: number;
}
