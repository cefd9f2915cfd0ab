import { operationFromDocument } from '@apollo/federation-internals';
import type { FetchNode, PlanNode, QueryPlan } from '@apollo/query-planner';
import {
  type DocumentNode,
  executeSync,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
} from 'graphql';
import type { Identity } from '../../subgraphs/kit/auth.ts';
import { badInput, HashiraError } from '../../subgraphs/kit/errors.ts';
import type { Denies } from '../access/access.ts';
import type { Result } from '../answer.types.ts';
import type { GatewayContext } from '../context.ts';
import { absorbRoot, compileVariables, type PreparedFetch } from '../execution/fetch.ts';
import { compilePlan } from '../execution/program.ts';
import { compileRewrites } from '../execution/rewrites.ts';
import type { ResultError, Run, Step } from '../execution/run.ts';
import { compileShape } from '../execution/shape.ts';
import type { Variables } from '../sources/source.ts';
import { batchEntities } from '../subscriptions/batching.ts';
import type { Subscribable } from '../subscriptions/shared-event.ts';
import { resolveFetch } from './fetches.ts';
import type { GraphParts } from './graph.ts';
import { clientKey, keyOf, plannable } from './plannable.ts';
import { type Coerce, compileCoercion } from './variables.ts';

/** An operation planned and compiled for those who may see the same of it. */
interface Program {
  /** Tells it from every other in this process. */
  id: number;
  plan: QueryPlan;
  /** All fetches of a query or mutation; those after the event of a subscription. */
  run: Step;
  shape: ReturnType<typeof compileShape>;
  primary: { fetch: PreparedFetch; node: FetchNode } | null;
}

let programs = 0;

const SIGNED_OUT = { message: 'This is only for who is signed in.', extensions: { code: 'UNAUTHENTICATED' } };
const FORBIDDEN = { message: 'Your token does not allow this.', extensions: { code: 'FORBIDDEN' } };

/** One operation of a valid document. It is planned when somebody first runs it, once for each set of fields denied. */
export class Operation {
  readonly definition: OperationDefinitionNode;
  readonly coerce: Coerce;
  private readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  private readonly touched: readonly string[];
  private readonly programs = new Map<string, Program>();

