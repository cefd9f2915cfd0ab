import type { GatewayContext } from '../context.ts';
import type { FetchObserver } from './fetch-observer.ts';
import type { Source, SubgraphFetch, SubgraphResult, Variables } from './source.ts';

/**
 * A source whose fetches are traced, where their request is, and timed.
 * @param observer none for a source that reports its fetches itself
 */
export function observed(source: Source, observer: FetchObserver | null): Source {
  return {
    name: source.name,
    prepare: (operation) => {
      const fetch = source.prepare(operation);
      const timed = observer ? timedFetch(source.name, fetch, observer) : fetch;
      return {
        execute: (variables, context) =>
          context.trace ? traced(source.name, timed, variables, context) : timed.execute(variables, context),
        subscribe: (variables, context) => fetch.subscribe(variables, context),
      };
    },
    stop: () => source.stop(),
  };
}

function timedFetch(name: string, fetch: SubgraphFetch, observer: FetchObserver): Pick<SubgraphFetch, 'execute'> {
  return {
    execute: (variables, context) => {
      const started = performance.now();
      return settled(
        () => fetch.execute(variables, context),
        (ok) => {
          const outcome = ok ? 'ok' : context.signal?.aborted ? 'aborted' : 'error';
          observer.onFetch(name, outcome, performance.now() - started);
        },
      );
    },
  };
}

function traced(name: string, fetch: Pick<SubgraphFetch, 'execute'>, variables: Variables, context: GatewayContext) {
  const span = context.trace?.fetch(name);
  // Not a copy: the context may compute its members.
  const own: GatewayContext = Object.create(context, { traceparent: { value: span?.traceparent } });
  return settled(
    () => fetch.execute(variables, own),
    (ok) => span?.end(ok ? undefined : 'SUBGRAPH_UNAVAILABLE'),
  );
}

/** Tells once how a call ended, now or later, and passes on how it did. */
function settled(
  call: () => SubgraphResult | Promise<SubgraphResult>,
  done: (ok: boolean) => void,
): SubgraphResult | Promise<SubgraphResult> {
  try {
    const result = call();
    if (!(result instanceof Promise)) {
      done(true);
      return result;
    }
    return result.then(
      (value) => {
        done(true);
        return value;
      },
      (error) => {
        done(false);
        throw error;
      },
    );
  } catch (error) {
    done(false);
    throw error;
  }
}
