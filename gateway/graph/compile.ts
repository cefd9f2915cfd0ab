import { operationFromDocument } from '@apollo/federation-internals';
import type { FetchNode, QueryPlan } from '@apollo/query-planner';
import {
  type DocumentNode,
  executeSync,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLObjectType,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
} from 'graphql';
import { HashiraError } from '../../subgraphs/kit/errors.ts';
import type { Denies } from '../access/access.ts';
import { visibleSchema } from '../access/visible-schema.ts';
import { compileConditions } from '../execution/conditions.ts';
import type { DeferredPart } from '../execution/deferred.ts';
import type { PreparedFetch } from '../execution/fetch.ts';
import { compileDeferred, compilePlan } from '../execution/program.ts';
import type { ResultError, Step } from '../execution/run.ts';
import { compileShape, type Shape, type ShapeOptions } from '../execution/shape.ts';
import type { Variables } from '../sources/source.ts';
import { batchEntities } from '../subscriptions/batching.ts';
import { isActive } from './document.ts';
import { type ResolvedFetch, resolveFetch } from './fetches.ts';
import type { GraphParts } from './graph.ts';
import { keyOf, plannable } from './plannable.ts';

/** An operation planned and compiled for those who may see the same of it. */
export interface Program {
  /** Tells it from every other in this process. */
  id: number;
  plan: QueryPlan;
  /** All fetches of a query or mutation; those after the event of a subscription. */
  run: Step;
  shape: Shape;
  /** Of a subscription: how to listen. */
  primary: { fetch: PreparedFetch; node: FetchNode } | null;
  deferred: readonly DeferredPart[];
}

/** For whom, and for which variables, an operation is compiled. */
export interface ProgramOptions {
  denies: Denies;
  /** The error in place of a denied field. */
  denial: Pick<ResultError, 'message' | 'extensions'>;
  variables: Variables;
  /** Whether `@skip` and `@include` are decided by the variables, and not left to the plan. */
  decides: boolean;
  /** Whether the client takes parts of the answer later. */
  later: boolean;
}

let programs = 0;

/** Plans and compiles an operation. @throws HashiraError OPERATION_NOT_PLANNABLE; Error where the planner has one */
export function compileProgram(
  graph: GraphParts,
  operation: OperationDefinitionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  options: ProgramOptions,
): Program {
  return new ProgramCompiler(graph, operation, fragments).compile(options);
}

class ProgramCompiler {
  constructor(
    private readonly graph: GraphParts,
    private readonly definition: OperationDefinitionNode,
    private readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  ) {}

  compile({ denies, denial, variables, decides, later }: ProgramOptions): Program {
    const { schema, types } = this.graph;
    const key = keyOf(this.graph.fieldNames);
    const { document, deferred } = plannable(this.definition, {
      fragments: this.fragments,
      schema,
      denies,
      key,
      interfaceObjects: this.graph.interfaceObjects,
      decided: decides ? variables : null,
      defers: (directive) => later && isActive(directive, variables),
    });
    const plan = this.planFor(document);
    const { node } = plan;
    let seen: GraphQLSchema | undefined;
    const visible = () => {
      seen ??= this.graph.introspectsAllowed ? visibleSchema(schema, denies) : schema;
      return seen;
    };
    const shapeOptions: ShapeOptions = {
      schema,
      fragments: this.fragments,
      keyOf: key,
      denial: (type, field) => (denies(type, field) ? denial : null),
      introspect: (field, given) => this.introspect(visible(), field, given),
      deferred: new Set(deferred.map((fragment) => fragment.node)),
    };
    const root = schema.getRootType(this.definition.operation) as GraphQLObjectType;
    const shape = compileShape(root, this.definition.selectionSet, shapeOptions);
    const program = { id: ++programs, plan, shape, primary: null, deferred: [] };
    if (node?.kind === 'Subscription') {
      const [fetch] = this.prepare(node.primary);
      if (!fetch) throw new Error('A subscription without a fetch.');
      // Events for many subscribers come at once: what they ask of a subgraph goes in one fetch.
      const prepare = (rest: FetchNode) =>
        this.prepare(rest).map((each) => (rest.requires ? { ...each, fetch: batchEntities(each.fetch) } : each));
      return { ...program, run: compilePlan(node.rest, prepare), primary: { fetch, node: node.primary } };
    }
    const steps = new Map(compileDeferred(node, this.prepare).map((step) => [step.label, step]));
    const parts = deferred.map(({ label, clientLabel, type, set, path, conditions }): DeferredPart => {
      const included = compileConditions([conditions]);
      return {
        ...(steps.get(label) ?? { label, depends: [], run: () => undefined }),
        clientLabel,
        path,
        applies: (data, run) =>
          (included === null || included(run.variables)) &&
          (typeof data.__typename !== 'string' || types.meets(data.__typename, type.name)),
        shape: compileShape(type, set, shapeOptions),
      };
    });
    return { ...program, run: compilePlan(node, this.prepare), deferred: parts };
  }

  private planFor(document: DocumentNode): QueryPlan {
    // The schema and the name of its root are known here.
    if (!fetchesSomething(document)) return { kind: 'QueryPlan' };
    const { planningSchema, planner, completion } = this.graph;
    const plan = withinLimits(() =>
      planner.buildQueryPlan(operationFromDocument(planningSchema, document, { validate: false })),
    );
    completion.complete(plan, document);
    if (plan.node) return plan;
    throw new HashiraError('OPERATION_NOT_PLANNABLE', 'No part of the graph can answer this query.');
  }

  private readonly prepare = (node: FetchNode): PreparedFetch[] => {
    const { types, required } = this.graph;
    const source = this.graph.source(node.serviceName);
    const realNames = new Map([...required.fields].map(([added, { name }]) => [added, name]));
    const ready = ({ node: resolved, must, without }: ResolvedFetch): PreparedFetch => {
      const { operation: text, operationKind: kind, operationName: name } = resolved;
      const fetch = source.prepare({ kind, name, text });
      return { node: resolved, fetch, types, realNames, must, without: without.map(ready) };
    };
    return resolveFetch(node, this.graph.graphOf(node.serviceName), required).map(ready);
  };

  private introspect(schema: GraphQLSchema, field: FieldNode, variables: Variables): unknown {
    const definition: OperationDefinitionNode = {
      ...this.definition,
      directives: [],
      selectionSet: { kind: Kind.SELECTION_SET, selections: [{ ...field, directives: [] }] },
    };
    const document: DocumentNode = { kind: Kind.DOCUMENT, definitions: [definition, ...this.fragments.values()] };
    const { data } = executeSync({ schema, document, variableValues: variables });
    return data?.[field.alias?.value ?? field.name.value] ?? null;
  }
}

/** Whether a planned operation asks for data at all: an empty plan then means that no subgraph has it. */
const fetchesSomething = (document: DocumentNode): boolean =>
  document.definitions.some(
    (node) =>
      node.kind === Kind.OPERATION_DEFINITION &&
      node.selectionSet.selections.some((field) => field.kind !== Kind.FIELD || field.name.value !== '__typename'),
  );

/** The planner has limits of its own, against operations that would take it too long. @throws HashiraError QUERY_TOO_LARGE */
function withinLimits(plan: () => QueryPlan): QueryPlan {
  try {
    return plan();
  } catch (cause) {
    if (!/exceeds limit/.test(String(cause))) throw cause;
    throw new HashiraError('QUERY_TOO_LARGE', 'The query takes too long to plan. Ask for less at a time.', { cause });
  }
}
