import type { FetchNode, PlanNode } from '@apollo/query-planner';
import { entityFetch, type PreparedFetch, rootFetch } from './fetch.ts';
import type { PathElement } from './path.ts';
import type { Run, Step } from './run.ts';

/** Makes a fetch of the plan ready; several, where what it requires cannot be sent in one. */
export type PrepareFetch = (node: FetchNode) => PreparedFetch[];

const NOTHING: Step = () => undefined;

/** Compiles a query plan into a function, once: what a request then costs is the fetches and the merging. */
export function compilePlan(
  node: PlanNode | undefined,
  prepare: PrepareFetch,
  path: readonly PathElement[] = [],
): Step {
  if (!node) return NOTHING;
  switch (node.kind) {
    case 'Fetch': {
      const fetches = prepare(node);
      const step = parallel(fetches.map((fetch) => (node.requires ? entityFetch(path, fetch) : rootFetch(fetch))));
      return node.id === undefined ? step : marked(step, node.id);
    }
    case 'Flatten':
      return compilePlan(node.node, prepare, [...path, ...node.path.map(String)]);
    case 'Sequence':
      return sequence(node.nodes.map((child) => compilePlan(child, prepare, path)));
    case 'Parallel':
      return parallel(node.nodes.map((child) => compilePlan(child, prepare, path)));
    case 'Condition': {
      const { condition } = node;
      const yes = compilePlan(node.ifClause, prepare, path);
      const no = compilePlan(node.elseClause, prepare, path);
      return (run) => (run.variables[condition] === true ? yes(run) : no(run));
    }
    case 'Defer':
      // What is deferred is compiled by compileDeferred: this is what the first answer needs.
      return compilePlan(node.primary.node, prepare, path);
  }
}

/** The parts of a plan that come after the first answer, in an order in which each follows the part that it is in. */
export function compileDeferred(node: PlanNode | undefined, prepare: PrepareFetch): DeferredStep[] {
  if (node?.kind !== 'Defer') return [];
  return node.deferred.flatMap(({ label = '', depends, node: inner }) => [
    { label, depends: depends.map(({ id }) => id), run: compilePlan(inner, prepare) },
    ...compileDeferred(inner, prepare).map((nested) => ({ ...nested, within: nested.within ?? label })),
  ]);
}

/** The fetches of a deferred part. */
export interface DeferredStep {
  label: string;
  /** The part it is in, if it is in one. */
  within?: string;
  /** Fetches that must be over before. */
  depends: readonly string[];
  run: Step;
}

function marked(step: Step, id: string): Step {
  return (run) => {
    const pending = step(run);
    if (pending) return pending.then(() => run.fetched?.(id));
    run.fetched?.(id);
    return undefined;
  };
}

function sequence(steps: readonly Step[]): Step {
  const from = (run: Run, start: number): Promise<void> | undefined => {
    for (let i = start; i < steps.length; i++) {
      const pending = (steps[i] as Step)(run);
      if (pending) return pending.then(() => from(run, i + 1));
    }
    return undefined;
  };
  const [only] = steps;
  return steps.length === 1 && only ? only : (run) => from(run, 0);
}

function parallel(steps: readonly Step[]): Step {
  const [only] = steps;
  if (steps.length === 1 && only) return only;
  return (run) => {
    const pending: Promise<void>[] = [];
    for (const step of steps) {
      const promise = step(run);
      if (promise) pending.push(promise);
    }
    return pending.length > 0 ? Promise.all(pending).then(() => undefined) : undefined;
  };
}
