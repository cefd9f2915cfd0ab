import { type GraphQLSchema, graphql } from 'graphql';
import type { Identity } from '../../subgraphs/kit/auth.ts';
import { loadConfig } from '../../subgraphs/kit/config.ts';
import type { Database } from '../../subgraphs/kit/database.ts';
import { createLogger } from '../../subgraphs/kit/log.ts';
import { createRegistry } from '../../subgraphs/kit/registry.ts';
import type { RunningSubgraph, Subgraph } from '../../subgraphs/kit/subgraph.ts';

/** An answer, loosely typed: tests look into it with the paths they asked for. */
export interface Answer {
  // biome-ignore lint/suspicious/noExplicitAny: the shape follows from the query text
  data: any;
  errors: { code: unknown; message: string; path: string }[];
}

/** A subgraph in this process. It answers what the gateway would let through: `@requiresScopes` is the gateway's to enforce. */
export class SubgraphUnderTest {
  private constructor(
    private readonly schema: GraphQLSchema,
    readonly sdl: string,
    private readonly running: RunningSubgraph,
  ) {}

  static async start(subgraph: Subgraph, database: Database, env: NodeJS.ProcessEnv = {}): Promise<SubgraphUnderTest> {
    const config = loadConfig(env);
    const log = createLogger('test', 'silent');
    const { schema, sdl } = await subgraph.schema();
    const running = await subgraph.start({ config, database, log, registry: createRegistry(config) });
    return new SubgraphUnderTest(schema, sdl, running);
  }

  /** @param as who asks; a visitor when not given */
  async execute(source: string, variables: Record<string, unknown> = {}, as: Identity | null = null): Promise<Answer> {
    const contextValue = this.running.context({
      identity: as,
      requestId: 'test',
      log: createLogger('test', 'silent'),
    });
    const { data, errors } = await graphql({
      schema: this.schema,
      source,
      variableValues: variables,
      contextValue,
    });
    return {
      data,
      errors: (errors ?? []).map(({ extensions, message, path }) => ({
        code: extensions.code,
        message,
        path: (path ?? []).join('.'),
      })),
    };
  }

  /** Finds entities as the gateway asks for them. */
  async entities(type: string, ids: readonly string[], selection: string, as: Identity | null = null): Promise<Answer> {
    const representations = ids.map((id) => ({ __typename: type, id }));
    return this.execute(
      `query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on ${type} ${selection} } }`,
      { representations },
      as,
    );
  }

  async stop(): Promise<void> {
    await this.running.stop?.();
  }
}

export const as = (subject: string, ...scopes: string[]): Identity => ({ subject, scopes });
