import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import type { Denies } from '../access/access.ts';

const TYPENAME: FieldNode = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } };

/**
 * The key under which a field is fetched. An alias that is also the name of a field would, in the fetched data, take the place
 * of that field where the plan needs it as a key: `{ users { id: name } }`. Such an alias gets another name until the end.
 */
export const keyOf =
  (fieldNames: ReadonlySet<string>) =>
  ({ alias, name }: FieldNode): string => {
    if (!alias) return name.value;
    const key = alias.value;
    const unsafe = key !== name.value && (fieldNames.has(key) || key.startsWith('__') || key.endsWith(RENAMED));
    return unsafe ? `${key}${RENAMED}` : key;
  };

const RENAMED = '__as';

/** The client's name for a key of the fetched data. */
export const clientKey = (key: string | number): string | number =>
  typeof key === 'string' && key.endsWith(RENAMED) ? key.slice(0, -RENAMED.length) : key;

/** What is planned for an operation: without the fields that the asker may not see, and with safe names only. */
export function plannable(
  operation: OperationDefinitionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  schema: GraphQLSchema,
  denies: Denies,
  key: (field: FieldNode) => string,
): DocumentNode {
  const composite = (type: unknown) => type as GraphQLCompositeType;

  const select = (set: SelectionSetNode, parent: GraphQLCompositeType): SelectionSetNode => {
    const selections = set.selections.flatMap((selection) => rewrite(selection, parent));
    return { kind: Kind.SELECTION_SET, selections: selections.length > 0 ? selections : [TYPENAME] };
  };
  const rewrite = (node: SelectionNode, parent: GraphQLCompositeType): SelectionNode[] => {
    if (node.kind === Kind.FIELD) return field(node, parent);
    const fragment = node.kind === Kind.INLINE_FRAGMENT ? node : fragments.get(node.name.value);
    if (!fragment) return [];
    const condition = fragment.typeCondition && composite(schema.getType(fragment.typeCondition.name.value));
    return [
      {
        kind: Kind.INLINE_FRAGMENT,
        ...(fragment.typeCondition ? { typeCondition: fragment.typeCondition } : {}),
        ...(node.directives ? { directives: node.directives } : {}),
        selectionSet: select(fragment.selectionSet, condition ?? parent),
      },
    ];
  };
  const field = (node: FieldNode, parent: GraphQLCompositeType): SelectionNode[] => {
    const name = node.name.value;
    // The schema is known here: no subgraph is asked for it.
    if (name === '__schema' || name === '__type') return [];
    // Rules stand on object types: of an abstract one, some members may be denied while the others are asked one by one.
    const members = isAbstractType(parent) ? schema.getPossibleTypes(parent) : [];
    const allowed = members.filter((member) => !denies(member.name, name));
    if (members.length > 0 ? allowed.length === 0 : denies(parent.name, name)) return [];
    const definition = 'getFields' in parent ? parent.getFields()[name] : undefined;
    const type = definition && getNamedType(definition.type);
    const named = key(node);
    const rewritten: FieldNode = {
      ...node,
      ...(named === name ? {} : { alias: { kind: Kind.NAME, value: named } }),
      ...(node.selectionSet && isCompositeType(type) ? { selectionSet: select(node.selectionSet, type) } : {}),
    };
    if (allowed.length === members.length) return [rewritten];
    return allowed.map((member) => ({
      kind: Kind.INLINE_FRAGMENT,
      typeCondition: { kind: Kind.NAMED_TYPE, name: { kind: Kind.NAME, value: member.name } },
      selectionSet: { kind: Kind.SELECTION_SET, selections: [rewritten] },
    }));
  };

  const root = schema.getRootType(operation.operation);
  if (!root) throw new Error(`The schema has no ${operation.operation} type.`);
  const used = new Set<string>();
  const selectionSet = select(operation.selectionSet, root);
  collectVariables(selectionSet, used);
  const variableDefinitions =
    operation.variableDefinitions?.filter(({ variable }) => used.has(variable.name.value)) ?? [];
  return { kind: Kind.DOCUMENT, definitions: [{ ...operation, variableDefinitions, selectionSet }] };
}

function collectVariables(node: unknown, into: Set<string>): void {
  if (Array.isArray(node)) {
    for (const item of node) collectVariables(item, into);
  } else if (typeof node === 'object' && node !== null) {
    const { kind, name } = node as { kind?: string; name?: { value: string } };
    if (kind === Kind.VARIABLE && name) into.add(name.value);
    else for (const [key, value] of Object.entries(node)) if (key !== 'loc') collectVariables(value, into);
  }
}
