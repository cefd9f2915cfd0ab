import type { Result } from '../answer.types.ts';
import { EVERY, type PathElement } from './path.ts';
import type { DeferredStep } from './program.ts';
import type { Data, ResultError, Run } from './run.ts';
import type { Shape } from './shape.ts';

/** A part of an answer that comes later, compiled. */
export interface DeferredPart extends DeferredStep {
  clientLabel: string | undefined;
  /** Where in the fetched data its objects are. */
  path: readonly PathElement[];
  /** Whether an object of this type, at this request, has it. */
  applies(data: Data, run: Run): boolean;
  shape: Shape;
}

/** A payload of one object. */
interface Incremental {
  path: (string | number)[];
  label?: string;
  data: Data | null;
  errors?: readonly ResultError[];
}

/** Tells who waits for fetches of a plan that they are over. */
export class Fetched {
  private readonly over = new Map<string, { promise: Promise<void>; resolve: () => void }>();

  readonly done = (id: string): void => this.of(id).resolve();

  wait(ids: readonly string[]): Promise<unknown> {
    return Promise.all(ids.map((id) => this.of(id).promise));
  }

  /** Also those that never began: the plan is over. */
  allDone(): void {
    for (const { resolve } of this.over.values()) resolve();
  }

  private of(id: string) {
    let entry = this.over.get(id);
    if (!entry) {
      entry = Promise.withResolvers<void>();
      this.over.set(id, entry);
    }
    return entry;
  }
}

/**
 * The answers after the first: each deferred part as soon as its fetches are over, one after the other.
 * @param first the data of the first answer, when it has been given: what is not in it has no later parts. It grows by what is
 *   delivered.
 * @param clientKey the client's name for a key of the fetched data
 */
export async function* deliver(
  parts: readonly DeferredPart[],
  run: Run,
  fetched: Fetched,
  first: Promise<Data | null>,
  clientKey: (key: string | number) => string | number,
  clientErrors: (errors: readonly ResultError[]) => ResultError[],
): AsyncGenerator<Result> {
  const runs = new Map<string, Promise<{ part: DeferredPart; own: Run }>>();
  for (const part of parts) {
    const started = Promise.all([fetched.wait(part.depends), part.within ? runs.get(part.within) : null]).then(
      async () => {
        const own: Run = { ...run, errors: [], fetched: fetched.done };
        await part.run(own);
        return { part, own };
      },
    );
    started.catch(() => {}); // Told below, to who reads.
    runs.set(part.label, started);
  }
  const waiting = new Map(runs);
  while (waiting.size > 0) {
    const { part, own } = await Promise.race(waiting.values());
    waiting.delete(part.label);
    const incremental = payloads(part, own, await first, clientKey, clientErrors);
    const hasNext = waiting.size > 0;
    if (incremental.length > 0 || !hasNext) {
      yield { ...(incremental.length > 0 ? { incremental } : {}), hasNext } as Result;
    }
  }
}

function payloads(
  part: DeferredPart,
  run: Run,
  first: Data | null,
  clientKey: (key: string | number) => string | number,
  clientErrors: (errors: readonly ResultError[]) => ResultError[],
): Incremental[] {
  const found: Incremental[] = [];
  let fetchErrors = clientErrors(run.errors);
  const walk = (value: unknown, shown: unknown, index: number, path: (string | number)[]): void => {
    if (!isContainer(value) || !isContainer(shown)) return;
    const element = part.path[index];
    if (element === undefined) {
      const object = value as Data;
      if (!part.applies(object, run)) return;
      const { data, denials, violations } = part.shape(object, run.variables, path);
      const own = denials.length > 0 || fetchErrors.length > 0 ? [...fetchErrors, ...denials] : violations;
      fetchErrors = [];
      if (data) Object.assign(shown, data);
      found.push({
        path,
        ...(part.clientLabel === undefined ? {} : { label: part.clientLabel }),
        data,
        ...(own.length > 0 ? { errors: own } : {}),
      });
    } else if (element === EVERY) {
      (value as unknown[]).forEach((item, i) => {
        walk(item, (shown as unknown[])[i], index + 1, [...path, i]);
      });
    } else {
      const key = clientKey(element);
      walk((value as Data)[element], (shown as Data)[key], index + 1, [...path, key]);
    }
  };
  walk(run.data, first, 0, []);
  return found;
}

const isContainer = (value: unknown): value is object => typeof value === 'object' && value !== null;
