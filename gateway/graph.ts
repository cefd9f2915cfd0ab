import { createHash } from 'node:crypto';
import { ApolloGateway } from '@apollo/gateway';
import type { GatewayExecutor, GatewayInterface } from '@apollo/server-gateway-interface';
import { type DocumentNode, type GraphQLSchema, getOperationAST, getVariableValues, print } from 'graphql';
import type { Logger } from '../subgraphs/kit/log.ts';
import { AccessControl } from './access.ts';
import type { GatewayContext } from './context.ts';
import type { LocalDataSource, RemoteDataSource } from './data-source.ts';
import { separateAccessRules } from './supergraph.ts';

type DataSources = ReadonlyMap<string, LocalDataSource | RemoteDataSource>;

/** Apollo Gateway with access rules enforced around its executor. What Apollo Server takes as its `gateway`. */
export class Graph implements GatewayInterface {
  private readonly inner: ApolloGateway;
  private readonly rules;
  private access?: AccessControl;
  /** Pruned operations by the text they came from: a plan is cached by the hash given here. */
  private readonly pruned = new WeakMap<DocumentNode, Map<string, { document: DocumentNode; hash: string }>>();

  constructor(supergraphSdl: string, dataSources: DataSources, logger: Logger) {
    const separated = separateAccessRules(supergraphSdl);
    this.rules = separated.rules;
    this.inner = new ApolloGateway({
      supergraphSdl: separated.supergraphSdl,
      buildService: ({ name }) => {
        const source = dataSources.get(name);
        if (!source) throw new Error(`The supergraph has a subgraph "${name}" that this gateway does not know.`);
        return source as never;
      },
      logger,
    });
    this.inner.onSchemaLoadOrUpdate(({ apiSchema }) => this.protect(apiSchema));
  }

  private protect(schema: GraphQLSchema): void {
    this.access = new AccessControl(schema, this.rules);
  }

  onSchemaLoadOrUpdate(callback: Parameters<GatewayInterface['onSchemaLoadOrUpdate']>[0]) {
    return this.inner.onSchemaLoadOrUpdate(callback);
  }

  async load(options: Parameters<GatewayInterface['load']>[0]) {
    await this.inner.load(options as never);
    return { executor: this.execute };
  }

  stop(): Promise<void> {
    return this.inner.stop();
  }

  private readonly execute: GatewayExecutor = async (request) => {
    const { identity } = request.context as unknown as GatewayContext;
    const access = this.access as AccessControl;
    const allowed = this.prune(access, request.document, identity);
    if (!allowed) return this.inner.executor(request as never) as never;
    const operation = getOperationAST(allowed.document, request.operationName);
    if (!operation) return this.inner.executor(request as never) as never;
    const result = await this.inner.executor({
      ...request,
      document: allowed.document,
      operation,
      queryHash: allowed.hash,
      source: '',
    } as never);
    // Values were coerced once already, without errors: here only the defaults are wanted.
    const { coerced: variables = {} } = getVariableValues(
      request.schema,
      request.operation.variableDefinitions ?? [],
      request.request.variables ?? {},
    );
    const restored = access.restore(request.document, request.operation, result.data as never, identity, variables);
    return { ...result, data: restored.data, errors: [...(result.errors ?? []), ...restored.errors] } as never;
  };

  /** The pruned operation, or null when nothing of it is denied. Remembered per set of scopes. */
  private prune(access: AccessControl, document: DocumentNode, identity: GatewayContext['identity']) {
    const who = identity ? [...identity.scopes].sort().join(' ') : '-';
    const known = this.pruned.get(document) ?? new Map<string, { document: DocumentNode; hash: string }>();
    this.pruned.set(document, known);
    let entry = known.get(who);
    if (!entry) {
      const pruned = access.prune(document, identity);
      const hash = pruned === document ? '' : createHash('sha256').update(print(pruned)).digest('hex');
      entry = { document: pruned, hash };
      known.set(who, entry);
    }
    return entry.document === document ? null : entry;
  }
}
