import 'reflect-metadata';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { printSchemaWithDirectives } from '@graphql-tools/utils';
import { type GraphQLSchema, lexicographicSortSchema, parse } from 'graphql';
import { buildSchema, createResolversMap, type NonEmptyArray, type PubSub } from 'type-graphql';

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: [
  "@key", "@shareable", "@external", "@requires", "@provides", "@override", "@inaccessible", "@tag"
  "@authenticated", "@requiresScopes", "@policy", "@cost", "@listSize"
])
`;

/** A class of resolvers or of a type. TypeGraphQL takes any class here. */
type Class = abstract new (...args: never[]) => unknown;

/** Finds the entities named by representations; called once per representation, so it should go through a DataLoader. */
export type ReferenceResolver<Context> = (reference: never, context: Context) => unknown;

export interface FederatedSchema {
  schema: GraphQLSchema;
  /** The subgraph's SDL as composition reads it, in a stable order. */
  sdl: string;
}

/** TypeGraphQL builds no subscription without one. Ours bring their own streams, by `subscribe`. */
const NO_PUB_SUB: PubSub = {
  publish: () => {},
  subscribe: () => {
    throw new Error('A @Subscription needs "subscribe", not topics.');
  },
};

/**
 * A Federation 2 subgraph schema from TypeGraphQL classes.
 * @param types every object type the subgraph owns or contributes fields to that no resolver's return type reaches
 * @param references for each entity type that others may refer to, how it is found by its key
 */
export async function buildFederatedSchema<Context>(options: {
  resolvers: readonly Class[];
  types?: readonly Class[];
  references?: Record<string, ReferenceResolver<Context>>;
}): Promise<FederatedSchema> {
  const schema = await buildSchema({
    resolvers: options.resolvers as unknown as NonEmptyArray<() => unknown>,
    orphanedTypes: (options.types ?? []) as unknown as (() => unknown)[],
    validate: false,
    pubSub: NO_PUB_SUB,
  });
  const sdl = `${LINK}\n${printSchemaWithDirectives(lexicographicSortSchema(schema))}\n`;
  const resolvers: Record<string, Record<string, unknown>> = createResolversMap(schema) as never;
  for (const [type, resolve] of Object.entries(options.references ?? {})) {
    resolvers[type] = { ...resolvers[type], __resolveReference: resolve };
  }
  return { schema: buildSubgraphSchema({ typeDefs: parse(sdl), resolvers: resolvers as never }), sdl };
}
