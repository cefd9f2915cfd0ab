import {
  GraphQLError,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  isInterfaceType,
  isObjectType,
} from 'graphql';

type Reference = Record<string, unknown> & { __typename: string };
type EntityType = GraphQLObjectType | GraphQLInterfaceType;
type ResolveReference = (reference: unknown, context: unknown, info: GraphQLResolveInfo) => unknown;

/**
 * `Query._entities` as @apollo/subgraph resolves it, but at once where a reference resolver answers at once: theirs makes two promises
 * for every entity, which in one process costs more than most resolvers.
 */
export function resolveEntitiesAtOnce(schema: GraphQLSchema): void {
  const field = schema.getQueryType()?.getFields()._entities;
  if (!field) return;
  field.resolve = (_, { representations }: { representations: readonly Reference[] }, context, info) =>
    representations.map((reference) => {
      // One that cannot be found costs its own place in the list, not the list.
      try {
        return entity(schema, reference, context, info);
      } catch (error) {
        return error;
      }
    });
}

function entity(schema: GraphQLSchema, reference: Reference, context: unknown, info: GraphQLResolveInfo): unknown {
  const type = schema.getType(reference.__typename);
  if (!isObjectType(type) && !isInterfaceType(type)) {
    throw new GraphQLError(`The type "${reference.__typename}" is no entity of this subgraph.`);
  }
  const resolve = referenceResolver(type);
  const found = resolve ? resolve(reference, context, info) : reference;
  return isPromise(found)
    ? found.then((late) => typed(type, late, resolve, context, info))
    : typed(type, found, resolve, context, info);
}

/** The entity with the name of its type, which the union of all entities is told apart by. */
function typed(
  type: EntityType,
  found: unknown,
  resolve: ResolveReference | undefined,
  context: unknown,
  info: GraphQLResolveInfo,
): unknown {
  if (typeof found !== 'object' || found === null || found instanceof Error) return found;
  if (isObjectType(type)) return named(found as Reference, type.name);
  const name = type.resolveType?.(found, context, info, type) ?? (found as Reference).__typename;
  return isPromise(name)
    ? name.then((late) => ofInterface(type, found, late, resolve, context, info))
    : ofInterface(type, found, name, resolve, context, info);
}

/** The entity of an interface. Where that has no reference resolver, the one of the object's own type is asked. */
function ofInterface(
  type: GraphQLInterfaceType,
  found: object,
  name: unknown,
  resolve: ResolveReference | undefined,
  context: unknown,
  info: GraphQLResolveInfo,
): unknown {
  const object = typeof name === 'string' ? info.schema.getType(name) : undefined;
  if (!isObjectType(object) || !info.schema.isSubType(type, object)) {
    throw new GraphQLError(
      `The reference resolver of "${type.name}" found an object of the type "${name}", which is none.`,
    );
  }
  const own = resolve ? undefined : referenceResolver(object);
  const again = own ? own(named(found as Reference, object.name), context, info) : found;
  return isPromise(again)
    ? again.then((late) => typed(object, late, own, context, info))
    : typed(object, again, own, context, info);
}

function named(found: Reference, name: string): object {
  if (found.__typename === name) return found;
  if ('__typename' in found || !Object.isExtensible(found)) return { ...found, __typename: name };
  // Not enumerable: it is no field of the object, which may be remembered elsewhere.
  Object.defineProperty(found, '__typename', { value: name, configurable: true });
  return found;
}

function referenceResolver(type: EntityType): ResolveReference | undefined {
  const { apollo } = type.extensions as { apollo?: { subgraph?: { resolveReference?: ResolveReference } } };
  return apollo?.subgraph?.resolveReference;
}

const isPromise = (value: unknown): value is Promise<unknown> =>
  typeof (value as Promise<unknown> | null)?.then === 'function';
