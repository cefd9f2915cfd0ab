import { type Schema, Supergraph } from '@apollo/federation-internals';
import { QueryPlanner } from '@apollo/query-planner';
import { type DocumentNode, type GraphQLSchema, isInterfaceType, isObjectType, parse } from 'graphql';
import type { Logger } from '../../subgraphs/kit/log.ts';
import { Access } from '../access/access.ts';
import { Types } from '../execution/types.ts';
import type { Source } from '../sources/source.ts';
import { Completion } from './completion.ts';
import { Operation } from './operation.ts';
import { type RequiredArguments, separateRequiredArguments } from './required-arguments.ts';
import {
  accessRules,
  hasInterfaceObjects,
  resolvableKeysFirst,
  subgraphEntries,
  taggedFields,
  withClientDirectives,
} from './supergraph.ts';

/** What a supergraph may ask of its gateway: this one enforces access and cost itself. */
const FEATURES = new Set(
  [
    ...['core/v0.1', 'core/v0.2', 'join/v0.1', 'join/v0.2', 'join/v0.3', 'join/v0.4', 'join/v0.5'],
    ...['tag/v0.1', 'tag/v0.2', 'tag/v0.3', 'inaccessible/v0.1', 'inaccessible/v0.2'],
    ...['authenticated/v0.1', 'requiresScopes/v0.1', 'policy/v0.1', 'cost/v0.1', 'cacheTag/v0.1'],
  ].map((feature) => `https://specs.apollo.dev/${feature}`),
);

/** Alternatives looked at for one plan. Ten times as many have taken seconds for one query, and found nothing better. */
const MAX_EVALUATED_PLANS = 1_000;

/** A subscription field with this tag may be shared between its subscribers. */
const SHARED = 'shared-stream';

/** What operations of one supergraph share. Everything in it goes when the supergraph is replaced. */
export interface GraphParts {
  schema: GraphQLSchema;
  planningSchema: Schema;
  planner: QueryPlanner;
  completion: Completion;
  types: Types;
  access: Access;
  required: RequiredArguments;
  /** Every field name of the supergraph. */
  fieldNames: ReadonlySet<string>;
  shared: ReadonlySet<string>;
  /** Whether some subgraph knows an interface as if it were an object. */
  interfaceObjects: boolean;
  source(name: string): Source;
  /** Of a subgraph, in the enum join__Graph. */
  graphOf(name: string): string;
  /** Whether introspection shows each asker only what it may see. */
  introspectsAllowed: boolean;
  log: Logger;
}

export interface GraphOptions {
  sources: ReadonlyMap<string, Source>;
  log: Logger;
  /** Whether introspection shows each asker only what it may see; else all of the schema. @default false */
  introspectsAllowed?: boolean;
}

/** One supergraph, loaded: it makes operations of documents, and remembers them. */
export class Graph {
  readonly schema: GraphQLSchema;
  private readonly parts: GraphParts;

  /** @throws when the supergraph cannot be served: it does not parse, asks for what this gateway has not, or names unknown subgraphs */
  constructor(
    readonly sdl: string,
    { sources, log, introspectsAllowed = false }: GraphOptions,
  ) {
    const document = withClientDirectives(parse(sdl, { noLocation: true }));
    const required = separateRequiredArguments(resolvableKeysFirst(document));
    const supergraph = readSupergraph(document, required);
    const planningSchema = supergraph.apiSchema();
    const whole = supergraph.schema.toGraphQLJSSchema();
    const entries = subgraphEntries(document);
    for (const { name } of entries) {
      if (!sources.has(name))
        throw new Error(`The supergraph has a subgraph "${name}" that this gateway does not know.`);
    }
    const graphs = new Map(entries.map(({ name, graph }) => [name, graph]));
    this.schema = planningSchema.toGraphQLJSSchema({ includeDefer: true });
    this.parts = {
      schema: this.schema,
      planningSchema,
      planner: new QueryPlanner(supergraph, {
        reuseQueryFragments: false,
        incrementalDelivery: { enableDefer: true },
        debug: { maxEvaluatedPlans: MAX_EVALUATED_PLANS },
      }),
      completion: new Completion(supergraph),
      types: new Types(whole),
      access: new Access(this.schema, accessRules(document)),
      required,
      fieldNames: fieldNames(whole),
      shared: taggedFields(document, SHARED),
      introspectsAllowed,
      interfaceObjects: hasInterfaceObjects(document),
      source: (name) => sources.get(name) as Source,
      graphOf: (name) => graphs.get(name) as string,
      log,
    };
  }

  /** An operation of a valid document. @throws HashiraError BAD_USER_INPUT when the name picks none or more than one */
  operation(document: DocumentNode, name?: string, onPlanned?: (ms: number) => void): Operation {
    return new Operation(this.parts, document, name, onPlanned);
  }
}

/** The supergraph to plan with. Where fields were added to it, the one without them is what is validated. */
function readSupergraph(document: DocumentNode, required: RequiredArguments): Supergraph {
  if (required.fields.size === 0) return Supergraph.build(required.document, { supportedFeatures: FEATURES });
  Supergraph.build(document, { supportedFeatures: FEATURES }).subgraphs();
  return Supergraph.build(required.document, { supportedFeatures: FEATURES, validateSupergraph: false });
}

function fieldNames(schema: GraphQLSchema): Set<string> {
  const names = new Set<string>();
  for (const type of Object.values(schema.getTypeMap())) {
    if (isObjectType(type) || isInterfaceType(type)) for (const name of Object.keys(type.getFields())) names.add(name);
  }
  return names;
}
