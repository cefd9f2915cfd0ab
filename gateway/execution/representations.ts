import type { FetchDataRewrite, QueryPlanSelectionNode } from '@apollo/query-planner';
import { compileRewrites, FRAGMENT } from './rewrites.ts';
import type { Data } from './run.ts';
import type { Types } from './types.ts';

const NONE: ReadonlyMap<string, string> = new Map();

/** The representation of an entity: what its subgraph needs to find it; null when some of that is missing. */
type Represent = (entity: Data) => Data | null;

interface Field {
  /** Where the data has it. */
  from: string;
  /** What the subgraph calls it. */
  to: string;
  select: Represent | null;
}

/** The representations of a list of entities, each asked for once, and for each entity which one is its own (-1: none). */
export interface Representations {
  list: Data[];
  of: Int32Array;
}

/**
 * Compiles what a fetch requires of each entity.
 * @param realNames the subgraph's names of fields that the plan calls otherwise, see required-arguments.ts
 * @param must what it must have beside a key, or it is none
 */
export function compileRepresentations(
  requires: readonly QueryPlanSelectionNode[],
  rewrites: readonly FetchDataRewrite[] | undefined,
  types: Types,
  realNames: ReadonlyMap<string, string>,
  must: readonly string[] = [],
): (entities: readonly Data[]) => Representations {
  const names = interfaceNames(requires, rewrites, types);
  const represent = compileSelection(requires, types, realNames, names);
  const rewrite = compileRewrites(
    rewrites?.filter((one) => !isTypename(one)),
    types,
  );
  const key = singleKey(requires, types, realNames);
  return (entities) => {
    const list: Data[] = [];
    const of = new Int32Array(entities.length);
    const seen = new Map<unknown, number>();
    for (let i = 0; i < entities.length; i++) {
      const entity = entities[i] as Data;
      const representation = represent(entity);
      if (!representation || representation.__typename === undefined || lacks(representation, must)) {
        of[i] = -1;
        continue;
      }
      const identity = key === null ? JSON.stringify(representation) : representation[key];
      let index = seen.get(identity);
      if (index === undefined) {
        rewrite?.(representation);
        index = list.push(representation) - 1;
        seen.set(identity, index);
      }
      of[i] = index;
    }
    return { list, of };
  };
}

function lacks(representation: Data, must: readonly string[]): boolean {
  for (const name of must) if (representation[name] === undefined) return true;
  return false;
}

/**
 * A subgraph that knows an entity only by its interface is sent the interface's name. By the conditions of the fragments whose
 * key was meant: the interface's own, where there is one, for another type may be sent by a key of its own beside it.
 */
function interfaceNames(
  requires: readonly QueryPlanSelectionNode[],
  rewrites: readonly FetchDataRewrite[] | undefined,
  types: Types,
): ReadonlyMap<string, string> {
  const conditions = requires.flatMap((one) => (one.kind === 'InlineFragment' ? (one.typeCondition ?? []) : []));
  const names = new Map<string, string>();
  for (const rewrite of rewrites ?? []) {
    if (!isTypename(rewrite)) continue;
    const condition = String(rewrite.path[0]).slice(FRAGMENT.length);
    const meant = conditions.includes(condition)
      ? [condition]
      : conditions.filter((one) => types.meets(one, condition));
    for (const one of meant) names.set(one, String(rewrite.setValueTo));
  }
  return names.size > 0 ? names : NONE;
}

const isTypename = (rewrite: FetchDataRewrite): rewrite is FetchDataRewrite & { kind: 'ValueSetter' } =>
  rewrite.kind === 'ValueSetter' &&
  rewrite.path.length === 2 &&
  rewrite.path[0]?.startsWith(FRAGMENT) === true &&
  rewrite.path[1] === '__typename';

/** The field that alone tells entities apart, in the common case of one type with one scalar key; else null. */
function singleKey(
  requires: readonly QueryPlanSelectionNode[],
  types: Types,
  realNames: ReadonlyMap<string, string>,
): string | null {
  const [only] = requires;
  if (requires.length !== 1 || only?.kind !== 'InlineFragment') return null;
  if (!only.typeCondition || !types.isObject(only.typeCondition)) return null;
  const [typename, key] = only.selections;
  if (only.selections.length !== 2 || key?.kind !== 'Field' || key.selections) return null;
  if (typename?.kind !== 'Field' || typename.name !== '__typename') return null;
  const name = key.alias ?? key.name;
  return realNames.get(name) ?? name;
}

function compileSelection(
  selections: readonly QueryPlanSelectionNode[],
  types: Types,
  realNames: ReadonlyMap<string, string>,
  names: ReadonlyMap<string, string> = NONE,
): Represent {
  const fields: Field[] = [];
  const fragments: { condition: string; name: string | undefined; select: Represent }[] = [];
  for (const selection of selections) {
    if (selection.kind === 'Field') {
      const from = selection.alias ?? selection.name;
      const select = selection.selections ? compileSelection(selection.selections, types, realNames) : null;
      fields.push({ from, to: realNames.get(from) ?? from, select });
    } else if (selection.typeCondition) {
      fragments.push({
        condition: selection.typeCondition,
        name: names.get(selection.typeCondition),
        select: compileSelection(selection.selections, types, realNames),
      });
    }
  }
  const own = (entity: Data): Data | null => {
    const representation: Data = {};
    for (const { from, to, select } of fields) {
      const value = entity[from];
      if (value === undefined) return null;
      representation[to] = select ? selectIn(value, select) : value;
    }
    return representation;
  };
  const [first] = fragments;
  if (!first) return own;
  if (fragments.length === 1 && fields.length === 0 && first.name === undefined) {
    return (entity) => {
      const { __typename } = entity;
      return typeof __typename === 'string' && types.meets(__typename, first.condition) ? first.select(entity) : null;
    };
  }
  return (entity) => {
    const representation = own(entity);
    if (!representation) return null;
    const { __typename } = entity;
    if (typeof __typename !== 'string') return representation;
    // The interface's name, if its key is there; another type may be sent by a key of its own.
    let named: string | undefined;
    for (const { condition, name, select } of fragments) {
      const more = types.meets(__typename, condition) ? select(entity) : null;
      if (!more) continue;
      combine(representation, more);
      named ??= name;
    }
    if (named !== undefined) representation.__typename = named;
    return representation;
  };
}

function selectIn(value: unknown, select: Represent): unknown {
  if (Array.isArray(value)) return value.map((item) => selectIn(item, select));
  return value === null ? null : select(value as Data);
}

/** Two fragments may ask parts of one object. */
function combine(target: Data, source: Data): void {
  for (const [key, value] of Object.entries(source)) {
    const present = target[key];
    if (present && value && typeof present === 'object' && typeof value === 'object') {
      combine(present as Data, value as Data);
    } else {
      target[key] = value;
    }
  }
}
