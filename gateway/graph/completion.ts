import * as internals from '@apollo/federation-internals';
import type { FetchNode, PlanNode, QueryPlan, SubscriptionNode } from '@apollo/query-planner';
import {
  type DocumentNode,
  type FieldNode,
  type InlineFragmentNode,
  Kind,
  type OperationDefinitionNode,
  parse,
  print,
  type SelectionNode,
  type SelectionSetNode,
  stripIgnoredCharacters,
  validate,
  visit,
} from 'graphql';
import { EVERY } from '../execution/path.ts';

const { baseType, federationMetadata, isCompositeType, isUnionType, possibleRuntimeTypes } = internals;
type Composite = internals.CompositeType;
type Member = internals.ObjectType;

/**
 * Puts back what the planner drops: where several subgraphs resolve a field, and each knows other types that it may return, a
 * fragment on a type that one of them does not know is asked of none of them.
 */
export class Completion {
  /** The fields, as `Type.field`, that may return other types in one subgraph than in another. */
  private readonly partial = new Set<string>();

  constructor(private readonly supergraph: internals.Supergraph) {
    const known = new Map<string, string>();
    for (const { schema } of supergraph.subgraphs()) {
      const owners: Composite[] = [...schema.objectTypes(), ...schema.interfaceTypes()];
      for (const field of owners.flatMap(fieldsOf)) {
        const types = `${this.members(typeOf(field))
          .map(({ name }) => name)
          .sort()}`;
        if (types === '' || field.name === ENTITIES) continue;
        if ((known.get(field.coordinate) ?? types) !== types) this.partial.add(field.coordinate);
        known.set(field.coordinate, types);
      }
    }
  }

  /** Adds to the plan's fetches what the client asks of types that their subgraph knows, and the planner left out. */
  complete(plan: QueryPlan, document: DocumentNode): void {
    if (this.partial.size === 0) return;
    const client = operationOf(document);
    for (const { node, path } of fetchesOf(plan.node)) {
      const schema = this.supergraph.subgraphs().get(node.serviceName)?.schema;
      const root = schema?.schemaDefinition.rootType(node.operationKind);
      if (!schema || !root) continue;
      const fetch = operationOf(parse(node.operation, { noLocation: true }));
      const asked = path.reduce((sets, key) => this.selectedIn(sets, key), [client.selectionSet]);
      const selectionSet = this.fill(fetch.selectionSet, root, asked);
      const variables = new Set<string>();
      visit(selectionSet, { Variable: ({ name }) => void variables.add(name.value) });
      for (const { variable } of fetch.variableDefinitions ?? []) variables.delete(variable.name.value);
      const more = client.variableDefinitions?.filter(({ variable }) => variables.has(variable.name.value)) ?? [];
      const variableDefinitions = [...(fetch.variableDefinitions ?? []), ...more];
      const completed = {
        kind: Kind.DOCUMENT,
        definitions: [{ ...fetch, variableDefinitions, selectionSet }],
      } as const;
      const operation = stripIgnoredCharacters(print(completed));
      // A subgraph may be stricter on what can share a name: then the fetch stays as it was planned.
      if (operation === node.operation || validate(schema.toGraphQLJSSchema(), completed).length > 0) continue;
      node.operation = operation;
      node.variableUsages = [...(node.variableUsages ?? []), ...variables];
    }
  }

  /** @param asked what the client selects where `set` is */
  private fill(set: SelectionSetNode, type: Composite, asked: readonly SelectionSetNode[]): SelectionSetNode {
    const selections = set.selections.map((node): SelectionNode => {
      if (node.kind === Kind.FRAGMENT_SPREAD || !node.selectionSet) return node;
      const { selectionSet } = node;
      if (node.kind === Kind.INLINE_FRAGMENT) {
        const condition = node.typeCondition && type.schema().type(node.typeCondition.name.value);
        return { ...node, selectionSet: this.fill(selectionSet, compositeOf(condition) ?? type, asked) };
      }
      const field = fieldsOf(type).find(({ name }) => name === node.name.value);
      const returned = typeOf(field);
      if (!field || !returned) return node;
      const within = field.name === ENTITIES ? asked : this.selectedIn(asked, keyOf(node));
      const filled = this.fill(selectionSet, returned, within).selections;
      const members = this.partial.has(field.coordinate) ? this.members(returned) : [];
      const missing = members.flatMap((member) => fragmentsOn(member, this.missing(selectionSet, member, within)));
      return { ...node, selectionSet: { ...selectionSet, selections: [...filled, ...missing] } };
    });
    return { ...set, selections };
  }

  /** What the client asks of one type, and the fetch does not. */
  private missing(set: SelectionSetNode, member: Member, asked: readonly SelectionSetNode[]): FieldNode[] {
    const own = new Set(['__typename', ...this.fields(set, member).map(keyOf)]);
    const fields = asked.flatMap((each) => this.fields(each, member)).filter((field) => !own.has(keyOf(field)));
    return fields.flatMap((field) => this.answerable(field, member) ?? []);
  }

