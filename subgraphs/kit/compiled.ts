import {
  type DocumentNode,
  type ExecutionResult,
  execute,
  type GraphQLInputObjectType,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isInputObjectType,
  isInputType,
  isScalarType,
  isSpecifiedScalarType,
  Kind,
  TypeInfo,
  typeFromAST,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { compileQuery, isCompiledQuery } from 'graphql-jit';

/** An operation ready to run. @param root the event of a subscription's source; undefined otherwise */
export type RunOperation = (
  root: unknown,
  context: object,
  variables: Readonly<Record<string, unknown>>,
) => ExecutionResult | Promise<ExecutionResult>;

/**
 * Compiles an operation of a valid document by graphql-jit; or leaves it to graphql-js, where that would not end or be wrong.
 * @throws Error when the document is not one of the schema
 */
export function compileOperation(
  schema: GraphQLSchema,
  document: DocumentNode,
  name: string | undefined,
): RunOperation {
  if (hasRecursiveVariable(schema, document) || hasVariableInScalar(schema, document)) {
    return (rootValue, contextValue, variableValues) =>
      execute({ schema, document, operationName: name, rootValue, contextValue, variableValues });
  }
  const compiled = compileQuery(schema, document, name);
  if (!isCompiledQuery(compiled)) {
    throw new AggregateError(compiled.errors ?? [], compiled.errors?.map(({ message }) => message).join('; '));
  }
  return (root, context, variables) => compiled.query(root, context, variables);
}

/** graphql-jit writes out the whole type of a variable: an input type that contains itself has no end. */
function hasRecursiveVariable(schema: GraphQLSchema, document: DocumentNode): boolean {
  return document.definitions.some(
    (node) =>
      node.kind === Kind.OPERATION_DEFINITION &&
      node.variableDefinitions?.some((definition) => {
        const type = typeFromAST(schema, definition.type as never);
        const named = isInputType(type) && getNamedType(type);
        return isInputObjectType(named) && isRecursive(named, new Set());
      }),
  );
}

/** graphql-jit takes a variable inside a literal of a custom scalar, `json: { a: $a }`, for null. */
function hasVariableInScalar(schema: GraphQLSchema, document: DocumentNode): boolean {
  let found = false;
  const typeInfo = new TypeInfo(schema);
  visit(
    document,
    visitWithTypeInfo(typeInfo, {
      Argument({ value }) {
        const type = typeInfo.getInputType();
        const nested = value.kind === Kind.LIST || value.kind === Kind.OBJECT;
        if (nested && type && reachesScalar(getNamedType(type), new Set())) {
          visit(value, {
            Variable() {
              found = true;
            },
          });
        }
      },
    }),
  );
  return found;
}

/** Whether a value of the type can hold one of a custom scalar. */
function reachesScalar(type: GraphQLNamedType, seen: Set<GraphQLNamedType>): boolean {
  if (seen.has(type)) return false;
  seen.add(type);
  if (isScalarType(type)) return !isSpecifiedScalarType(type);
  return (
    isInputObjectType(type) &&
    Object.values(type.getFields()).some((field) => reachesScalar(getNamedType(field.type), seen))
  );
}

function isRecursive(type: GraphQLInputObjectType, above: ReadonlySet<GraphQLInputObjectType>): boolean {
  if (above.has(type)) return true;
  const within = new Set(above).add(type);
  return Object.values(type.getFields()).some((field) => {
    const named = getNamedType(field.type);
    return isInputObjectType(named) && isRecursive(named, within);
  });
}
