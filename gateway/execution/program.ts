import type { FetchNode, PlanNode, SubscriptionNode } from '@apollo/query-planner';
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
      return parallel(fetches.map((fetch) => (node.requires ? entityFetch(path, fetch) : rootFetch(fetch))));
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
      throw new Error('Plans with @defer are not asked for.');
  }
}

/** The rest of a subscription's plan, run for every event. */
export const compileRest = ({ rest }: SubscriptionNode, prepare: PrepareFetch): Step => compilePlan(rest, prepare);

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