  /** The field as the subgraph is asked for it; null where it does not know all of it: half would be taken for the whole. */
  private answerable(node: FieldNode, type: Member): FieldNode | null {
    const { selectionSet } = node;
    if (node.name.value === '__typename') return node;
    const field = type.field(node.name.value);
    if (!field || !isResolved(field)) return null;
    if (!selectionSet) return node;
    const fragments = this.members(typeOf(field)).map((member) => {
      const fields = this.fields(selectionSet, member).map((inner) => this.answerable(inner, member));
      return fields.every((inner) => inner !== null) ? fragmentsOn(member, fields) : null;
    });
    if (fragments.length === 0 || fragments.includes(null)) return null;
    const selections = [TYPENAME, ...fragments.flatMap((fragment) => fragment ?? [])];
    return { ...node, selectionSet: { ...selectionSet, selections } };
  }

  /** What the client selects under a key. */
  private selectedIn(sets: readonly SelectionSetNode[], key: string): SelectionSetNode[] {
    const fields = sets.flatMap((set) => this.fields(set)).filter((field) => keyOf(field) === key);
    return fields.flatMap(({ selectionSet }) => selectionSet ?? []);
  }

  /** The fields that a selection asks of one type, or of any; under the conditions of the fragments around them. */
  private fields(set: SelectionSetNode, member?: Member): FieldNode[] {
    return set.selections.flatMap((node): FieldNode[] => {
      if (node.kind === Kind.FIELD) return [node];
      if (node.kind === Kind.FRAGMENT_SPREAD || node.directives?.some(({ name }) => name.value === 'defer')) return [];
      const { typeCondition, directives = [] } = node;
      const condition = compositeOf(typeCondition && this.supergraph.schema.type(typeCondition.name.value));
      if (member && condition && !this.members(condition).some(({ name }) => name === member.name)) return [];
      const fields = this.fields(node.selectionSet, member);
      return fields.map((field) => ({ ...field, directives: [...directives, ...(field.directives ?? [])] }));
    });
  }

  /** The object types that a type stands for. None for an interface object: it says nothing of the types behind it. */
  private members(type: Composite | undefined): Member[] {
    const isObject = ({ name }: Member) => this.supergraph.schema.type(name)?.kind === 'ObjectType';
    return type ? possibleRuntimeTypes(type).filter(isObject) : [];
  }
}

const ENTITIES = '_entities';
const TYPENAME: FieldNode = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } };

const operationOf = (document: DocumentNode) => document.definitions[0] as OperationDefinitionNode;
/** Without what the planner appends where fields of two types cannot share a name. */
const keyOf = ({ alias, name }: FieldNode): string => (alias ?? name).value.replace(/__alias_\d+$/, '');

/** The fetches, and the keys that lead to what they fetch. Those for later are left out: each is of one deferred fragment. */
function fetchesOf(
  node: PlanNode | SubscriptionNode | undefined,
  path: readonly string[] = [],
): { node: FetchNode; path: readonly string[] }[] {
  const all = (...nodes: (PlanNode | undefined)[]) => nodes.flatMap((child) => fetchesOf(child, path));
  if (node?.kind === 'Fetch') return [{ node, path }];
  if (node?.kind === 'Flatten')
    return fetchesOf(
      node.node,
      node.path.map(String).filter((key) => key !== EVERY),
    );
  if (node?.kind === 'Condition') return all(node.ifClause, node.elseClause);
  if (node?.kind === 'Subscription') return all(node.primary, node.rest);
  return node?.kind === 'Defer' ? all(node.primary.node) : all(...(node?.nodes ?? []));
}

function fragmentsOn({ name: value }: Member, selections: readonly SelectionNode[]): InlineFragmentNode[] {
  if (selections.length === 0) return [];
  const typeCondition = { kind: Kind.NAMED_TYPE, name: { kind: Kind.NAME, value } } as const;
  return [{ kind: Kind.INLINE_FRAGMENT, typeCondition, selectionSet: { kind: Kind.SELECTION_SET, selections } }];
}

type Field = internals.FieldDefinition<Member | internals.InterfaceType>;
const fieldsOf = (type: Composite): readonly Field[] => (isUnionType(type) ? [] : type.fields());
const compositeOf = (type: internals.Type | undefined) => (type && isCompositeType(type) ? type : undefined);
const typeOf = (field: Field | undefined) => compositeOf(field?.type && baseType(field.type));

/** Whether a subgraph resolves a field by itself, whatever share of the requests it gets. */
function isResolved(field: Field): boolean {
  const metadata = federationMetadata(field.schema());
  if (!metadata || metadata.isFieldExternal(field)) return false;
  if (field.hasAppliedDirective(metadata.requiresDirective())) return false;
  return !field.appliedDirectivesOf(metadata.overrideDirective()).some((override) => override.arguments().label);
}
