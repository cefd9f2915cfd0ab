import {
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type FragmentSpreadNode,
  type GraphQLCompositeType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  type InlineFragmentNode,
  isAbstractType,
  isCompositeType,
  isListType,
  isNonNullType,
  Kind,
  type NamedTypeNode,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import { HashiraError } from '../../subgraphs/kit/errors.ts';
import type { Denies } from '../access/access.ts';
import { ALWAYS, type Conditions, compileConditions, conditionsOf } from '../execution/conditions.ts';
import { EVERY } from '../execution/path.ts';
import type { Variables } from '../sources/source.ts';

const TYPENAME: FieldNode = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } };

/**
 * The key under which a field is fetched. An alias that is also the name of a field would, in the fetched data, take the place
 * of that field where the plan needs it as a key: `{ users { id: name } }`. Such an alias gets another name until the end; so does
 * one that every object has something under, `toString`.
 */
export const keyOf =
  (fieldNames: ReadonlySet<string>) =>
  ({ alias, name }: FieldNode): string => {
    if (!alias) return name.value;
    const key = alias.value;
    const taken = fieldNames.has(key) || key in Object.prototype || key.startsWith('__') || key.endsWith(RENAMED);
    const unsafe = taken && key !== name.value;
    return unsafe ? `${key}${RENAMED}` : key;
  };

const RENAMED = '__as';

/** The client's name for a key of the fetched data. */
export const clientKey = (key: string | number): string | number =>
  typeof key === 'string' && key.endsWith(RENAMED) ? key.slice(0, -RENAMED.length) : key;

/** A fragment that is answered later. */
export interface DeferredFragment {
  /** As the plan calls it. */
  label: string;
  /** As the client does. */
  clientLabel: string | undefined;
  node: SelectionNode;
  type: GraphQLCompositeType;
  set: SelectionSetNode;
  /** Keys and, for lists, `@` that lead to the objects it is of. */
  path: readonly string[];
  conditions: Conditions;
}

export interface PlannableOptions {
  fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  schema: GraphQLSchema;
  denies: Denies;
  key(field: FieldNode): string;
  /** Variables by which `@skip` and `@include` are decided beforehand; null: they are left to the plan. */
  decided: Variables | null;
  /** Whether some subgraph knows an interface as if it were an object. */
  interfaceObjects: boolean;
  /** Whether the client wants a fragment later, given its `@defer`. */
  defers(directive: DirectiveNode): boolean;
}

/** What is planned for an operation: without the fields that the asker may not see, and with safe names only. */
export function plannable(
  operation: OperationDefinitionNode,
  options: PlannableOptions,
): { document: DocumentNode; deferred: DeferredFragment[] } {
  const root = options.schema.getRootType(operation.operation);
  if (!root) throw new Error(`The schema has no ${operation.operation} type.`);
  const rewriter = new Rewriter(options);
  const selectionSet = rewriter.select(operation.selectionSet, { type: root, path: [], conditions: ALWAYS });
  const used = new Set<string>();
  collectVariables(selectionSet, used);
  const variableDefinitions =
    operation.variableDefinitions?.filter(({ variable }) => used.has(variable.name.value)) ?? [];
  const definition: OperationDefinitionNode = { ...operation, variableDefinitions, selectionSet };
  return { document: { kind: Kind.DOCUMENT, definitions: [definition] }, deferred: rewriter.deferred };
}

/** Of what is asked of each type for itself there is one copy per type, and as many within each of them. */
const MOST_COPIES = 1_000;

/** Where a selection is. */
interface Parent {
  type: GraphQLCompositeType;
  path: readonly string[];
  conditions: Conditions;
}

class Rewriter {
  readonly deferred: DeferredFragment[] = [];
  /** How often something in a selection is asked of one type of several, written out. */
  private readonly copies = new WeakMap<SelectionSetNode, number>();

  constructor(private readonly options: PlannableOptions) {}

  select(set: SelectionSetNode, parent: Parent): SelectionSetNode {
    let copies = 0;
    const selections = set.selections
      .flatMap((node) => this.decide(node))
      .flatMap((node) => {
        const made = node.kind === Kind.FIELD ? this.field(node, parent) : this.fragment(node, parent);
        for (const one of made) copies += this.copiesIn(one) + (made.length > 1 ? 1 : 0);
        return made;
      });
    if (copies > MOST_COPIES) {
      throw new HashiraError('QUERY_TOO_LARGE', 'The query asks for too many types within each other. Ask for less.');
    }
    const selected = { kind: Kind.SELECTION_SET as const, selections: selections.length > 0 ? selections : [TYPENAME] };
    this.copies.set(selected, copies);
    return selected;
  }

  private copiesIn(node: SelectionNode): number {
    if (!('selectionSet' in node) || !node.selectionSet) return 0;
    const known = this.copies.get(node.selectionSet);
    return known ?? node.selectionSet.selections.reduce((sum, inner) => sum + this.copiesIn(inner), 0);
  }

