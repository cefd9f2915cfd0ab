import { type GraphQLDataSource, RemoteGraphQLDataSource } from '@apollo/gateway';
import { type DocumentNode, execute, type GraphQLSchema, parse } from 'graphql';
import { IDENTITY_HEADER, signIdentity } from '../subgraphs/kit/auth.ts';
import { HashiraError } from '../subgraphs/kit/errors.ts';
import { formatError } from '../subgraphs/kit/format-error.ts';
import type { RunningSubgraph } from '../subgraphs/kit/subgraph.ts';
import type { GatewayContext } from './context.ts';

/** Answers fetches from a subgraph in this process: no HTTP, and each sub-query is parsed once. */
export class LocalDataSource implements GraphQLDataSource<GatewayContext & Record<string, unknown>> {
  private readonly documents = new Map<string, DocumentNode>();

  constructor(
    private readonly name: string,
    private readonly schema: GraphQLSchema,
    private readonly running: RunningSubgraph,
  ) {}

  async process({
    request,
    context,
  }: Parameters<GraphQLDataSource<GatewayContext & Record<string, unknown>>['process']>[0]) {
    const { subgraphContexts, log } = context as GatewayContext;
    let contextValue = subgraphContexts.get(this.name);
    if (!contextValue) {
      contextValue = this.running.context(context as GatewayContext);
      subgraphContexts.set(this.name, contextValue);
    }
    // Planned by the gateway against this very schema, so validating it again would only cost time.
    const result = await execute({
      schema: this.schema,
      document: this.document(request.query ?? ''),
      variableValues: request.variables,
      operationName: request.operationName,
      contextValue,
    });
    return { data: result.data, errors: result.errors?.map((error) => formatError(error, log)) } as never;
  }

  private document(query: string): DocumentNode {
    let document = this.documents.get(query);
    if (!document) {
      if (this.documents.size >= 2_000) this.documents.clear();
      document = parse(query, { noLocation: true });
      this.documents.set(query, document);
    }
    return document;
  }
}

/** Reaches a subgraph by URL, with a time limit, telling it who asks in a signed header. */
export class RemoteDataSource extends RemoteGraphQLDataSource<GatewayContext & Record<string, unknown>> {
  constructor(
    private readonly name: string,
    url: string,
    private readonly secret: string,
  ) {
    super({ url, fetcher: fetchWithin(30_000) as never });
  }

  override async willSendRequest({
    request,
    context,
  }: Parameters<NonNullable<RemoteGraphQLDataSource['willSendRequest']>>[0]) {
    const { identity = null, requestId = '' } = context as Partial<GatewayContext>;
    request.http?.headers.set(IDENTITY_HEADER, await signIdentity(identity, this.name, this.secret));
    request.http?.headers.set('x-request-id', requestId);
  }

  override didEncounterError(cause: Error): never {
    throw new HashiraError('SUBGRAPH_UNAVAILABLE', 'A part of the graph cannot be reached. Please try again.', {
      cause,
    });
  }
}

const fetchWithin = (ms: number) => (url: string, init: RequestInit) =>
  fetch(url, { ...init, signal: AbortSignal.timeout(ms) });
