import {
  type ConstDirectiveNode,
  type DocumentNode,
  type FieldDefinitionNode,
  type FieldNode,
  type InterfaceTypeDefinitionNode,
  Kind,
  type ObjectTypeDefinitionNode,
  parse,
  print,
  type SelectionSetNode,
} from 'graphql';

/**
 * `@requires(fields: "price(currency: \"USD\")")` asks for a field with arguments. The planner keeps fetched fields by name
 * alone, so what one field requires, what another requires with other arguments, and what the client asks would become one.
 * Therefore each such use gets a field of its own in the supergraph that the planner sees: `price__1`, hidden from the API, in
 * the same subgraphs as `price`. Fetches ask for `price__1: price(currency: "USD")`; representations call it `price` again.
 */
export interface RequiredArguments {
  /** The supergraph to plan with. */
  document: DocumentNode;
  /** What stands behind the added fields. */
  fields: ReadonlyMap<string, RequiredField>;
  /** The added fields that a field of a subgraph requires, by `GRAPH Type.field`; GRAPH as in the enum join__Graph. */
  needs: ReadonlyMap<string, ReadonlySet<string>>;
  /** All fields, added ones and others, that a field of a subgraph requires of its object, by `GRAPH Type.field`. */
  requires: ReadonlyMap<string, ReadonlySet<string>>;
  /** The fields of all keys of a type in a subgraph, by `GRAPH Type`. */
  keys: ReadonlyMap<string, ReadonlySet<string>>;
}

export interface RequiredField {
  name: string;
  arguments: FieldNode['arguments'];
}

type TypeNode = ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode;
const isType = (node: { kind: string }): node is TypeNode =>
  node.kind === Kind.OBJECT_TYPE_DEFINITION || node.kind === Kind.INTERFACE_TYPE_DEFINITION;

export function separateRequiredArguments(supergraph: DocumentNode): RequiredArguments {
  const separator = new Separator(supergraph);
  const definitions = supergraph.definitions.map((node) => (isType(node) ? separator.rewrite(node) : node));
  const { fields, needs, requires, keys } = separator;
  if (fields.size === 0) return { document: supergraph, fields, needs, requires, keys };
  const widened = definitions.map((node) => (isType(node) ? separator.widen(node) : node));
  return { document: withInaccessible({ ...supergraph, definitions: widened }), fields, needs, requires, keys };
}

class Separator {
  readonly fields = new Map<string, RequiredField>();
  readonly needs = new Map<string, Set<string>>();
  readonly requires = new Map<string, Set<string>>();
  readonly keys = new Map<string, Set<string>>();
  private readonly types: ReadonlyMap<string, TypeNode>;
  /** By type: the names of added fields and of what they stand for. */
  private readonly added = new Map<string, [name: string, field: string][]>();
  private readonly names = new Map<string, string>();

  constructor(supergraph: DocumentNode) {
    this.types = new Map(supergraph.definitions.filter(isType).map((node) => [node.name.value, node]));
  }

  /** The type with its `@join__field(requires:)` in terms of the added fields: before any is widened. */
  rewrite(type: TypeNode): TypeNode {
    for (const join of type.directives ?? []) this.noteKey(type.name.value, join);
    const fields = type.fields?.map((field) => ({
      ...field,
      directives: field.directives?.map((directive) => this.rewriteJoin(type.name.value, field, directive)) ?? [],
    }));
    return { ...type, fields: fields ?? [] } as TypeNode;
  }

  /** The rewritten type with the fields added to it, which require what the fields they stand for do. */
  widen(type: TypeNode): TypeNode {
    const copies = (this.added.get(type.name.value) ?? []).flatMap(([name, of]) => {
      for (const uses of [this.needs, this.requires]) {
        for (const [use, required] of uses) {
          if (use.endsWith(` ${type.name.value}.${of}`)) uses.set(use.replace(/\.[^.]*$/, `.${name}`), required);
        }
      }
      const field = fieldOf(type, of);
      return field ? [hidden(field, name)] : [];
    });
    return { ...type, fields: [...(type.fields ?? []), ...copies] } as TypeNode;
  }

  private rewriteJoin(type: string, field: FieldDefinitionNode, join: ConstDirectiveNode): ConstDirectiveNode {
    const requires = argument(join, 'requires');
    if (join.name.value !== 'join__field' || requires?.kind !== Kind.STRING) return join;
    const used = new Set<string>();
    const selections = this.rewriteSelections(type, parseSelections(requires.value), used);
    const graph = argument(join, 'graph');
    const use = graph?.kind === Kind.ENUM ? `${graph.value} ${type}.${field.name.value}` : '';
    this.requires.set(use, namesOf(selections));
    if (used.size === 0) return join;
    this.needs.set(use, used);
    const value = { ...requires, value: print(selections).trim().slice(1, -1).trim() };
    return {
      ...join,
      arguments: join.arguments?.map((node) => (node.name.value === 'requires' ? { ...node, value } : node)) ?? [],
    };
  }