  /** The selection with only those conditions that are still open; nothing, where one cannot be met. */
  private decide(node: SelectionNode): SelectionNode[] {
    const isCondition = ({ name }: DirectiveNode) => name.value === 'skip' || name.value === 'include';
    if (!node.directives?.some(isCondition)) return [node];
    const { decided } = this.options;
    const conditions = conditionsOf(node, ALWAYS);
    if (!conditions || (decided && compileConditions([conditions])?.(decided) === false)) return [];
    const isOpen = (directive: DirectiveNode) =>
      !isCondition(directive) || (!decided && directive.arguments?.[0]?.value.kind === Kind.VARIABLE);
    return [{ ...node, directives: node.directives.filter(isOpen) }];
  }

  private fragment(node: InlineFragmentNode | FragmentSpreadNode, parent: Parent): SelectionNode[] {
    const { fragments, schema } = this.options;
    const fragment = node.kind === Kind.INLINE_FRAGMENT ? node : fragments.get(node.name.value);
    const conditions = conditionsOf(node, parent.conditions);
    if (!fragment || !conditions) return [];
    const named = fragment.typeCondition && schema.getType(fragment.typeCondition.name.value);
    const type = isCompositeType(named) ? named : parent.type;
    const set = fragment.selectionSet;
    const { path } = parent;
    const defer = node.directives?.find((directive) => directive.name.value === 'defer');
    const directives = node.directives?.filter((directive) => directive !== defer) ?? [];
    if (defer && this.options.defers(defer)) {
      const label = `deferred${this.deferred.length}`;
      this.deferred.push({ label, clientLabel: labelOf(defer), node, type, set, path, conditions });
      directives.push(deferAs(label));
    }
    return this.reachable(type, parent.type).map((member) => ({
      kind: Kind.INLINE_FRAGMENT,
      ...(fragment.typeCondition ? { typeCondition: namedType(member) } : {}),
      directives,
      selectionSet: this.select(set, { type: member, path, conditions }),
    }));
  }

  /**
   * The types to ask a fragment of. The planner finds no way from one abstract type to another where subgraphs know them as interface
   * objects only; from there to each type that both have in common it does.
   */
  private reachable(type: GraphQLCompositeType, parent: GraphQLCompositeType): readonly GraphQLCompositeType[] {
    const { schema, interfaceObjects } = this.options;
    if (type === parent) return [type];
    if (!isAbstractType(parent)) return isAbstractType(type) && schema.isSubType(type, parent) ? [parent] : [];
    if (!interfaceObjects || !isAbstractType(type)) return [type];
    return schema.getPossibleTypes(type).filter((member) => schema.isSubType(parent, member));
  }

  private field(node: FieldNode, parent: Parent): SelectionNode[] {
    const { schema, denies, key } = this.options;
    const name = node.name.value;
    // The schema is known here: no subgraph is asked for it.
    if (name === '__schema' || name === '__type') return [];
    const conditions = conditionsOf(node, parent.conditions);
    if (!conditions) return [];
    // Rules stand on object types: of an abstract one, some members may be denied while the others are asked one by one.
    const members = isAbstractType(parent.type) ? schema.getPossibleTypes(parent.type) : [];
    const allowed = members.filter((member) => !denies(member.name, name));
    if (members.length > 0 ? allowed.length === 0 : denies(parent.type.name, name)) return [];
    const definition = 'getFields' in parent.type ? parent.type.getFields()[name] : undefined;
    const type = definition && getNamedType(definition.type);
    const named = key(node);
    const rewritten: FieldNode = {
      ...node,
      ...(named === name ? {} : { alias: { kind: Kind.NAME, value: named } }),
    };
    if (node.selectionSet && definition && isCompositeType(type)) {
      const path = [...parent.path, named, ...lists(definition.type)];
      Object.assign(rewritten, { selectionSet: this.select(node.selectionSet, { type, path, conditions }) });
    }
    if (allowed.length === members.length) return [rewritten];
    return allowed.map((member) => ({
      kind: Kind.INLINE_FRAGMENT,
      typeCondition: namedType(member),
      selectionSet: { kind: Kind.SELECTION_SET, selections: [rewritten] },
    }));
  }
}

const namedType = ({ name }: GraphQLCompositeType): NamedTypeNode => ({
  kind: Kind.NAMED_TYPE,
  name: { kind: Kind.NAME, value: name },
});

const lists = (type: GraphQLOutputType): string[] =>
  isNonNullType(type) ? lists(type.ofType) : isListType(type) ? [EVERY, ...lists(type.ofType)] : [];

function labelOf(defer: DirectiveNode): string | undefined {
  const value = defer.arguments?.find(({ name }) => name.value === 'label')?.value;
  return value?.kind === Kind.STRING ? value.value : undefined;
}

const deferAs = (label: string): DirectiveNode => ({
  kind: Kind.DIRECTIVE,
  name: { kind: Kind.NAME, value: 'defer' },
  arguments: [
    { kind: Kind.ARGUMENT, name: { kind: Kind.NAME, value: 'label' }, value: { kind: Kind.STRING, value: label } },
  ],
});

function collectVariables(node: unknown, into: Set<string>): void {
  if (Array.isArray(node)) {
    for (const item of node) collectVariables(item, into);
  } else if (typeof node === 'object' && node !== null) {
    const { kind, name } = node as { kind?: string; name?: { value: string } };
    if (kind === Kind.VARIABLE && name) into.add(name.value);
    else for (const [key, value] of Object.entries(node)) if (key !== 'loc') collectVariables(value, into);
  }
}
