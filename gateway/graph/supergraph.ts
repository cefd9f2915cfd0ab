import { type ConstDirectiveNode, type DocumentNode, Kind, type TypeDefinitionNode } from 'graphql';
import { linkedName } from './linked-name.ts';

/**
 * What it takes to read a type or field; absence of a rule means open. Of each list of alternatives one must hold whole, all of
 * its scopes or policies; an empty list asks for none. Whatever the rule, it asks for a signed-in user.
 */
export interface AccessRule {
  scopes: readonly (readonly string[])[];
  policies: readonly (readonly string[])[];
}

/** Rules by coordinate: `Product.stock` for a field, `ModelVersion` for a type and so for every field that returns it. */
export type AccessRules = ReadonlyMap<string, AccessRule>;

/** The rules that `@authenticated`, `@requiresScopes` and `@policy` state in a composed supergraph. */
export function accessRules(supergraph: DocumentNode): AccessRules {
  const rules = new Map<string, AccessRule>();
  // A subgraph that imports them by no name, or another one, has them so in the supergraph.
  const names = {
    authenticated: linkedName(supergraph, 'authenticated') ?? 'authenticated',
    scopes: linkedName(supergraph, 'requiresScopes') ?? 'requiresScopes',
    policies: linkedName(supergraph, 'policy') ?? 'policy',
  };
  for (const definition of supergraph.definitions) {
    if (!isRuled(definition)) continue;
    const rule = ruleOf(definition.directives, names);
    if (rule) rules.set(definition.name.value, rule);
    if (!('fields' in definition)) continue;
    for (const field of definition.fields ?? []) {
      const fieldRule = ruleOf(field.directives, names);
      if (fieldRule) rules.set(`${definition.name.value}.${field.name.value}`, fieldRule);
    }
  }
  return rules;
}

const RULED: readonly string[] = [
  Kind.OBJECT_TYPE_DEFINITION,
  Kind.INTERFACE_TYPE_DEFINITION,
  Kind.SCALAR_TYPE_DEFINITION,
  Kind.ENUM_TYPE_DEFINITION,
];
const isRuled = (node: { kind: string }): node is TypeDefinitionNode => RULED.includes(node.kind);

function ruleOf(
  directives: readonly ConstDirectiveNode[] | undefined,
  names: { authenticated: string; scopes: string; policies: string },
): AccessRule | null {
  const scopes = alternatives(directives, names.scopes, 'scopes');
  const policies = alternatives(directives, names.policies, 'policies');
  const authenticated = directives?.some((directive) => directive.name.value === names.authenticated);
  return scopes || policies || authenticated ? { scopes: scopes ?? [], policies: policies ?? [] } : null;
}

function alternatives(
  directives: readonly ConstDirectiveNode[] | undefined,
  directive: string,
  argument: string,
): string[][] | null {
  const node = directives?.find(({ name }) => name.value === directive);
  const value = node?.arguments?.find(({ name }) => name.value === argument)?.value;
  if (value?.kind !== Kind.LIST) return null;
  return value.values.map((list) =>
    list.kind === Kind.LIST ? list.values.map((item) => (item.kind === Kind.STRING ? item.value : '')) : [],
  );
}

/** A subgraph as composition wrote it into the enum join__Graph. */
export interface SubgraphEntry {
  name: string;
  url: string;
  /** The enum value that stands for it elsewhere in the supergraph. */
  graph: string;
}

export function subgraphEntries(supergraph: DocumentNode): SubgraphEntry[] {
  const entries: SubgraphEntry[] = [];
  for (const definition of supergraph.definitions) {
    if (definition.kind !== Kind.ENUM_TYPE_DEFINITION || definition.name.value !== 'join__Graph') continue;
    for (const value of definition.values ?? []) {
      const text = (name: string) => {
        const node = value.directives?.[0]?.arguments?.find((candidate) => candidate.name.value === name)?.value;
        return node?.kind === Kind.STRING ? node.value : '';
      };
      entries.push({ name: text('name'), url: text('url'), graph: value.name.value });
    }
  }
  return entries;
}

/** Coordinates of the fields that carry a tag. */
export function taggedFields(supergraph: DocumentNode, tag: string): ReadonlySet<string> {
  const tagged = new Set<string>();
  for (const definition of supergraph.definitions) {
    if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION) continue;
    for (const field of definition.fields ?? []) {
      const carries = field.directives?.some(({ name, arguments: given }) => {
        const value = given?.[0]?.value;
        return name.value === 'tag' && value?.kind === Kind.STRING && value.value === tag;
      });
      if (carries) tagged.add(`${definition.name.value}.${field.name.value}`);
    }
  }
  return tagged;
}

/** Whether some subgraph knows an interface as if it were an object. */
export function hasInterfaceObjects(supergraph: DocumentNode): boolean {
  return supergraph.definitions.some(
    (definition) =>
      definition.kind === Kind.INTERFACE_TYPE_DEFINITION &&
      definition.directives?.some((directive) => joins(directive, 'isInterfaceObject', true)),
  );
}

/** Whether the directive says so of a type in one subgraph. */
function joins(directive: ConstDirectiveNode, argument: string, is: boolean): boolean {
  const value = directive.arguments?.find(({ name }) => name.value === argument)?.value;
  return directive.name.value === 'join__type' && value?.kind === Kind.BOOLEAN && value.value === is;
}

/**
 * The supergraph with the keys of each type in another order: those first by which a subgraph can be asked. When the planner goes
 * back to a subgraph for a field that requires others, it takes the first key it knows the fields of.
 */
export function resolvableKeysFirst(supergraph: DocumentNode): DocumentNode {
  const isUnresolvable = (directive: ConstDirectiveNode) => joins(directive, 'resolvable', false);
  return {
    ...supergraph,
    definitions: supergraph.definitions.map((definition) => {
      if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION && definition.kind !== Kind.INTERFACE_TYPE_DEFINITION) {
        return definition;
      }
      const directives = definition.directives ?? [];
      const later = directives.filter(isUnresolvable);
      return { ...definition, directives: [...directives.filter((node) => !later.includes(node)), ...later] };
    }),
  };
}

/**
 * The supergraph with the directives that subgraphs offer to clients as plain definitions. Composition writes those that belong to a
 * feature of their own as linked, and what is linked is left out of the API.
 */
export function withClientDirectives(supergraph: DocumentNode): DocumentNode {
  const forClients = new Set(
    supergraph.definitions.flatMap((node) =>
      node.kind === Kind.DIRECTIVE_DEFINITION && node.locations.every(({ value }) => EXECUTABLE.has(value))
        ? [`@${node.name.value}`]
        : [],
    ),
  );
  const isForClients = ({ arguments: given }: ConstDirectiveNode) => {
    const imported = given?.find(({ name }) => name.value === 'import')?.value;
    const names = imported?.kind === Kind.LIST ? imported.values : [];
    return names.length > 0 && names.every((name) => name.kind === Kind.STRING && forClients.has(name.value));
  };
  return {
    ...supergraph,
    definitions: supergraph.definitions.map((node) =>
      node.kind === Kind.SCHEMA_DEFINITION
        ? { ...node, directives: node.directives?.filter((link) => !isForClients(link)) ?? [] }
        : node,
    ),
  };
}

const EXECUTABLE: ReadonlySet<string> = new Set([
  ...['QUERY', 'MUTATION', 'SUBSCRIPTION', 'FIELD', 'FRAGMENT_DEFINITION', 'FRAGMENT_SPREAD', 'INLINE_FRAGMENT'],
  'VARIABLE_DEFINITION',
]);
