import type { FetchNode, QueryPlanSelectionNode } from '@apollo/query-planner';
import {
  type DocumentNode,
  type FieldNode,
  Kind,
  type OperationDefinitionNode,
  parse,
  print,
  type SelectionSetNode,
  stripIgnoredCharacters,
  visit,
} from 'graphql';
import type { RequiredArguments } from './required-arguments.ts';

/** A fetch as its subgraph is asked. */
export interface ResolvedFetch {
  node: FetchNode;
  /** What a representation must have beside a key: the fields asked for require it. */
  must: readonly string[];
  /** For entities of which some of that is not known: the fields that can be had without it, by what they require. */
  without: ResolvedFetch[];
}

/**
 * What a fetch of the plan sends, in the subgraph's own terms: fields added for `@requires` with arguments become what they stand
 * for. Where one representation would have to hold a field twice, with other arguments, the fetch becomes several.
 * @param graph the subgraph in the enum join__Graph
 */
export function resolveFetch(node: FetchNode, graph: string, required: RequiredArguments): ResolvedFetch[] {
  if (!node.requires)
    return [{ node: resolved(node, parse(node.operation, OPTIONS), required), must: [], without: [] }];
  const real = (names: Iterable<string>) => [...names].map((name) => required.fields.get(name)?.name ?? name);
  const document = parse(node.operation, OPTIONS);
  return splitFields(document, graph, required).map(({ keep, needs }) => {
    const kept = keep ? withOnly(document, keep) : document;
    const part = needs ? { ...node, requires: withNeeds(node.requires ?? [], needs, required) } : node;
    const groups = byRequirement(kept, graph, required);
    const all = new Set(groups.flatMap(({ own }) => [...own]));
    const without = (groups.length > 1 ? groups : []).map(({ fields, own, keys }): ResolvedFetch => {
      const unneeded = new Set([...all].filter((name) => !own.has(name) && !keys.has(name)));
      const others = { ...part, requires: withoutFields(part.requires ?? [], unneeded) };
      return { node: resolved(others, withOnly(kept, fields), required), must: real(own), without: [] };
    });
    return { node: resolved(part, kept, required), must: real(all), without };
  });
}

const OPTIONS = { noLocation: true };

function resolved(node: FetchNode, document: DocumentNode, required: RequiredArguments): FetchNode {
  const operation = stripIgnoredCharacters(print(withRealNames(document, required)));
  const variableUsages = (node.variableUsages ?? []).filter((name) => new RegExp(`\\$${name}\\b`).test(operation));
  return { ...node, operation, variableUsages };
}

/** The asked fields by what they require, with the keys by which the entities may be sent. */
function byRequirement(
  document: DocumentNode,
  graph: string,
  { requires, keys }: RequiredArguments,
): { fields: Set<FieldNode>; own: ReadonlySet<string>; keys: ReadonlySet<string> }[] {
  const groups = new Map<string, { fields: Set<FieldNode>; own: ReadonlySet<string>; keys: Set<string> }>();
  const known = new Set<string>();
  for (const { type, field } of entityFields(document)) {
    const own = requires.get(`${graph} ${type}.${field.name.value}`) ?? NONE;
    const key = [...own].sort().join(' ');
    const group = groups.get(key) ?? { fields: new Set(), own, keys: known };
    groups.set(key, group);
    group.fields.add(field);
    for (const name of keys.get(`${graph} ${type}`) ?? NONE) known.add(name);
  }
  return [...groups.values()];
}

const NONE: ReadonlySet<string> = new Set();

/** What is required, without these fields. */
function withoutFields(
  selections: readonly QueryPlanSelectionNode[],
  names: ReadonlySet<string>,
): QueryPlanSelectionNode[] {
  return selections.flatMap((selection): QueryPlanSelectionNode[] => {
    if (selection.kind === 'Field') return names.has(selection.name) ? [] : [selection];
    const inner = withoutFields(selection.selections, names);
    // A fragment of which only the type's name is left tells nothing.
    return inner.some((one) => one.kind !== 'Field' || one.name !== '__typename')
      ? [{ ...selection, selections: inner }]
      : [];
  });
}

