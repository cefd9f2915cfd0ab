import {
  createSourceEventStream,
  type DocumentNode,
  type ExecutionResult,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  NoSchemaIntrospectionCustomRule,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import { LRUCache } from 'lru-cache';

import { compileOperation } from './compiled.ts';
import { resolveEntitiesAtOnce } from './entities.ts';

type Variables = Readonly<Record<string, unknown>> | null | undefined;

/** A valid operation of one schema, compiled. */
export interface Operation {
  kind: 'query' | 'mutation' | 'subscription';
  document: DocumentNode;
  /** @param event of the subscription's source; undefined for queries and mutations */
  execute(context: object, variables: Variables, event?: unknown): ExecutionResult | Promise<ExecutionResult>;
  /** The events of a subscription, before they are executed. */
  source(context: object, variables: Variables): Promise<AsyncIterable<unknown> | ExecutionResult>;
}

const RULES = [...specifiedRules, NoSchemaIntrospectionCustomRule];

/** The operations a gateway asks of a subgraph: few texts, many times. Each is parsed, validated and compiled once. */
export class Operations {
  private readonly known = new LRUCache<string, Operation>({
    max: 1_000,
    maxSize: 2_000_000,
    sizeCalculation: (_, key) => key.length,
  });

  constructor(private readonly schema: GraphQLSchema) {
    resolveEntitiesAtOnce(schema);
  }

  /** The operation, or what is wrong with its text. */
  get(text: string, name: string | undefined): Operation | readonly GraphQLError[] {
    const key = JSON.stringify([name, text]);
    const known = this.known.get(key);
    if (known) return known;
    const operation = this.compile(text, name);
    if (!Array.isArray(operation)) this.known.set(key, operation as Operation);
    return operation;
  }

  private compile(text: string, name: string | undefined): Operation | readonly GraphQLError[] {
    let document: DocumentNode;
    try {
      document = parse(text, { noLocation: true });
    } catch (error) {
      return [error instanceof GraphQLError ? requestError(error, 'GRAPHQL_PARSE_FAILED') : (error as GraphQLError)];
    }
    const problems = validate(this.schema, document, RULES);
    if (problems.length > 0) return problems.map((error) => requestError(error, 'GRAPHQL_VALIDATION_FAILED'));
    const node = getOperationAST(document, name);
    if (!node)
      return [
        new GraphQLError('There is no such operation.', { extensions: { code: 'OPERATION_RESOLUTION_FAILURE' } }),
      ];
    const run = compileOperation(this.schema, document, name);
    return {
      kind: node.operation,
      document,
      execute: (contextValue, variableValues, event) => run(event, contextValue, variableValues ?? {}),
      // Not the compiled one, which gives the variables to the field in place of its arguments.
      source: (contextValue, variableValues) =>
        createSourceEventStream({ schema: this.schema, document, operationName: name, contextValue, variableValues }),
    };
  }
}

const requestError = (error: GraphQLError, code: string) =>
  new GraphQLError(error.message, {
    nodes: error.nodes,
    source: error.source,
    extensions: { ...error.extensions, code },
  });
