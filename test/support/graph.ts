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

  constructor(subgraphs: Record<string, SubgraphParts>, options: { introspectsAllowed?: boolean } = {}) {
    const sources = new Map(
      Object.entries(subgraphs).map(([name, parts]) => [
        name,
        new LocalSource(name, schemaOf(parts), { context: (request) => request }),
      ]),
    );
    this.graph = new Graph(supergraphOf(subgraphs), { sources, log: this.log, ...options });
  }

  /** @param identity who asks; a visitor when null */
  async ask(text: string, identity: Identity | null = null, variables: Record<string, unknown> = {}): Promise<Result> {
    const prepared = this.prepare(text, variables);
    if ('errors' in prepared) return { errors: prepared.errors };
    return json(await prepared.operation.execute(prepared.variables, this.context(identity)));
  }

  /** The answers to a query as a client gets them that takes parts later. */
  async *incremental(text: string, identity: Identity | null = null, variables: Record<string, unknown> = {}) {
    const prepared = this.prepare(text, variables);
    if ('errors' in prepared) throw prepared.errors[0];
    const context = this.context(identity);
    const parts = prepared.operation.incremental(prepared.variables, context);
    if (parts) for await (const part of parts) yield json(part);
    else yield json(await prepared.operation.execute(prepared.variables, context));
  }

  async parts(
    text: string,
    identity: Identity | null = null,
    variables: Record<string, unknown> = {},
  ): Promise<Result[]> {
    const parts: Result[] = [];
    for await (const part of this.incremental(text, identity, variables)) parts.push(part);
    return parts;
  }

  private prepare(text: string, given: Record<string, unknown>) {
    const document = parse(text);
    const errors = validate(this.graph.schema, document);
    if (errors.length > 0) return { errors };
    const operation = this.graph.operation(document);
    const coerced = operation.coerce(given);
    return 'errors' in coerced ? coerced : { operation, variables: coerced.variables };
  }

  private context(identity: Identity | null) {
    return { identity, requestId: 'test', log: this.log, subgraphContexts: new Map<string, object>() };
  }
}

const json = (result: Result): Result => JSON.parse(JSON.stringify(result)) as Result;
