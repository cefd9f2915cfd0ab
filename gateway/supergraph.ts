import { type DirectiveNode, type DocumentNode, Kind, parse, print, type TypeDefinitionNode, visit } from 'graphql';

/**
 * What it takes to read a type or field: nothing of it is known to be public, so absence of a rule means open.
 * `anyOf` lists alternatives, each a set of scopes that must all be there; an empty list only asks for a signed-in user.
 */
export interface AccessRule {
  anyOf: readonly (readonly string[])[];
}

/** Rules by coordinate: `Product.stock` for a field, `ModelVersion` for a type and so for every field that returns it. */
export type AccessRules = ReadonlyMap<string, AccessRule>;

const ACCESS_SPECS = /^https:\/\/specs\.apollo\.dev\/(authenticated|requiresScopes|policy)\//;

/**
 * Splits a composed supergraph into what Apollo Gateway can load and the access rules, which it cannot: it refuses a
 * supergraph that declares security features it does not enforce. Enforcing them is `access.ts`.
 */
export function separateAccessRules(supergraphSdl: string): { supergraphSdl: string; rules: AccessRules } {
  const document = parse(supergraphSdl, { noLocation: true });
  const rules = new Map<string, AccessRule>();
  for (const definition of document.definitions) {
    if (!isComposite(definition)) continue;
    const typeRule = ruleOf(definition.directives);
    if (typeRule) rules.set(definition.name.value, typeRule);
    if (!('fields' in definition)) continue;
    for (const field of definition.fields ?? []) {
      const rule = ruleOf(field.directives);
      if (rule) rules.set(`${definition.name.value}.${field.name.value}`, rule);
    }
  }
  return { supergraphSdl: print(withoutAccessDirectives(document)), rules };
}

const COMPOSITES: readonly string[] = [
  Kind.OBJECT_TYPE_DEFINITION,
  Kind.INTERFACE_TYPE_DEFINITION,
  Kind.SCALAR_TYPE_DEFINITION,
  Kind.ENUM_TYPE_DEFINITION,
];
const isComposite = (node: { kind: string }): node is TypeDefinitionNode => COMPOSITES.includes(node.kind);

const isAccessDirective = (name: string) => name === 'authenticated' || name === 'requiresScopes' || name === 'policy';

function ruleOf(directives: readonly DirectiveNode[] | undefined): AccessRule | null {
  const scopes = directives?.find((directive) => directive.name.value === 'requiresScopes');
  if (scopes) {
    const argument = scopes.arguments?.find((candidate) => candidate.name.value === 'scopes')?.value;
    return { anyOf: stringLists(argument) };
  }
  return directives?.some((directive) => directive.name.value === 'authenticated') ? { anyOf: [] } : null;
}

function stringLists(node: unknown): string[][] {
  const list = node as { values: readonly { values: readonly { value: string }[] }[] };
  return list.values.map((alternative) => alternative.values.map((scope) => scope.value));
}

function withoutAccessDirectives(document: DocumentNode): DocumentNode {
  return visit(document, {
    Directive(node) {
      if (isAccessDirective(node.name.value)) return null;
      const url =
        node.name.value === 'link' && node.arguments?.find((argument) => argument.name.value === 'url')?.value;
      return url && url.kind === Kind.STRING && ACCESS_SPECS.test(url.value) ? null : undefined;
    },
    DirectiveDefinition: (node) => (isAccessDirective(node.name.value) ? null : undefined),
    ScalarTypeDefinition: (node) => (/^(requiresScopes|policy)__/.test(node.name.value) ? null : undefined),
  });
}

/** The routing URL of each subgraph, as composition wrote them into the enum join__Graph. */
export function subgraphUrls(supergraphSdl: string): Map<string, string> {
  const urls = new Map<string, string>();
  for (const definition of parse(supergraphSdl, { noLocation: true }).definitions) {
    if (definition.kind !== Kind.ENUM_TYPE_DEFINITION || definition.name.value !== 'join__Graph') continue;
    for (const value of definition.values ?? []) {
      const argument = (name: string) => {
        const node = value.directives?.[0]?.arguments?.find((candidate) => candidate.name.value === name)?.value;
        return node?.kind === Kind.STRING ? node.value : '';
      };
      urls.set(argument('name'), argument('url'));
    }
  }
  return urls;
}
