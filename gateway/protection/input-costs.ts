import {
  type FieldNode,
  type GraphQLArgument,
  type GraphQLInputType,
  getNamedType,
  isInputObjectType,
  Kind,
  type ValueNode,
  valueFromAST,
} from 'graphql';
import type { Variables } from './cost-program.ts';

/** What values that clients send cost: nothing, but for the arguments, input fields and scalars that have a `@cost`. */
export class InputCosts {
  /** @param costs by coordinate, see `weights.ts` */
  constructor(private readonly costs: ReadonlyMap<string, number>) {}

  /** Its own weight once, and within every object the weights of its fields. @param own weight of the argument or field */
  cost(value: unknown, type: GraphQLInputType, own: number | undefined): number {
    if (value === undefined || value === null) return 0;
    const named = getNamedType(type);
    let cost = own ?? this.costs.get(named.name) ?? 0;
    if (!isInputObjectType(named)) return cost;
    for (const item of Array.isArray(value) ? value.flat(Number.POSITIVE_INFINITY) : [value]) {
      for (const field of Object.values(named.getFields())) {
        cost += this.cost(item?.[field.name], field.type, this.costs.get(`${named.name}.${field.name}`));
      }
    }
    return cost;
  }

  /** Whether any value of this type can cost something. */
  weighs(type: GraphQLInputType, own: number | undefined, seen = new Set<string>()): boolean {
    const named = getNamedType(type);
    if (own !== undefined || this.costs.has(named.name)) return true;
    if (!isInputObjectType(named) || seen.has(named.name)) return false;
    seen.add(named.name);
    return Object.values(named.getFields()).some((field) =>
      this.weighs(field.type, this.costs.get(`${named.name}.${field.name}`), seen),
    );
  }
}

/** Reads an argument from its literal, coerced variable or default. */
export function argumentReader(argument: GraphQLArgument, node: FieldNode): (variables: Variables) => unknown {
  const { name, type, defaultValue } = argument;
  const given = node.arguments?.find((each) => each.name.value === name)?.value;
  if (!given) return () => defaultValue;
  if (given.kind !== Kind.VARIABLE) return (variables) => valueFromAST(given, type, variables);
  const variable = given.name.value;
  return (variables) => (variables[variable] === undefined ? defaultValue : variables[variable]);
}

export function usesVariables(node: ValueNode): boolean {
  if (node.kind === Kind.LIST) return node.values.some(usesVariables);
  if (node.kind === Kind.OBJECT) return node.fields.some((field) => usesVariables(field.value));
  return node.kind === Kind.VARIABLE;
}
