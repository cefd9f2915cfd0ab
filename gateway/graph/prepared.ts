import { type DocumentNode, GraphQLError, NoSchemaIntrospectionCustomRule, specifiedRules, validate } from 'graphql';
import { LRUCache } from 'lru-cache';
import { HashiraError } from '../../subgraphs/kit/errors.ts';
import { type CostFunction, CostModel } from '../protection/cost.ts';
import { checkShape, type Limits, parseWithin } from '../protection/limits.ts';
import type { Graph } from './graph.ts';
import type { Operation } from './operation.ts';

/** An operation with all that is known of it before its variables are. */
export interface Prepared {
  text: string;
  /** As it was asked for. */
  name: string | undefined;
  operation: Operation;
  cost: CostFunction;
}

export interface PreparingOptions {
  limits: Limits;
  introspection: boolean;
  /** Whether a document that is nearly right is told what would be: by that one can learn the schema. @default introspection */
  suggestions?: boolean;
  defaultListSize: number;
  onLookup?(hit: boolean): void;
  /** @param ms that planning and compiling took */
  onPlanned?(ms: number): void;
}

/** Documents and operations remembered at once, and how much text: a character of it can cost 100 bytes of memory. */
const MOST_DOCUMENTS = 2_000;
const MOST_TEXT = 2_000_000;
const MOST_WARMED = 200;

/** What clients send as text, made into operations of one graph: each once, within the limits. */
export class PreparedOperations {
  private readonly known = new LRUCache<string, Prepared>({
    max: MOST_DOCUMENTS,
    maxSize: MOST_TEXT,
    sizeCalculation: (_, key) => key.length + 1,
  });
  private readonly costs: CostModel;
  private readonly rules;

  constructor(
    readonly graph: Graph,
    private readonly options: PreparingOptions,
  ) {
    this.costs = new CostModel(graph.schema, graph.sdl, { defaultListSize: options.defaultListSize });
    this.rules = options.introspection ? specifiedRules : [...specifiedRules, NoSchemaIntrospectionCustomRule];
  }

  /** @throws RefusedDocument with every reason, when it cannot be run whatever its variables */
  prepare(text: string, name: string | undefined): Prepared {
    const key = name ? `${name}\n${text}` : text;
    const known = this.known.get(key);
    this.options.onLookup?.(known !== undefined);
    if (known) return known;
    const document = this.read(text);
    const operation = this.graph.operation(document, name, this.options.onPlanned);
    const prepared = { text, name, operation, cost: this.costs.compile(document, operation.definition) };
    this.known.set(key, prepared);
    return prepared;
  }

  /**
   * Prepares and plans what was asked lately of the supergraph before, so that a change costs no request its planning. Yields to
   * requests between any two; what the new graph does not know is left out.
   */
  async warm(before: PreparedOperations): Promise<void> {
    // The latest first, and put back the other way round, so that the order of use stays.
    const lately = [...before.known.values()].slice(0, MOST_WARMED).reverse();
    for (const { text, name } of lately) {
      try {
        this.prepare(text, name).operation.plan(null);
      } catch {
        // Who asks it will be told.
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  private read(text: string): DocumentNode {
    const { limits } = this.options;
    let document: DocumentNode;
    try {
      document = parseWithin(text, limits);
    } catch (error) {
      if (error instanceof GraphQLError) throw new RefusedDocument([error]);
      throw error;
    }
    const tooLarge = checkShape(document, limits);
    if (tooLarge.length > 0) throw new RefusedDocument(tooLarge);
    const invalid = validate(this.graph.schema, document, this.rules, {
      maxErrors: 20,
      hideSuggestions: !(this.options.suggestions ?? this.options.introspection),
    });
    if (invalid.length > 0) throw new RefusedDocument(invalid.map(asValidation));
    return document;
  }
}

/** Why a document is not run: errors for the client as they are. */
export class RefusedDocument extends Error {
  override readonly name = 'RefusedDocument';

  constructor(readonly errors: readonly GraphQLError[]) {
    super(errors.map(({ message }) => message).join('; '));
  }
}

const asValidation = (error: GraphQLError): GraphQLError =>
  new GraphQLError(error.message, {
    nodes: error.nodes,
    extensions: { code: 'GRAPHQL_VALIDATION_FAILED', ...error.extensions },
  });

export const isRefusal = (error: unknown): error is RefusedDocument | HashiraError =>
  error instanceof RefusedDocument || error instanceof HashiraError;
