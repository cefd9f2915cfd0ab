import {
  doTypesOverlap,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLLeafType,
  type GraphQLOutputType,
  type GraphQLSchema,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import type { Variables } from '../sources/source.ts';
import { ALWAYS, type Conditions, compileConditions, conditionsOf } from './conditions.ts';
import type { Data, ResultError } from './run.ts';

/** What shaping asks of its surroundings. */
export interface ShapeOptions {
  schema: GraphQLSchema;
  fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** The key under which the plan fetches a field. */
  keyOf(field: FieldNode): string;
  /** The error in place of a field that the asker may not see. */
  denial(type: string, field: string): Pick<ResultError, 'message' | 'extensions'> | null;
  /** The value of `__schema` or `__type`. */
  introspect(field: FieldNode, variables: Variables): unknown;
  /** Fragments that are answered later. */
  deferred: ReadonlySet<SelectionNode>;
}

/** Where a value is; linked, because only errors need it as a list. */
interface Place {
  above: Place | null;
  key: string | number;
}

/** One shaping at work. */
interface Shaping {
  variables: Variables;
  /** Fields that the asker may not see. */
  denials: ResultError[];
  /** Where there is null though the schema has no null there. */
  violations: ResultError[];
}

/** @returns null where there is none, or where a null inside made it null */
type Complete = (value: unknown, place: Place, shaping: Shaping) => unknown;

interface Field {
  key: string;
  from: string;
  nonNull: boolean;
  included: ((variables: Variables) => boolean) | null;
  complete: Complete;
  denial: Pick<ResultError, 'message' | 'extensions'> | null;
  /** In place of `complete`, for what is no data: `__typename` and introspection. */
  meta: ((data: Data, typename: string, variables: Variables) => unknown) | null;
}

/** A part of an operation: selection sets that apply under conditions. */
interface Selected {
  set: SelectionSetNode;
  conditions: Conditions;
}

/** What shaping makes of fetched data. */
export interface Shaped {
  /** Null where a null inside bubbled up to the top. */
  data: Data | null;
  /** At the paths of fields that the asker may not see. */
  denials: ResultError[];
  /** At the paths of nulls that must not be. */
  violations: ResultError[];
}

/** @param at where in the answer the data is; the paths of errors begin there */
export type Shape = (data: Data, variables: Variables, at?: readonly (string | number)[]) => Shaped;

/**
 * Compiles how an answer is made from the merged data: the asked fields in the asked order and by the asked names, nulls bubbling
 * up to the nearest nullable parent, denied fields as null with an error at their path.
 */
export function compileShape(type: GraphQLCompositeType, set: SelectionSetNode, options: ShapeOptions): Shape {
  const complete = new Compiler(options).object(type, [{ set, conditions: ALWAYS }]);
  return (data, variables, at) => {
    const shaping: Shaping = { variables, denials: [], violations: [] };
    const place = at ? at.reduce<Place>((above, key) => ({ above, key }), ROOT) : ROOT;
    const shaped = complete(data, place, shaping) as Data | null;
    return { data: shaped, denials: shaping.denials, violations: shaping.violations };
  };
}

const ROOT: Place = { above: null, key: '' };

function pathOf(place: Place): (string | number)[] {
  const path: (string | number)[] = [];
  for (let at: Place | null = place; at && at !== ROOT; at = at.above) path.unshift(at.key);
  return path;
}

class Compiler {
  constructor(private readonly options: ShapeOptions) {}

  /** Objects of one declared type. The fields of each type that really comes are compiled when it first does. */
  object(declared: GraphQLCompositeType, selected: readonly Selected[]): Complete {
    const byType = new Map<string, readonly Field[]>();
    const { schema } = this.options;
    return (value, place, shaping) => {
      if (typeof value !== 'object' || Array.isArray(value)) return null;
      const data = value as Data;
      const typename = (data.__typename as string | undefined) ?? declared.name;
      let fields = byType.get(typename);
      if (!fields) {
        const type = schema.getType(typename);
        // A type that the API does not show, or not here: there is nothing to be seen of it.
        if (!isCompositeType(type) || !doTypesOverlap(schema, declared, type)) return null;
        fields = this.fields(type, selected);
        byType.set(typename, fields);
      }
      return shapeObject(data, typename, fields, place, shaping);
    };
  }

  private fields(type: GraphQLCompositeType, selected: readonly Selected[]): Field[] {
    const collected = new Map<string, { node: FieldNode; conditions: Conditions }[]>();
    for (const { set, conditions } of selected) this.collect(type, set, conditions, collected);
    return [...collected].flatMap(([key, occurrences]) => this.field(type, key, occurrences) ?? []);
  }

  /** GraphQL's CollectFields for one type, with conditions kept instead of decided. */
  private collect(
    type: GraphQLCompositeType,
    set: SelectionSetNode,
    above: Conditions,
    collected: Map<string, { node: FieldNode; conditions: Conditions }[]>,
  ): void {
    for (const selection of set.selections) {
      const conditions = conditionsOf(selection, above);
      if (!conditions || this.options.deferred.has(selection)) continue;
      if (selection.kind === 'Field') {
        const key = selection.alias?.value ?? selection.name.value;
        const occurrences = collected.get(key);
        if (occurrences) occurrences.push({ node: selection, conditions });
        else collected.set(key, [{ node: selection, conditions }]);
        continue;
      }
      const fragment =
        selection.kind === 'InlineFragment' ? selection : this.options.fragments.get(selection.name.value);
      if (!fragment) continue;
      const condition = fragment.typeCondition?.name.value;
      if (condition === undefined || this.applies(condition, type)) {
        this.collect(type, fragment.selectionSet, conditions, collected);
      }
    }
  }

  private applies(condition: string, type: GraphQLCompositeType): boolean {
    if (condition === type.name) return true;
    const { schema } = this.options;
    const wanted = schema.getType(condition);
    if (!isAbstractType(wanted)) return false;
    return (isObjectType(type) || isAbstractType(type)) && schema.isSubType(wanted, type as never);
  }

  private field(
    type: GraphQLCompositeType,
    key: string,
    occurrences: readonly { node: FieldNode; conditions: Conditions }[],
  ): Field | null {
    const { node } = occurrences[0] as { node: FieldNode };
    const name = node.name.value;
    const included = compileConditions(occurrences.map(({ conditions }) => conditions));
    const common = { key, from: this.options.keyOf(node), included, denial: null, meta: null, complete: leaf };
    if (name === '__typename') {
      return {
        ...common,
        nonNull: true,
        meta: (_, typename) => (isObjectType(this.options.schema.getType(typename)) ? typename : null),
      };
    }
    if (name === '__schema' || name === '__type') {
      const nodes = {
        ...node,
        selectionSet: {
          kind: 'SelectionSet',
          selections: occurrences.flatMap(({ node }) => node.selectionSet?.selections ?? []),
        },
      };
      return {
        ...common,
        nonNull: name === '__schema',
        meta: (_, __, variables) => this.options.introspect(nodes as FieldNode, variables),
      };
    }
    const definition = 'getFields' in type ? type.getFields()[name] : undefined;
    if (!definition) return null;
    const selected = occurrences.flatMap(({ node: { selectionSet }, conditions }) =>
      selectionSet ? [{ set: selectionSet, conditions }] : [],
    );
    return {
      ...common,
      nonNull: isNonNullType(definition.type),
      complete: this.value(definition.type, selected),
      denial: this.options.denial(type.name, name),
    };
  }

  private value(type: GraphQLOutputType, selected: readonly Selected[]): Complete {
    if (isNonNullType(type)) return this.value(type.ofType, selected);
    if (isListType(type)) return list(this.value(type.ofType, selected), isNonNullType(type.ofType));
    if (isLeafType(type)) return leafOf(type);
    return this.object(type, selected);
  }
}

function shapeObject(
  data: Data,
  typename: string,
  fields: readonly Field[],
  above: Place,
  shaping: Shaping,
): Data | null {
  const shaped: Data = {};
  for (const field of fields) {
    if (field.included && !field.included(shaping.variables)) continue;
    const { key } = field;
    let value: unknown = null;
    if (field.denial) {
      shaping.denials.push({ ...field.denial, path: pathOf({ above, key }) });
      if (field.nonNull) return null;
    } else if (field.meta) {
      value = field.meta(data, typename, shaping.variables);
    } else {
      value = completed(data[field.from], field, above, key, shaping);
    }
    if (value === null && field.nonNull) return null;
    if (key === '__proto__') Object.defineProperty(shaped, key, { value, enumerable: true });
    else shaped[key] = value;
  }
  return shaped;
}

function list(complete: Complete, nonNull: boolean): Complete {
  const item = { complete, nonNull };
  return (value, above, shaping) => {
    if (!Array.isArray(value)) return null;
    const shaped = new Array<unknown>(value.length);
    for (let i = 0; i < value.length; i++) {
      shaped[i] = completed(value[i], item, above, i, shaping);
      if (nonNull && shaped[i] === null) return null;
    }
    return shaped;
  };
}

/** A value in its final shape. Where null must not be, that is told once: where it first was, not where it bubbled to. */
function completed(
  raw: unknown,
  { complete, nonNull }: Pick<Field, 'complete' | 'nonNull'>,
  above: Place,
  key: string | number,
  shaping: Shaping,
): unknown {
  const told = shaping.violations.length + shaping.denials.length;
  let value: unknown = null;
  if (raw !== null && raw !== undefined) {
    value = complete === leaf ? raw : complete(raw, { above, key }, shaping);
  }
  if (value === null && nonNull && shaping.violations.length + shaping.denials.length === told) {
    shaping.violations.push({
      message: `Cannot return null for the non-nullable ${typeof key === 'string' ? `field "${key}"` : 'item of a list'}.`,
      path: pathOf({ above, key }),
      extensions: { code: 'INTERNAL_SERVER_ERROR' },
    });
  }
  return value;
}

/** Custom scalars are as the subgraph serialised them. */
const leaf: Complete = (value) => value;

/** A subgraph may know more enum values than the API, and one that is broken answers values of other types: neither is to be seen. */
function leafOf(type: GraphQLLeafType): Complete {
  if (isEnumType(type)) {
    const known = new Set<unknown>(type.getValues().map(({ name }) => name));
    return (value) => (known.has(value) ? value : null);
  }
  const fits = BUILT_IN[type.name];
  return fits ? (value) => (fits(value) ? value : null) : leaf;
}

const BUILT_IN: Record<string, ((value: unknown) => boolean) | undefined> = {
  Int: Number.isInteger,
  Float: Number.isFinite,
  String: (value) => typeof value === 'string',
  Boolean: (value) => typeof value === 'boolean',
  ID: (value) => typeof value === 'string' || Number.isInteger(value),
};
