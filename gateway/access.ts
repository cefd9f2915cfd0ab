import {
  type DocumentNode,
  type FieldNode,
  GraphQLError,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import type { Identity } from '../subgraphs/kit/auth.ts';
import type { AccessRule, AccessRules } from './supergraph.ts';

/** Asked for beside what the client asked, to know which member of an abstract type came back. */
const TYPENAME = '__hashira_typename';

type Data = Record<string, unknown>;

/** Whether the rule lets this identity through. */
function allows(rule: AccessRule, identity: Identity | null): boolean {
  if (!identity) return false;
  return (
    rule.anyOf.length === 0 || rule.anyOf.some((scopes) => scopes.every((scope) => identity.scopes.includes(scope)))
  );
}

/**
 * Enforces access per field: what the asker may not see is cut out of the operation before it is planned, so no subgraph is
 * asked for it, and put into the answer as null with a coded error at its path, bubbling up to the nearest nullable parent.
 */
export class AccessControl {
  constructor(
    private readonly schema: GraphQLSchema,
    private readonly rules: AccessRules,
  ) {}

  /** The operation this identity may run; the document itself when nothing had to be cut. */
  prune(document: DocumentNode, identity: Identity | null): DocumentNode {
    let cut = false;
    const typeInfo = new TypeInfo(this.schema);
    const pruned = visit(
      document,
      visitWithTypeInfo(typeInfo, {
        Field: {
          enter: () => {
            const parent = typeInfo.getParentType();
            const field = typeInfo.getFieldDef();
            if (!parent || !field) return undefined;
            const parents = isAbstractType(parent) ? [parent, ...this.schema.getPossibleTypes(parent)] : [parent];
            if (!parents.some(({ name }) => this.denied(name, field.name, field.type, identity))) return undefined;
            cut = true;
            return null;
          },
        },
        SelectionSet: {
          // An emptied selection, and one on an abstract type, needs the name of what came back.
          leave: (node) => {
            const parent = typeInfo.getParentType();
            if (node.selections.length > 0 && !(parent && isAbstractType(parent))) return undefined;
            return { ...node, selections: [...node.selections, TYPENAME_FIELD] };
          },
        },
      }),
    );
    return cut ? pruned : document;
  }

  /**
   * The answer to the pruned operation in the shape of the original one.
   * @param data as the executor returned it; null stays null
   */
  restore(
    document: DocumentNode,
    operation: OperationDefinitionNode,
    data: Data | null | undefined,
    identity: Identity | null,
    variables: Record<string, unknown>,
  ): { data: Data | null; errors: GraphQLError[] } {
    const root = this.schema.getRootType(operation.operation);
    if (!data || !root) return { data: data ?? null, errors: [] };
    const shaper = new Shaper(this.schema, document, variables, (parent, field, type) =>
      this.denied(parent, field, type, identity),
    );
    const shaped = shaper.object(root, [operation.selectionSet], data, []);
    const code = identity ? 'FORBIDDEN' : 'UNAUTHENTICATED';
    const message = identity ? 'Your token does not allow this.' : 'This is only for who is signed in.';
    return {
      data: shaped,
      errors: shaper.denials.map((path) => new GraphQLError(message, { path, extensions: { code } })),
    };
  }

  private denied(parent: string, field: string, type: GraphQLOutputType, identity: Identity | null): boolean {
    for (const coordinate of [parent, `${parent}.${field}`, getNamedType(type).name]) {
      const rule = this.rules.get(coordinate);
      if (rule && !allows(rule, identity)) return true;
    }
    return false;
  }
}

const TYPENAME_FIELD: FieldNode = {
  kind: Kind.FIELD,
  alias: { kind: Kind.NAME, value: TYPENAME },
  name: { kind: Kind.NAME, value: '__typename' },
};

/** Walks an answer beside the operation that was asked, adding the denied fields as nulls. */
class Shaper {
  readonly denials: (string | number)[][] = [];
  private readonly fragments = new Map<string, SelectionSetNode>();
  private readonly conditions = new Map<string, string>();

  constructor(
    private readonly schema: GraphQLSchema,
    document: DocumentNode,
    private readonly variables: Record<string, unknown>,
    private readonly denied: (parent: string, field: string, type: GraphQLOutputType) => boolean,
  ) {
    for (const definition of document.definitions) {
      if (definition.kind !== Kind.FRAGMENT_DEFINITION) continue;
      this.fragments.set(definition.name.value, definition.selectionSet);
      this.conditions.set(definition.name.value, definition.typeCondition.name.value);
    }
  }

  object(
    type: GraphQLObjectType,
    sets: readonly SelectionSetNode[],
    data: Data,
    path: (string | number)[],
  ): Data | null {
    const shaped: Data = {};
    for (const [key, nodes] of this.collect(type, sets)) {
      const name = (nodes[0] as FieldNode).name.value;
      const field = type.getFields()[name];
      if (!field) {
        shaped[key] = data[key] ?? data[TYPENAME]; // __typename, __schema, __type
        continue;
      }
      const at = [...path, key];
      let value: unknown = null;
      if (this.denied(type.name, name, field.type)) this.denials.push(at);
      else value = this.value(field.type, nodes, data[key], at);
      if (value === null && isNonNullType(field.type)) return null;
      shaped[key] = value;
    }
    return shaped;
  }

  private value(
    type: GraphQLOutputType,
    nodes: readonly FieldNode[],
    value: unknown,
    path: (string | number)[],
  ): unknown {
    if (value === null || value === undefined) return null;
    if (isNonNullType(type)) return this.value(type.ofType, nodes, value, path);
    if (isListType(type)) {
      const items = (value as unknown[]).map((item, index) => this.value(type.ofType, nodes, item, [...path, index]));
      return isNonNullType(type.ofType) && items.includes(null) ? null : items;
    }
    const sets = nodes.flatMap((node) => node.selectionSet ?? []);
    if (sets.length === 0) return value;
    const data = value as Data;
    const concrete = isAbstractType(type) ? this.schema.getType(String(data[TYPENAME])) : type;
    return isObjectType(concrete) ? this.object(concrete, sets, data, path) : null;
  }

  /** GraphQL's CollectFields: the fields by response key, in order, through fragments, @skip and @include. */
  private collect(
    type: GraphQLObjectType,
    sets: readonly SelectionSetNode[],
    into = new Map<string, FieldNode[]>(),
  ): Map<string, FieldNode[]> {
    for (const selection of sets.flatMap((set) => set.selections)) {
      if (!this.included(selection)) continue;
      if (selection.kind === Kind.FIELD) {
        const key = selection.alias?.value ?? selection.name.value;
        into.set(key, [...(into.get(key) ?? []), selection]);
        continue;
      }
      const [condition, set] =
        selection.kind === Kind.INLINE_FRAGMENT
          ? [selection.typeCondition?.name.value, selection.selectionSet]
          : [this.conditions.get(selection.name.value), this.fragments.get(selection.name.value)];
      if (set && this.applies(condition, type)) this.collect(type, [set], into);
    }
    return into;
  }

  private applies(condition: string | undefined, type: GraphQLObjectType): boolean {
    if (condition === undefined || condition === type.name) return true;
    const named = this.schema.getType(condition);
    return isAbstractType(named) && this.schema.isSubType(named, type);
  }

  private included(node: SelectionSetNode['selections'][number]): boolean {
    return (node.directives ?? []).every((directive) => {
      if (directive.name.value !== 'skip' && directive.name.value !== 'include') return true;
      const condition = directive.arguments?.[0]?.value;
      const on =
        condition?.kind === Kind.VARIABLE
          ? this.variables[condition.name.value] === true
          : condition?.kind === Kind.BOOLEAN && condition.value;
      return directive.name.value === 'include' ? on : !on;
    });
  }
}
