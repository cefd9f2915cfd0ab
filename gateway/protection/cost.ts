import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import { HashiraError } from '../../subgraphs/kit/errors.ts';
import { type CostFunction, CostProgram, type Term } from './cost-program.ts';
import { argumentReader, InputCosts, usesVariables } from './input-costs.ts';
import { type ListSize, type Weights, weightsOf } from './weights.ts';

export type { CostFunction } from './cost-program.ts';

/** What a field of the root type Mutation costs beside what it returns, as in Apollo's demand control. */
const MUTATION = 10;
/** For each list of types, fields, … that is asked for: their lengths are those of the schema. */
const INTROSPECTION = 100;
const INTROSPECTED = /^(types|fields|args|inputFields|enumValues|interfaces|possibleTypes|directives)$/;
/** Selections looked at, over all types they are looked at for, before an operation counts as without bound. */
const MAX_WORK = 200_000;

/**
 * Demand control: what an operation may cost, known before it runs. An object counts 1, a scalar 0, or what `@cost` says; a list
 * counts its items, as many as `@listSize` says; an argument or input field counts what `@cost` says. Fields are counted as they are merged
 * in execution; of the possible types of an interface or union the dearest counts; what a variable may skip counts.
 * @see https://ibm.github.io/graphql-specs/cost-spec.html
 */
export class CostModel {
  private readonly weights: Weights;

  constructor(
    private readonly schema: GraphQLSchema,
    supergraphSdl: string,
    private readonly options: { defaultListSize: number },
  ) {
    this.weights = weightsOf(supergraphSdl);
  }

  /** Once per operation of a valid document. The function throws HashiraError BAD_USER_INPUT where a list must be sliced and is not. */
  compile(document: DocumentNode, operation: OperationDefinitionNode): CostFunction {
    const root = this.schema.getRootType(operation.operation);
    if (!root) return () => 0;
    const compiler = new Compiler(this.schema, this.weights, this.options.defaultListSize, document);
    return compiler.compile(root, operation);
  }
}