interface Part {
  /** The fields it asks of each entity; null: all. */
  keep: Set<FieldNode> | null;
  /** The added fields it may send; null: all. */
  needs: Set<string> | null;
}

/** The asked fields in as few parts as possible, so that no two of a part require one field with different arguments. */
function splitFields(document: DocumentNode, graph: string, { fields, needs }: RequiredArguments): Part[] {
  const parts: { keep: Set<FieldNode>; needs: Set<string> }[] = [];
  for (const { type, field } of entityFields(document)) {
    const own = needs.get(`${graph} ${type}.${field.name.value}`) ?? new Set<string>();
    const conflicts = (part: { needs: Set<string> }) =>
      [...own].some((a) => [...part.needs].some((b) => a !== b && fields.get(a)?.name === fields.get(b)?.name));
    let part = parts.find((candidate) => !conflicts(candidate));
    if (!part) {
      part = { keep: new Set(), needs: new Set() };
      parts.push(part);
    }
    part.keep.add(field);
    for (const need of own) part.needs.add(need);
  }
  return parts.length > 1 ? parts : [{ keep: null, needs: null }];
}

/** The fields asked of entities, with the type they are asked of. */
function entityFields(document: DocumentNode): { type: string; field: FieldNode }[] {
  const found: { type: string; field: FieldNode }[] = [];
  const walk = (set: SelectionSetNode, type: string): void => {
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) found.push({ type, field: selection });
      else if (selection.kind === Kind.INLINE_FRAGMENT) {
        walk(selection.selectionSet, selection.typeCondition?.name.value ?? type);
      }
    }
  };
  const [root] = operationOf(document).selectionSet.selections;
  if (root?.kind === Kind.FIELD && root.name.value === '_entities' && root.selectionSet) walk(root.selectionSet, '');
  return found;
}

const operationOf = (document: DocumentNode) => document.definitions[0] as OperationDefinitionNode;

/** The operation with only these of the entities' fields, and without the variables that nothing uses then. */
function withOnly(document: DocumentNode, keep: ReadonlySet<FieldNode>): DocumentNode {
  const all = new Set(entityFields(document).map(({ field }) => field));
  const pruned: DocumentNode = visit(document, {
    Field: (node) => (all.has(node) && !keep.has(node) ? null : undefined),
    InlineFragment: { leave: (node) => (node.selectionSet.selections.length === 0 ? null : undefined) },
  });
  const used = new Set<string>();
  visit(operationOf(pruned).selectionSet, { Variable: (node) => void used.add(node.name.value) });
  return visit(pruned, {
    VariableDefinition: (node) => (used.has(node.variable.name.value) ? undefined : null),
  });
}

function withRealNames(document: DocumentNode, { fields }: RequiredArguments): DocumentNode {
  return visit(document, {
    Field(node) {
      const real = fields.get(node.name.value);
      if (!real) return undefined;
      const name = { kind: Kind.NAME as const, value: real.name };
      return { ...node, alias: node.alias ?? node.name, name, arguments: real.arguments ?? [] };
    },
  });
}

function withNeeds(
  selections: readonly QueryPlanSelectionNode[],
  needs: ReadonlySet<string> | null,
  required: RequiredArguments,
): QueryPlanSelectionNode[] {
  if (!needs) return [...selections];
  return selections.flatMap((selection) => {
    if (selection.kind === 'Field' && required.fields.has(selection.name) && !needs.has(selection.name)) return [];
    const inner = selection.selections && withNeeds(selection.selections, needs, required);
    return inner?.length === 0 ? [] : ([{ ...selection, selections: inner }] as QueryPlanSelectionNode[]);
  });
}