  private noteKey(type: string, join: ConstDirectiveNode): void {
    const [graph, key] = [argument(join, 'graph'), argument(join, 'key')];
    if (join.name.value !== 'join__type' || graph?.kind !== Kind.ENUM || key?.kind !== Kind.STRING) return;
    const use = `${graph.value} ${type}`;
    this.keys.set(use, new Set([...(this.keys.get(use) ?? []), ...namesOf(parseSelections(key.value))]));
  }

  private rewriteSelections(type: string, set: SelectionSetNode, used: Set<string>): SelectionSetNode {
    const selections = set.selections.map((selection) => {
      if (selection.kind === Kind.FRAGMENT_SPREAD) return selection;
      if (selection.kind === Kind.INLINE_FRAGMENT) {
        const inner = selection.typeCondition?.name.value ?? type;
        return { ...selection, selectionSet: this.rewriteSelections(inner, selection.selectionSet, used) };
      }
      const field = fieldOf(this.types.get(type), selection.name.value);
      if (!field) return selection;
      const inner = selection.selectionSet && this.rewriteSelections(namedType(field), selection.selectionSet, used);
      const rewritten: FieldNode = { ...selection, ...(inner ? { selectionSet: inner } : {}) };
      if (!field.arguments?.length) return rewritten;
      const name = this.fieldFor(type, selection);
      used.add(name);
      return { ...rewritten, name: { kind: Kind.NAME as const, value: name }, arguments: [] };
    });
    return { ...set, selections };
  }

  /** The added field that stands for this field with these arguments. */
  private fieldFor(type: string, node: FieldNode): string {
    const use = `${type}.${print({ kind: Kind.FIELD, name: node.name, arguments: node.arguments ?? [] })}`;
    const known = this.names.get(use);
    if (known) return known;
    const name = `${node.name.value}__${this.fields.size + 1}`;
    this.names.set(use, name);
    this.fields.set(name, { name: node.name.value, arguments: node.arguments });
    for (const owner of this.types.values()) {
      const isOwner = owner.name.value === type || owner.interfaces?.some((node) => node.name.value === type);
      if (!isOwner || !fieldOf(owner, node.name.value)) continue;
      this.added.set(owner.name.value, [...(this.added.get(owner.name.value) ?? []), [name, node.name.value]]);
    }
    return name;
  }
}

const argument = (directive: ConstDirectiveNode, name: string) =>
  directive.arguments?.find((node) => node.name.value === name)?.value;

function parseSelections(text: string): SelectionSetNode {
  const [operation] = parse(`{${text}}`, { noLocation: true }).definitions;
  return (operation as { selectionSet: SelectionSetNode }).selectionSet;
}

/** The fields that a selection asks of an object itself. */
function namesOf(set: SelectionSetNode): Set<string> {
  const names = new Set<string>();
  for (const selection of set.selections) {
    if (selection.kind === Kind.FIELD) names.add(selection.name.value);
    else if (selection.kind === Kind.INLINE_FRAGMENT)
      for (const name of namesOf(selection.selectionSet)) names.add(name);
  }
  return names;
}

const fieldOf = (type: TypeNode | undefined, name: string): FieldDefinitionNode | undefined =>
  type?.fields?.find((field) => field.name.value === name);

function namedType(field: FieldDefinitionNode): string {
  let { type } = field;
  while (type.kind !== Kind.NAMED_TYPE) type = type.type;
  return type.name.value;
}

const INACCESSIBLE = 'inaccessible';
/** What `@join__field` says beyond where a field is. */
const NOT_COPIED = ['override', 'overrideLabel'];

function hidden(field: FieldDefinitionNode, name: string): FieldDefinitionNode {
  const joins = (field.directives ?? [])
    .filter((directive) => directive.name.value === 'join__field')
    .map((join) => ({
      ...join,
      arguments: join.arguments?.filter((node) => !NOT_COPIED.includes(node.name.value)) ?? [],
    }));
  return {
    kind: Kind.FIELD_DEFINITION,
    name: { kind: Kind.NAME, value: name },
    type: field.type,
    directives: [...joins, { kind: Kind.DIRECTIVE, name: { kind: Kind.NAME, value: INACCESSIBLE } }],
  };
}

/** The supergraph with @inaccessible declared, where it did not need it so far. */
function withInaccessible(document: DocumentNode): DocumentNode {
  const declared = document.definitions.some(
    (node) => node.kind === Kind.DIRECTIVE_DEFINITION && node.name.value === INACCESSIBLE,
  );
  if (declared) return document;
  const places =
    'FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION';
  const { definitions } = parse(
    `schema @link(url: "https://specs.apollo.dev/inaccessible/v0.2", for: SECURITY) { query: Query }
     directive @inaccessible on ${places}`,
    { noLocation: true },
  );
  const [schema, directive] = definitions as [{ directives: readonly ConstDirectiveNode[] }, (typeof definitions)[1]];
  const linked = document.definitions.map((node) =>
    node.kind === Kind.SCHEMA_DEFINITION
      ? { ...node, directives: [...(node.directives ?? []), ...schema.directives] }
      : node,
  );
  return { ...document, definitions: [...linked, directive as (typeof definitions)[number]] };
}
