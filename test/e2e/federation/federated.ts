import { prettyFormatQueryPlan } from '@apollo/query-planner';
import { type ExecutionResult, type GraphQLSchema, parse, validate } from 'graphql';
import type { GatewayContext } from '../../../gateway/context.ts';
import { Graph } from '../../../gateway/graph/graph.ts';
import { LocalSource } from '../../../gateway/sources/local.ts';
import type { Source } from '../../../gateway/sources/source.ts';
import { HashiraError } from '../../../subgraphs/kit/errors.ts';
import { createLogger } from '../../../subgraphs/kit/log.ts';
import { compose, type Row, subgraphSchemas, type World } from './world.ts';

export interface Federated {
  /** Of the API that clients see. */
  schema: GraphQLSchema;
  run(query: string, variables?: Row): Promise<ExecutionResult>;
  /** The query's plan, for a person to read. */
  plan(query: string): string;
  stop(): Promise<void>;
}

const log = createLogger('federation', 'silent');

/** The world through the gateway. @param broken names of subgraphs that answer nothing at all */
export async function federate(world: World, broken: readonly string[] = []): Promise<Federated> {
  const sources = new Map<string, Source>();
  for (const [name, schema] of subgraphSchemas(world)) {
    sources.set(
      name,
      broken.includes(name) ? unavailable(name) : new LocalSource(name, schema, { context: () => ({}) }),
    );
  }
  const graph = new Graph(compose(world), { sources, log });
  return {
    schema: graph.schema,
    plan: (query) => prettyFormatQueryPlan(graph.operation(parse(query)).plan(null)),
    async stop() {
      for (const source of sources.values()) await source.stop();
    },
    async run(query, variables = {}) {
      const document = parse(query);
      const errors = validate(graph.schema, document);
      if (errors.length > 0) return { errors };
      const operation = graph.operation(document);
      const coerced = operation.coerce(variables);
      if ('errors' in coerced) return { errors: coerced.errors };
      const context: GatewayContext = { identity: null, requestId: 'test', log, subgraphContexts: new Map() };
      return (await operation.execute(coerced.variables, context)) as ExecutionResult;
    },
  };
}

const unavailable = (name: string): Source => ({
  name,
  prepare: () => ({
    execute: () =>
      Promise.reject(new HashiraError('SUBGRAPH_UNAVAILABLE', `The part "${name}" of the graph is unavailable.`)),
    subscribe: () => Promise.reject(new HashiraError('SUBGRAPH_UNAVAILABLE', 'unavailable')),
  }),
  stop: async () => {},
});
