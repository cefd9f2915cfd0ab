import { type ConstDirectiveNode, type DocumentNode, Kind, type ObjectValueNode } from 'graphql';

/**
 * What a supergraph calls a directive of one of its features, by the rules of the link specification: imported, renamed, or with
 * the feature's prefix. Undefined when it does not link the feature.
 */
export function linkedName(supergraph: DocumentNode, feature: string, directive = feature): string | undefined {
  for (const definition of supergraph.definitions) {
    if (definition.kind !== Kind.SCHEMA_DEFINITION && definition.kind !== Kind.SCHEMA_EXTENSION) continue;
    const link = definition.directives?.find((node) => textOf(node, 'url').includes(`specs.apollo.dev/${feature}/`));
    if (!link) continue;
    const prefix = textOf(link, 'as') || feature;
    return importedAs(link, `@${directive}`) ?? (directive === feature ? prefix : `${prefix}__${directive}`);
  }
  return undefined;
}

function importedAs(link: ConstDirectiveNode, name: string): string | undefined {
  const list = link.arguments?.find((argument) => argument.name.value === 'import')?.value;
  for (const entry of list?.kind === Kind.LIST ? list.values : []) {
    if (entry.kind === Kind.STRING && entry.value === name) return name.slice(1);
    if (entry.kind === Kind.OBJECT && textOf(entry, 'name') === name) return (textOf(entry, 'as') || name).slice(1);
  }
  return undefined;
}

/** An argument or field that is a string; empty when it is not there. */
function textOf(node: ConstDirectiveNode | ObjectValueNode, name: string): string {
  const members = node.kind === Kind.DIRECTIVE ? node.arguments : node.fields;
  const value = members?.find((member) => member.name.value === name)?.value;
  return value?.kind === Kind.STRING ? value.value : '';
}
