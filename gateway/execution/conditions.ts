import type { SelectionNode } from 'graphql';
import type { Variables } from '../sources/source.ts';

/** `@skip` and `@include` of a selection and those above it: all variables must have the value. Empty: always. */
export type Conditions = ReadonlyMap<string, boolean>;

export const ALWAYS: Conditions = new Map();

/** The conditions with those of a selection added; null when it can never be met. */
export function conditionsOf(node: SelectionNode, above: Conditions): Conditions | null {
  let conditions = above;
  for (const directive of node.directives ?? []) {
    const name = directive.name.value;
    if (name !== 'skip' && name !== 'include') continue;
    const wanted = name === 'include';
    const value = directive.arguments?.[0]?.value;
    if (value?.kind === 'Variable') {
      const variable = value.name.value;
      const known = conditions.get(variable);
      if (known !== undefined && known !== wanted) return null;
      conditions = new Map(conditions).set(variable, wanted);
    } else if (value?.kind === 'BooleanValue' && value.value !== wanted) {
      return null;
    }
  }
  return conditions;
}

/** Compiles alternatives: whether one of them is met. Null when always. */
export function compileConditions(alternatives: readonly Conditions[]): ((variables: Variables) => boolean) | null {
  if (alternatives.some((conditions) => conditions.size === 0)) return null;
  const compiled = alternatives.map((conditions) => [...conditions]);
  return (variables) => compiled.some((all) => all.every(([name, wanted]) => (variables[name] === true) === wanted));
}