class Compiler {
  private readonly program = new CostProgram();
  private readonly fragments = new Map<string, FragmentDefinitionNode>();
  private readonly ids = new Map<SelectionSetNode, number>();
  /** Cost of merged selection sets on one type; 0 while it is being computed, which only a cycle meets. */
  private readonly known = new Map<string, Term>();
  private readonly inputs: InputCosts;
  private work = 0;

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly weights: Weights,
    private readonly defaultListSize: number,
    document: DocumentNode,
  ) {
    this.inputs = new InputCosts(weights.costs);
    for (const definition of document.definitions) {
      if (definition.kind === Kind.FRAGMENT_DEFINITION) this.fragments.set(definition.name.value, definition);
    }
  }

  compile(root: GraphQLObjectType, operation: OperationDefinitionNode): CostFunction {
    const cost = this.object(root, [operation.selectionSet], null);
    if (this.work > MAX_WORK) return () => Number.MAX_SAFE_INTEGER;
    return this.program.compile(cost);
  }

  /** @param sized the fields of this object whose size its own field's `@listSize` gives */
  private object(type: GraphQLObjectType, sets: readonly SelectionSetNode[], sized: Sized | null): Term {
    this.work += 1 + sets.length;
    const ids = [...new Set(sets.map((set) => this.id(set)))].sort((a, b) => a - b);
    const key = `${type.name} ${ids} ${sized ? `${sized.names} ${typeof sized.size === 'number' ? sized.size : `#${sized.size.step}`}` : ''}`;
    const known = this.known.get(key);
    if (known !== undefined || this.work > MAX_WORK) return known ?? 0;
    this.known.set(key, 0);
    const fields = new Map<string, FieldNode[]>();
    const visited = new Set<string>();
    for (const set of sets) this.collect(type, set, fields, visited);
    const cost = this.program.sum([...fields.values()].map((nodes) => this.field(type, nodes, sized)));
    this.known.set(key, cost);
    return cost;
  }

  private field(parent: GraphQLObjectType, nodes: readonly FieldNode[], sized: Sized | null): Term {
    const node = nodes[0] as FieldNode;
    const name = node.name.value;
    if (name === '__schema' || name === '__type')
      return nodes.reduce((cost, each) => cost + this.introspection(each), 0);
    const field = parent.getFields()[name];
    if (!field) return 0; // __typename, or not valid
    const declared = this.lookup(this.weights.sizes, parent, name);
    const slice = declared ? this.slice(field, node, declared) : null;
    const own = declared?.sizedFields.length ? null : slice;

    const type = getNamedType(field.type);
    const sets = nodes.flatMap((each) => each.selectionSet ?? []);
    const within: Sized | null =
      declared?.sizedFields.length && slice !== null ? { names: declared.sizedFields, size: slice } : null;
    const weight = this.lookup(this.weights.costs, parent, name);
    const members = isAbstractType(type) ? this.schema.getPossibleTypes(type) : isObjectType(type) ? [type] : [];
    const item = isLeafType(type)
      ? (weight ?? this.weights.costs.get(type.name) ?? 0)
      : this.program.max(
          members.map((member) =>
            this.program.sum([weight ?? this.weights.costs.get(member.name) ?? 1, this.object(member, sets, within)]),
          ),
        );

    const size = own ?? (sized?.names.includes(name) ? sized.size : this.defaultListSize);
    const levels = listLevels(field.type);
    const items = levels === 0 ? 1 : this.program.product(size, this.defaultListSize ** (levels - 1));
    return this.program.sum([
      this.program.product(items, item),
      ...field.args.map((argument) => this.argument(parent, field, argument, node)),
      parent === this.schema.getMutationType() ? MUTATION : 0,
    ]);
  }

  /** The shape of the document has been checked: its fragments written out are no larger than it may be. */
  private introspection(node: SelectionNode): number {
    const { selectionSet } = node.kind === Kind.FRAGMENT_SPREAD ? (this.fragments.get(node.name.value) ?? {}) : node;
    const asks = node.kind === Kind.FIELD && (node.name.value.startsWith('__') || INTROSPECTED.test(node.name.value));
    return (selectionSet?.selections ?? []).reduce(
      (sum, each) => sum + this.introspection(each),
      asks ? INTROSPECTION : 0,
    );
  }

  /** How many items the arguments ask for. */
  private slice(field: GraphQLField<unknown, unknown>, node: FieldNode, size: ListSize): Term {
    const otherwise = size.assumedSize ?? this.defaultListSize;
    if (size.slicingArguments.length === 0) return otherwise;
    const values = field.args
      .filter(({ name }) => size.slicingArguments.includes(name))
      .map((argument) => argumentReader(argument, node));
    const count: CostFunction = (variables) => {
      const given = values.map((value) => value(variables)).filter((value) => typeof value === 'number');
      if (size.requireOneSlicingArgument && given.length !== 1) {
        const names = size.slicingArguments.map((name) => `"${name}"`).join(', ');
        throw new HashiraError('BAD_USER_INPUT', `Field "${field.name}" needs exactly one of the arguments ${names}.`);
      }
      return given.length > 0 ? Math.max(0, ...given) : otherwise;
    };
    const fixed = !(node.arguments ?? []).some(({ value }) => usesVariables(value));
    try {
      return fixed ? count({}) : this.program.read(count);
    } catch {
      return this.program.read(count); // and throws when it is asked
    }
  }

  private argument(
    parent: GraphQLObjectType,
    field: GraphQLField<unknown, unknown>,
    argument: GraphQLArgument,
    node: FieldNode,
  ): Term {
    const own = this.lookup(this.weights.costs, parent, `${field.name}(${argument.name}:)`);
    if (!this.inputs.weighs(argument.type, own)) return 0;
    const given = node.arguments?.find(({ name }) => name.value === argument.name)?.value;
    const value = argumentReader(argument, node);
    const cost: CostFunction = (variables) => this.inputs.cost(value(variables), argument.type, own);
    return given && usesVariables(given) ? this.program.read(cost) : cost({});
  }

  /** Of the type itself, or of an interface that declares the field. */
  private lookup<T>(table: ReadonlyMap<string, T>, type: GraphQLObjectType, member: string): T | undefined {
    const own = table.get(`${type.name}.${member}`);
    if (own !== undefined) return own;
    for (const { name } of type.getInterfaces()) {
      const inherited = table.get(`${name}.${member}`);
      if (inherited !== undefined) return inherited;
    }
    return undefined;
  }

  /** GraphQL's CollectFields. */
  private collect(
    type: GraphQLObjectType,
    set: SelectionSetNode,
    fields: Map<string, FieldNode[]>,
    visited: Set<string>,
  ): void {
    this.work += set.selections.length;
    if (this.work > MAX_WORK) return;
    for (const selection of set.selections) {
      if (isNeverIncluded(selection)) continue;
      if (selection.kind === Kind.FIELD) {
        const key = selection.alias?.value ?? selection.name.value;
        const nodes = fields.get(key);
        if (nodes) nodes.push(selection);
        else fields.set(key, [selection]);
        continue;
      }
      if (selection.kind === Kind.FRAGMENT_SPREAD) {
        if (visited.has(selection.name.value)) continue;
        visited.add(selection.name.value);
      }
      const fragment = selection.kind === Kind.INLINE_FRAGMENT ? selection : this.fragments.get(selection.name.value);
      if (fragment && this.applies(fragment.typeCondition?.name.value, type)) {
        this.collect(type, fragment.selectionSet, fields, visited);
      }
    }
  }

  private applies(condition: string | undefined, type: GraphQLObjectType): boolean {
    if (condition === undefined || condition === type.name) return true;
    const named = this.schema.getType(condition);
    return isAbstractType(named) && this.schema.isSubType(named, type);
  }

  private id(set: SelectionSetNode): number {
    const id = this.ids.get(set) ?? this.ids.size;
    this.ids.set(set, id);
    return id;
  }
}

/** The size that a field's `@listSize` gives to fields of what it returns. */
interface Sized {
  names: readonly string[];
  size: Term;
}

function listLevels(type: GraphQLOutputType): number {
  if (isNonNullType(type)) return listLevels(type.ofType);
  return isListType(type) ? 1 + listLevels(type.ofType) : 0;
}

/** Skipped by a literal. */
const isNeverIncluded = (selection: SelectionNode): boolean =>
  (selection.directives ?? []).some(({ name, arguments: given }) => {
    const condition = given?.[0]?.value;
    return (
      condition?.kind === Kind.BOOLEAN &&
      (name.value === 'skip' ? condition.value : name.value === 'include' && !condition.value)
    );
  });
