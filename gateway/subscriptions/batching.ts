import { HashiraError } from '../../subgraphs/kit/errors.ts';
import { identityKey } from '../access/identity-key.ts';
import type { GatewayContext } from '../context.ts';
import type { SubgraphError, SubgraphFetch, SubgraphResult, Variables } from '../sources/source.ts';
import { detached } from './detached.ts';
import { whenAllLeft } from './when-all-left.ts';

/** Most representations in one fetch. A single call may have more: it goes as it is. */
const MOST = 1_000;

/**
 * Least time between two fetches, a frame of a screen: the first goes at once; where many come, what comes meanwhile goes together.
 */
const GAP_MS = 16;

interface Call {
  representations: readonly unknown[];
  variables: Variables;
  context: GatewayContext;
  resolve(result: SubgraphResult | Promise<SubgraphResult>): void;
  reject(error: unknown): void;
}

/**
 * Joins the `_entities` queries that arrive together into one fetch: those of the same person with the
 * same other variables. Each caller gets its own entities, the errors of those, and errors that belong to no entity.
 * A call that is alone goes through untouched.
 */
export function batchEntities(fetch: SubgraphFetch, most = MOST): SubgraphFetch {
  let calls: Call[] = [];
  let flushed = 0;
  const flush = () => {
    const arrived = calls;
    calls = [];
    flushed = performance.now();
    for (const batch of batches(arrived, most)) void send(fetch, batch);
  };
  return {
    execute: (variables, context) =>
      new Promise((resolve, reject) => {
        if (calls.length === 0) {
          const wait = flushed + GAP_MS - performance.now();
          if (wait > 0) setTimeout(flush, wait);
          else setImmediate(flush);
        }
        const representations = variables.representations as readonly unknown[];
        calls.push({ representations, variables, context, resolve, reject });
      }),
    subscribe: (variables, context) => fetch.subscribe(variables, context),
  };
}

function* batches(calls: readonly Call[], most: number): Generator<Call[]> {
  const open = new Map<string, { batch: Call[]; size: number }>();
  for (const call of calls) {
    const key = batchKey(call);
    const size = call.representations.length;
    const fill = open.get(key);
    if (fill && fill.size + size <= most) {
      fill.batch.push(call);
      fill.size += size;
      continue;
    }
    if (fill) yield fill.batch;
    open.set(key, { batch: [call], size });
  }
  for (const { batch } of open.values()) yield batch;
}

function batchKey({ variables, context }: Call): string {
  const { representations: _, ...others } = variables;
  return `${identityKey(context.identity)} ${JSON.stringify(others)}`;
}

async function send(fetch: SubgraphFetch, batch: readonly Call[]): Promise<void> {
  const [first] = batch as [Call];
  if (batch.length === 1) {
    first.resolve(attempt(() => fetch.execute(first.variables, first.context)));
    return;
  }
  const { signal, release } = whenAllLeft(batch.map(({ context }) => context.signal));
  try {
    const representations = batch.flatMap((call) => call.representations);
    const context = detached(first.context, signal);
    const result = await fetch.execute({ ...first.variables, representations }, context);
    const entities = result.data?._entities;
    // With one too few or too many, some would be given to who did not ask for them.
    if (entities != null && (entities as unknown[]).length !== representations.length) throw unusable();
    let from = 0;
    for (const call of batch) {
      call.resolve(part(result, from, call.representations.length));
      from += call.representations.length;
    }
  } catch (error) {
    for (const call of batch) call.reject(call.context.signal?.aborted ? call.context.signal.reason : error);
  } finally {
    release();
  }
}

const unusable = () =>
  new HashiraError('SUBGRAPH_UNAVAILABLE', 'A part of the graph gave an answer that cannot be used.');

const attempt = async <T>(work: () => T | Promise<T>): Promise<T> => work();

/** What the answer to a joined fetch says about `count` entities from index `from` on. */
function part({ data, errors }: SubgraphResult, from: number, count: number): SubgraphResult {
  const entities = data?._entities as readonly unknown[] | null | undefined;
  const own = errors?.flatMap((error) => placed(error, from, count, entities != null) ?? []);
  const result: SubgraphResult = { data: entities ? { _entities: entities.slice(from, from + count) } : data };
  if (own && own.length > 0) result.errors = own;
  return result;
}

/** The error with its path in a part; null when it belongs to an entity of another one. */
function placed(error: SubgraphError, from: number, count: number, perEntity: boolean): SubgraphError | null {
  const [root, index, ...rest] = error.path ?? [];
  if (root !== '_entities' || typeof index !== 'number') return error;
  // An error that took all entities with it concerns everybody.
  if (!perEntity) return { ...error, path: undefined };
  if (index < from || index >= from + count) return null;
  return { ...error, path: [root, index - from, ...rest] };
}
