import {
  GraphQLError,
  type GraphQLSchema,
  getVariableValues,
  Kind,
  type VariableDefinitionNode,
  valueFromASTUntyped,
} from 'graphql';
import type { Variables } from '../sources/source.ts';

/** The variables with defaults, as the schema's types read them; or what is wrong with them. */
export type Coerce = (given: Variables) => { variables: Variables } | { errors: readonly GraphQLError[] };

const MAX_ERRORS = 20;
const MAX_INT = 2 ** 31;
/** Lists and objects within each other: whatever walks the values later does so by calling itself. */
const MAX_NESTING = 100;
const TOO_NESTED = `The variables have more than ${MAX_NESTING} levels of lists and objects.`;
const NONE: Variables = {};

/** Whether a value is as the type reads it already. Anything else is left to graphql-js, which may still take or refuse it. */
const PLAIN: Record<string, (value: unknown) => boolean> = {
  Int: (value) => Number.isInteger(value) && Math.abs(value as number) < MAX_INT,
  Float: (value) => Number.isFinite(value),
  String: (value) => typeof value === 'string',
  Boolean: (value) => typeof value === 'boolean',
  ID: (value) => typeof value === 'string',
};

/** Compiles the coercion of an operation's variables. Plain scalars, the most of what is sent, are only looked at. */
export function compileCoercion(schema: GraphQLSchema, definitions: readonly VariableDefinitionNode[]): Coerce {
  if (definitions.length === 0) return () => ({ variables: NONE });
  const whole: Coerce = (given) => {
    if (isNested(given, MAX_NESTING)) return { errors: [new GraphQLError(TOO_NESTED)] };
    const { coerced, errors } = getVariableValues(schema, definitions, given, {
      maxErrors: MAX_ERRORS,
      // By sending what is nearly right one could learn the input types.
      hideSuggestions: true,
    });
    return errors ? { errors } : { variables: coerced ?? NONE };
  };
  const plain = definitions.map(plainVariable);
  if (!plain.every((variable) => variable !== null)) return whole;
  return (given) => {
    const variables: Record<string, unknown> = {};
    for (const { name, nonNull, fallback, accepts } of plain) {
      const value = given[name];
      if (value === undefined) {
        if (fallback !== undefined) variables[name] = fallback;
        else if (nonNull) return whole(given);
      } else if (value === null ? nonNull : !accepts(value)) {
        return whole(given);
      } else {
        variables[name] = value;
      }
    }
    return { variables };
  };
}

function plainVariable({ variable, type, defaultValue }: VariableDefinitionNode) {
  const nonNull = type.kind === Kind.NON_NULL_TYPE;
  const named = nonNull ? type.type : type;
  const accepts = named.kind === Kind.NAMED_TYPE ? PLAIN[named.name.value] : undefined;
  const fallback = defaultValue && valueFromASTUntyped(defaultValue);
  // A default that its type reads in another way than it is written, as 1 for an ID.
  if (!accepts || (fallback !== undefined && fallback !== null && !accepts(fallback))) return null;
  return { name: variable.name.value, nonNull, fallback, accepts };
}

function isNested(value: unknown, most: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return most < 0 || Object.values(value).some((inner) => isNested(inner, most - 1));
}
