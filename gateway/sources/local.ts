import { createSourceEventStream, type ExecutionResult, type GraphQLSchema, parse } from 'graphql';
import { compileOperation } from '../../subgraphs/kit/compiled.ts';
import { resolveEntitiesAtOnce } from '../../subgraphs/kit/entities.ts';
import { formatError } from '../../subgraphs/kit/format-error.ts';
import type { RunningSubgraph } from '../../subgraphs/kit/subgraph.ts';
import type { GatewayContext } from '../context.ts';
import type { Source, SubgraphFetch, SubgraphOperation, SubgraphResult } from './source.ts';

/** A subgraph in this process: each operation of a plan is compiled once, and answered without HTTP, parsing or text. */
export class LocalSource implements Source {
  constructor(
    readonly name: string,
    private readonly schema: GraphQLSchema,
    private readonly running: RunningSubgraph,
  ) {
    resolveEntitiesAtOnce(schema);
  }

  prepare({ text, name }: SubgraphOperation): SubgraphFetch {
    const document = parse(text, { noLocation: true });
    // Planned for this very schema, so validating it again would only cost time.
    const run = compileOperation(this.schema, document, name);
    return {
      execute: (variables, context) => {
        const result = run(undefined, this.contextFor(context), variables);
        return isPromise(result) ? result.then((late) => formatted(late, context)) : formatted(result, context);
      },
      subscribe: async (variables, context) => {
        // graphql-js finds the source: graphql-jit would hand variables to the field in place of its arguments.
        const events = await createSourceEventStream({
          schema: this.schema,
          document,
          operationName: name,
          contextValue: this.running.context(context),
          variableValues: variables,
        });
        if (!(Symbol.asyncIterator in events)) return once(formatted(events, context));
        // Events come over a long time: each gets DataLoaders of its own.
        return mapped(events, async (event) =>
          formatted(await run(event, this.running.context(context), variables), context),
        );
      },
    };
  }

  async stop(): Promise<void> {
    await this.running.stop?.();
  }

  private contextFor(context: GatewayContext): object {
    let own = context.subgraphContexts.get(this.name);
    if (!own) {
      own = this.running.context(context);
      context.subgraphContexts.set(this.name, own);
    }
    return own;
  }
}

const isPromise = <T>(value: T | Promise<T>): value is Promise<T> => typeof (value as Promise<T>)?.then === 'function';

/** @throws the reason of the signal when the client has left: what that has interrupted is no news */
function formatted({ data, errors }: ExecutionResult, context: GatewayContext): SubgraphResult {
  if (!errors || errors.length === 0) return { data };
  context.signal?.throwIfAborted();
  return { data, errors: errors.map((error) => formatError(error, context.log)) };
}

async function* once<T>(value: T): AsyncGenerator<T> {
  yield value;
}

/** The events mapped; leaving it leaves the source at once, even while it waits for its next event. */
function mapped<A, B>(source: AsyncIterable<A>, map: (value: A) => Promise<B>): AsyncIterableIterator<B> {
  const iterator = source[Symbol.asyncIterator]();
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      const { done, value } = await iterator.next();
      return done ? { done: true, value: undefined } : { done: false, value: await map(value) };
    },
    async return() {
      await iterator.return?.();
      return { done: true, value: undefined };
    },
  };
}
