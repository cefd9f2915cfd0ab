import { MapperKind, mapSchema } from '@graphql-tools/utils';
import { type GraphQLInputType, type GraphQLOutputType, GraphQLSchema, getNamedType } from 'graphql';
import type { Denies } from './access.ts';

/** The schema as somebody may see it who is denied some fields and types: for introspection, not for running anything. */
export function visibleSchema(schema: GraphQLSchema, denies: Denies): GraphQLSchema {
  const visible = mapSchema(schema, {
    [MapperKind.COMPOSITE_FIELD]: (_, name, type) => (denies(type, name) ? null : undefined),
  });
  // An interface may be left with fields that one of its types lacks: nothing is run on it, so nobody needs them to agree.
  return new GraphQLSchema({ ...visible.toConfig(), types: reachable(visible), assumeValid: true });
}

/** Types that are still returned, taken or implemented somewhere; the others are not to be seen either. */
function reachable(schema: GraphQLSchema) {
  const types = new Set<string>();
  const visit = (name: string): void => {
    const type = schema.getType(name);
    if (!type || types.has(name)) return;
    types.add(name);
    if ('getTypes' in type) for (const member of type.getTypes()) visit(member.name);
    if ('getInterfaces' in type) for (const parent of type.getInterfaces()) visit(parent.name);
    if (!('getFields' in type)) return;
    for (const field of Object.values(type.getFields())) {
      visit(getNamedType(field.type as GraphQLOutputType).name);
      if ('args' in field)
        for (const argument of field.args) visit(getNamedType(argument.type as GraphQLInputType).name);
    }
  };
  for (const root of [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]) {
    if (root) visit(root.name);
  }
  // A type that only its interface leads to is reachable too.
  for (const type of Object.values(schema.getTypeMap())) {
    if ('getInterfaces' in type && type.getInterfaces().some(({ name }) => types.has(name))) visit(type.name);
  }
  return Object.values(schema.getTypeMap()).filter(({ name }) => types.has(name));
}
