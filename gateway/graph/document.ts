import {
  type DirectiveNode,
  type DocumentNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  visit,
} from 'graphql';
import { badInput } from '../../subgraphs/kit/errors.ts';
import type { Variables } from '../sources/source.ts';

/** The operation of a document that a request means. @throws HashiraError BAD_USER_INPUT when the name picks none, or no one */
export function pick(document: DocumentNode, name: string | undefined): OperationDefinitionNode {
  const operations = document.definitions.filter((node) => node.kind === Kind.OPERATION_DEFINITION);
  const [first] = operations;
  if (name === undefined || name === '') {
    if (operations.length > 1) throw badInput('The document has several operations: say which by operationName.');
    if (!first) throw badInput('The document has no operation.');
    return first;
  }
  const named = operations.find((node) => node.name?.value === name);
  if (!named) throw badInput(`The document has no operation named "${name.slice(0, 100)}".`);
  return named;
}

export const fragmentsOf = (document: DocumentNode): ReadonlyMap<string, FragmentDefinitionNode> =>
  new Map(
    document.definitions.flatMap((node) =>
      node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node] as const] : [],
    ),
  );

/** Names of the variables in `@defer(if:)`; null for a document that defers nothing. */
export function deferVariables(document: DocumentNode): string[] | null {
  let defers = false;
  const names = new Set<string>();
  visit(document, {
    Directive(node) {
      if (node.name.value !== 'defer') return;
      defers = true;
      const condition = node.arguments?.find(({ name }) => name.value === 'if')?.value;
      if (condition?.kind === Kind.VARIABLE) names.add(condition.name.value);
    },
  });
  return defers ? [...names] : null;
}

/** Variables in `@skip` and `@include`. */
export function conditionVariables(document: DocumentNode): string[] {
  const names = new Set<string>();
  visit(document, {
    Directive(node) {
      const value = node.arguments?.[0]?.value;
      const isCondition = node.name.value === 'skip' || node.name.value === 'include';
      if (isCondition && value?.kind === Kind.VARIABLE) names.add(value.name.value);
    },
  });
  return [...names];
}

/** Whether a `@defer` is to be heeded, by its `if`. */
export function isActive(defer: DirectiveNode, variables: Variables): boolean {
  const condition = defer.arguments?.find(({ name }) => name.value === 'if')?.value;
  if (condition?.kind === Kind.VARIABLE) return variables[condition.name.value] !== false;
  return condition?.kind !== Kind.BOOLEAN || condition.value;
}

/** Every key that an answer may have. */
export function responseKeys(document: DocumentNode): Set<string> {
  const keys = new Set<string>();
  visit(document, { Field: ({ alias, name }) => void keys.add((alias ?? name).value) });
  return keys;
}

/** Whether a document asks for the schema itself. */
export function asksSchema(document: DocumentNode): boolean {
  let asks = false;
  visit(document, {
    Field({ name }) {
      asks ||= name.value === '__schema' || name.value === '__type';
    },
  });
  return asks;
}
