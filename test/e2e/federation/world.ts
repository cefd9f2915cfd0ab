import { composeServices } from '@apollo/composition';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { buildASTSchema, GraphQLScalarType, type GraphQLSchema, isObjectType, parse } from 'graphql';

/** Rows and arguments of made-up data: what is in them is checked by comparing, not by the compiler. */
// biome-ignore lint/suspicious/noExplicitAny: see above
export type Row = Record<string, any>;
export type Resolver = (parent: Row, args: Row) => unknown;
export type Resolvers = Record<string, Record<string, Resolver> | GraphQLScalarType>;

/** A schema with what answers it; fields without a resolver are read from their row. */
export interface Part {
  sdl: string;
  resolvers?: Resolvers;
}

/** The same data twice: spread over subgraphs, and in one schema. */
export interface World {
  subgraphs: Record<string, Part>;
  monolith: Part;
}

const DIRECTIVES = 'key requires provides external shareable override inaccessible interfaceObject extends tag';
const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: [${DIRECTIVES.split(' ')
  .map((name) => `"@${name}"`)
  .join(', ')}])\n`;

/** The SDL with Federation 2 linked; leave it out for a subgraph of Federation 1. */
export const fed2 = (sdl: string): string => LINK + sdl;

export const subgraphSchemas = (world: World): Map<string, GraphQLSchema> =>
  new Map(
    Object.entries(world.subgraphs).map(([name, { sdl, resolvers }]) => [
      name,
      buildSubgraphSchema({ typeDefs: parse(sdl), resolvers: (resolvers ?? {}) as never }),
    ]),
  );

export function compose(world: World): string {
  const { supergraphSdl, errors } = composeServices(
    Object.entries(world.subgraphs).map(([name, { sdl }]) => ({
      name,
      url: `http://${name}.invalid`,
      typeDefs: parse(sdl),
    })),
  );
  if (!supergraphSdl)
    throw new Error(`The subgraphs do not compose: ${errors?.map(({ message }) => message).join('; ')}`);
  return supergraphSdl;
}

export function monolithSchema({ sdl, resolvers = {} }: Part): GraphQLSchema {
  const schema = buildASTSchema(parse(sdl));
  for (const [name, own] of Object.entries(resolvers)) {
    const type = schema.getType(name);
    if (own instanceof GraphQLScalarType) {
      const { serialize, parseValue, parseLiteral } = own;
      Object.assign(type ?? {}, { serialize, parseValue, parseLiteral });
      continue;
    }
    for (const [field, resolve] of Object.entries(own)) {
      const definition = isObjectType(type) && type.getFields()[field];
      if (!definition) throw new Error(`The monolith has no field "${name}.${field}".`);
      definition.resolve = resolve;
    }
  }
  return schema;
}

export const by = (rows: readonly Row[], key: string, value: unknown): Row | null =>
  rows.find((row) => row[key] === value) ?? null;
/** Resolves references by one field. */
export const reference = (rows: readonly Row[], key = 'id') => ({
  __resolveReference: (ref: Row): Row | null => by(rows, key, ref[key]),
});
