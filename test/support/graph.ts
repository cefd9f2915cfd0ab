import { composeServices } from '@apollo/composition';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { parse, validate } from 'graphql';
import type { Result } from '../../gateway/answer.types.ts';
import { Graph } from '../../gateway/graph/graph.ts';
import { LocalSource } from '../../gateway/sources/local.ts';
import type { Identity } from '../../subgraphs/kit/auth.ts';
import { createLogger } from '../../subgraphs/kit/log.ts';

export const FEDERATION = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: [
  "@key", "@shareable", "@external", "@requires", "@provides", "@override", "@inaccessible", "@interfaceObject", "@tag"
  "@authenticated", "@requiresScopes", "@policy", "@cost", "@listSize"
])\n`;

/** A subgraph from SDL, without the @link of federation, and resolvers. */
export type SubgraphParts = readonly [sdl: string, resolvers: Record<string, unknown>];

export function supergraphOf(
  subgraphs: Record<string, SubgraphParts>,
  url = (name: string) => `local://${name}`,
): string {
  const services = Object.entries(subgraphs).map(([name, [sdl]]) => ({
    name,
    url: url(name),
    typeDefs: parse(FEDERATION + sdl),
  }));
  const { supergraphSdl, errors } = composeServices(services);
  if (!supergraphSdl) throw new Error(errors?.map(({ message }) => message).join('\n'));
  return supergraphSdl;
}

export const schemaOf = ([sdl, resolvers]: SubgraphParts) =>
  buildSubgraphSchema({ typeDefs: parse(FEDERATION + sdl), resolvers: resolvers as never });

/** A graph of subgraphs in this process, asked without any transport. */
export class GraphUnderTest {
  readonly graph: Graph;
  private readonly log = createLogger('test', 'silent');

  constructor(subgraphs: Record<string, SubgraphParts>) {
    const sources = new Map(
      Object.entries(subgraphs).map(([name, parts]) => [
        name,
        new LocalSource(name, schemaOf(parts), { context: (request) => request }),
      ]),
    );
    this.graph = new Graph(supergraphOf(subgraphs), { sources, log: this.log });
  }

  /** @param identity who asks; a visitor when null */
  async ask(
    text: string,
    identity: Identity | null = null,
    variables: Record<string, unknown> = {},
  ): Promise<Result & { plan?: unknown }> {
    const document = parse(text);
    const invalid = validate(this.graph.schema, document);
    if (invalid.length > 0) return { errors: invalid };
    const operation = this.graph.operation(document);
    const coerced = operation.coerce(variables);
    if ('errors' in coerced) return { errors: coerced.errors };
    const context = { identity, requestId: 'test', log: this.log, subgraphContexts: new Map() };
    return JSON.parse(JSON.stringify(await operation.execute(coerced.variables, context))) as Result;
  }
}
