import type { FetchNode } from '@apollo/query-planner';
import { HashiraError } from '../../subgraphs/kit/errors.ts';
import { formatError, formatThrown } from '../../subgraphs/kit/format-error.ts';
import type { SubgraphError, SubgraphFetch, SubgraphResult, Variables } from '../sources/source.ts';
import { merge } from './merge.ts';
import { collect, locations, type PathElement, type ResponsePath } from './path.ts';
import { compileRepresentations } from './representations.ts';
import { compileRewrites } from './rewrites.ts';
import type { Data, Run, Step } from './run.ts';
import type { Types } from './types.ts';

/** A fetch of a plan with the subgraph's operation made ready. */
export interface PreparedFetch {
  node: FetchNode;
  fetch: SubgraphFetch;
  types: Types;
  /** The subgraph's names of fields that the plan calls otherwise, see graph/required-arguments.ts. */
  realNames: ReadonlyMap<string, string>;
  /** What a representation must have beside a key. */
  must: readonly string[];
  /** For entities of which some of that is not known: fetches of the fields that can be had without it. */
  without: readonly PreparedFetch[];
}

const NONE: Variables = {};

/** Compiles the choice of those variables that a fetch uses. */
export function compileVariables(usages: readonly string[] | undefined): (variables: Variables) => Variables {
  if (!usages || usages.length === 0) return () => NONE;
  return (variables) => {
    const used: Record<string, unknown> = {};
    for (const name of usages) if (variables[name] !== undefined) used[name] = variables[name];
    return used;
  };
}

/** Compiles a fetch of root fields. */
export function rootFetch({ node, fetch, types }: PreparedFetch): Step {
  const variablesOf = compileVariables(node.variableUsages);
  const rewrite = compileRewrites(node.outputRewrites, types);
  return (run) =>
    attempt(
      run,
      () => fetch.execute(variablesOf(run.variables), run.context),
      (result) => absorbRoot(run, result, types, rewrite),
      () => [],
    );
}

/** Adds a subgraph's answer of root fields; also an event of a subscription is one. */
export function absorbRoot(
  run: Run,
  { data, errors }: SubgraphResult,
  types: Types,
  rewrite: ((data: unknown) => void) | null,
): void {
  if (data) {
    rewrite?.(data);
    merge(run.data, data, types);
  }
  if (errors) for (const error of errors) report(run, error, error.path);
}

/** Compiles a fetch of more fields for the entities at a path. */
export function entityFetch(path: readonly PathElement[], fetch: PreparedFetch): Step {
  const ask = compileEntities(fetch);
  const without = fetch.without.map(compileEntities);
  return (run) => {
    const entities = collect(run.data, path);
    if (entities.length === 0) return undefined;
    const { of, pending } = ask(run, entities, () => locations(run.data, path));
    if (without.length === 0 || !of.includes(-1)) return pending;
    const missed = entities.flatMap((_, index) => (of[index] === -1 ? index : []));
    const places = () => {
      const all = locations(run.data, path);
      return missed.map((index) => all[index] ?? []);
    };
    const rest = missed.map((index) => entities[index] as Data);
    return Promise.all([pending, ...without.map((other) => other(run, rest, places).pending)]).then(() => undefined);
  };
}

/** Compiles a fetch for entities, wherever they are. It tells of each which representation was its own; -1: none. */
function compileEntities({ node, fetch, types, realNames, must }: PreparedFetch) {
  const variablesOf = compileVariables(node.variableUsages);
  const represent = compileRepresentations(node.requires ?? [], node.inputRewrites, types, realNames, must);
  const rewrite = compileRewrites(node.outputRewrites, types);
  return (run: Run, entities: readonly Data[], places: () => readonly ResponsePath[]) => {
    const { list, of } = represent(entities);
    if (list.length === 0) return { of, pending: undefined };
    const pending = attempt(
      run,
      () => fetch.execute({ ...variablesOf(run.variables), representations: list }, run.context),
      ({ data, errors }) => {
        if (data) mergeEntities(entities, of, list.length, data._entities, types, rewrite);
        if (errors) for (const error of errors) reportEntities(run, error, places(), of);
      },
      () => places()[of.findIndex((index) => index >= 0)] ?? [],
    );
    return { of, pending };
  };
}

function mergeEntities(
  entities: readonly Data[],
  of: Int32Array,
  count: number,
  received: unknown,
  types: Types,
  rewrite: ((data: unknown) => void) | null,
): void {
  if (!Array.isArray(received) || received.length !== count) {
    throw new HashiraError('SUBGRAPH_UNAVAILABLE', 'A part of the graph gave an answer that cannot be used.', {
      cause: new Error(`_entities should have ${count} items`),
    });
  }
  if (rewrite) {
    for (let index = 0; index < count; index++) {
      const entity = received[index] as Data | null;
      if (!entity) continue;
      // A rewrite can depend on the type: the one asked for, where the subgraph did not say it.
      entity.__typename ??= entities[of.indexOf(index)]?.__typename;
      rewrite(entity);
    }
  }
  for (let i = 0; i < entities.length; i++) {
    const index = of[i] as number;
    if (index < 0) continue;
    const entity = received[index] as Data | null;
    if (entity) merge(entities[i] as Data, entity, types);
  }
}

/** An error inside `_entities` belongs to every place where that entity is. */
function reportEntities(run: Run, error: SubgraphError, places: readonly ResponsePath[], of: Int32Array): void {
  const index = error.path?.[1];
  if (typeof index !== 'number') {
    report(run, error, places[of.findIndex((own) => own >= 0)]);
    return;
  }
  const rest = error.path?.slice(2) ?? [];
  of.forEach((own, place) => {
    if (own === index) report(run, error, [...(places[place] ?? []), ...rest]);
  });
}

/**
 * Whatever a subgraph calls an error becomes one. What has a code of its own was written for clients; what has none may say
 * anything of the subgraph's inside, and goes to the log.
 */
function report(run: Run, error: SubgraphError, path: ResponsePath | undefined): void {
  const given = error as { message?: unknown; extensions?: unknown };
  const message = typeof given.message === 'string' ? given.message : 'A part of the graph failed and did not say why.';
  // Many servers say where in their code it was, unless told not to.
  const { stacktrace: _, exception: __, ...extensions } = isObject(given.extensions) ? given.extensions : {};
  const { code = INTERNAL } = extensions;
  const shown = code === INTERNAL ? formatError({ message, extensions }, run.context.log) : { message, extensions };
  run.errors.push({
    message: shown.message,
    ...(isPath(path) ? { path } : {}),
    extensions: shown.extensions ?? {},
  });
}

const INTERNAL = 'INTERNAL_SERVER_ERROR';
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const isPath = (value: unknown): value is ResponsePath =>
  Array.isArray(value) && value.every((key) => typeof key === 'string' || typeof key === 'number');

/**
 * Sends a fetch and takes its answer, at once or later. A fetch that fails costs its own fields: the error is reported, the plan
 * goes on. Only a client that has left ends the plan.
 */
function attempt(
  run: Run,
  send: () => SubgraphResult | Promise<SubgraphResult>,
  absorb: (result: SubgraphResult) => void,
  place: () => ResponsePath,
): Promise<void> | undefined {
  try {
    const result = send();
    if (result instanceof Promise) return result.then(absorb).catch((error) => fail(run, error, place()));
    absorb(result);
  } catch (error) {
    fail(run, error, place());
  }
  return undefined;
}

function fail({ context, errors }: Run, error: unknown, path: ResponsePath): void {
  const { signal, log } = context;
  if (signal?.aborted) throw signal.reason;
  errors.push({ ...formatThrown(error, log), path });
}