  constructor(
    private readonly graph: GraphParts,
    readonly document: DocumentNode,
    name?: string,
  ) {
    this.definition = pick(document, name);
    this.fragments = new Map(
      document.definitions.flatMap((node) =>
        node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node] as const] : [],
      ),
    );
    this.coerce = compileCoercion(graph.schema, this.definition.variableDefinitions ?? []);
    this.touched = graph.access.touched(document);
  }

  get kind() {
    return this.definition.operation;
  }

  get name(): string | undefined {
    return this.definition.name?.value;
  }

  /** The plan for an asker. */
  plan(identity: Identity | null): QueryPlan {
    return this.program(identity).plan;
  }

  /** Runs a query or mutation. It rejects only when the client has left. */
  execute(variables: Variables, context: GatewayContext): Result | Promise<Result> {
    const program = this.program(context.identity);
    const run: Run = { data: {}, variables, context, errors: [] };
    const pending = program.run(run);
    return pending ? pending.then(() => this.finish(program, run)) : this.finish(program, run);
  }

  /** How to listen to a subscription; or the answer at once, where its field is denied. */
  subscription(variables: Variables, context: GatewayContext): Subscribable | Result {
    const program = this.program(context.identity);
    const { primary } = program;
    if (!primary) return this.finish(program, { data: {}, variables, context, errors: [] });
    const rewrite = compileRewrites(primary.node.outputRewrites, this.graph.types);
    return {
      answerKey: `${program.id} ${JSON.stringify(variables)}`,
      subgraph: primary.node.serviceName,
      text: primary.node.operation,
      fetch: primary.fetch.fetch,
      variables: compileVariables(primary.node.variableUsages)(variables),
      shareable: this.definition.selectionSet.selections.every(
        (node) => node.kind === Kind.FIELD && this.graph.shared.has(`Subscription.${node.name.value}`),
      ),
      respond: (event, eventContext) => {
        const run: Run = { data: {}, variables, context: eventContext, errors: [] };
        absorbRoot(run, event, rewrite);
        const pending = program.run(run);
        return pending ? pending.then(() => this.finish(program, run)) : this.finish(program, run);
      },
    };
  }

  private finish(program: Program, run: Run): Result {
    const { data, denials, violations } = program.shape(run.data, run.variables);
    const errors =
      run.errors.length > 0 || denials.length > 0 ? [...run.errors.map(this.clientError), ...denials] : violations;
    return (errors.length > 0 ? { errors, data } : { data }) as Result;
  }

  /** An error with its path in the client's names. */
  private readonly clientError = (error: ResultError): ResultError =>
    error.path
      ? { ...error, path: error.path.map((key) => this.graph.required.fields.get(String(key))?.name ?? clientKey(key)) }
      : error;

  private program(identity: Identity | null): Program {
    const denied = this.touched.length > 0 ? this.graph.access.deniedKey(this.touched, identity) : '';
    const who = denied && identity ? `${denied}in` : denied;
    let program = this.programs.get(who);
    if (!program) {
      program = this.compile(this.graph.access.denies(denied), identity ? FORBIDDEN : SIGNED_OUT);
      this.programs.set(who, program);
    }
    return program;
  }

  private compile(denies: Denies, denial: Pick<ResultError, 'message' | 'extensions'>): Program {
    const { schema, planningSchema, planner } = this.graph;
    const key = keyOf(this.graph.fieldNames);
    const document = plannable(this.definition, this.fragments, schema, denies, key);
    const asksData = fetchesSomething(document);
    const plan: QueryPlan = asksData
      ? planner.buildQueryPlan(operationFromDocument(planningSchema, document, { validate: false }))
      : { kind: 'QueryPlan' };
    const { node } = plan;
    if (!node && asksData) {
      throw new HashiraError('OPERATION_NOT_PLANNABLE', 'No part of the graph can answer this query.');
    }
    const shape = compileShape(this.definition, {
      schema,
      fragments: this.fragments,
      keyOf: key,
      denial: (type, field) => (denies(type, field) ? denial : null),
      introspect: (field, variables) => this.introspect(field, variables),
    });
    if (node?.kind === 'Subscription') {
      const [fetch] = this.prepare(node.primary);
      if (!fetch) throw new Error('A subscription without a fetch.');
      // Events for many subscribers come at once: what they ask of a subgraph goes in one fetch.
      const prepare = (rest: FetchNode) =>
        this.prepare(rest).map((each) => (rest.requires ? { ...each, fetch: batchEntities(each.fetch) } : each));
      return {
        id: ++programs,
        plan,
        shape,
        run: compilePlan(node.rest, prepare),
        primary: { fetch, node: node.primary },
      };
    }
    return { id: ++programs, plan, shape, run: compilePlan(node as PlanNode | undefined, this.prepare), primary: null };
  }

  private readonly prepare = (node: FetchNode): PreparedFetch[] => {
    const { types, required } = this.graph;
    const source = this.graph.source(node.serviceName);
    const realNames = new Map([...required.fields].map(([added, { name }]) => [added, name]));
    return resolveFetch(node, this.graph.graphOf(node.serviceName), required).map((resolved) => {
      const { operation: text, operationKind: kind, operationName: name } = resolved;
      return { node: resolved, types, realNames, fetch: source.prepare({ kind, name, text }) };
    });
  };

  private introspect(field: FieldNode, variables: Variables): unknown {
    const definition: OperationDefinitionNode = {
      ...this.definition,
      directives: [],
      selectionSet: { kind: Kind.SELECTION_SET, selections: [{ ...field, directives: [] }] },
    };
    const document: DocumentNode = { kind: Kind.DOCUMENT, definitions: [definition, ...this.fragments.values()] };
    const { data } = executeSync({ schema: this.graph.schema, document, variableValues: variables });
    return data?.[field.alias?.value ?? field.name.value] ?? null;
  }
}

function pick(document: DocumentNode, name: string | undefined): OperationDefinitionNode {
  const operations = document.definitions.filter((node) => node.kind === Kind.OPERATION_DEFINITION);
  const [first] = operations;
  if (name === undefined || name === '') {
    if (operations.length > 1) throw badInput('The document has several operations: say which by operationName.');
    if (!first) throw badInput('The document has no operation.');
    return first;
  }
  const named = operations.find((node) => node.name?.value === name);
  if (!named) throw badInput(`The document has no operation named "${name.slice(0, 100)}".`);
  return named;
}

/** Whether a planned operation asks for data at all: an empty plan then means that no subgraph has it. */
const fetchesSomething = (document: DocumentNode): boolean =>
  document.definitions.some(
    (node) =>
      node.kind === Kind.OPERATION_DEFINITION &&
      node.selectionSet.selections.some((field) => field.kind !== Kind.FIELD || field.name.value !== '__typename'),
  );
