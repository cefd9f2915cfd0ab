import { operationFromDocument } from '@apollo/federation-internals';
import type { FetchNode, QueryPlan } from '@apollo/query-planner';
import {
  type DirectiveNode,
  type DocumentNode,
  executeSync,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLObjectType,
  Kind,
  type OperationDefinitionNode,
  visit,
} from 'graphql';
import type { Identity } from '../../subgraphs/kit/auth.ts';
import { badInput, HashiraError } from '../../subgraphs/kit/errors.ts';
import type { Denies } from '../access/access.ts';
import type { Result } from '../answer.types.ts';
import type { GatewayContext } from '../context.ts';
import { compileConditions } from '../execution/conditions.ts';
import { type DeferredPart, deliver, Fetched } from '../execution/deferred.ts';
import { absorbRoot, compileVariables, type PreparedFetch } from '../execution/fetch.ts';
import { placed } from '../execution/placed.ts';
import { compileDeferred, compilePlan } from '../execution/program.ts';
import { compileRewrites } from '../execution/rewrites.ts';
import type { Data, ResultError, Run, Step } from '../execution/run.ts';
import { compileShape, type Shape, type ShapeOptions } from '../execution/shape.ts';
import type { Variables } from '../sources/source.ts';
import { batchEntities } from '../subscriptions/batching.ts';
import type { Subscribable } from '../subscriptions/shared-event.ts';
import { type ResolvedFetch, resolveFetch } from './fetches.ts';
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
  shape: Shape;
  /** Of a subscription: how to listen. */
  primary: { fetch: PreparedFetch; node: FetchNode } | null;
  deferred: readonly DeferredPart[];
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
  /** Variables in `@skip` and `@include`. */
  private readonly conditionVariables: readonly string[];
  /** Whether each combination of their values is planned for itself. */
  private decides = false;
  /** Every key that an answer may have. */
  private readonly responseKeys: ReadonlySet<string>;
  /** Variables that decide whether fragments are deferred; null: none is, whatever they are. */
  private readonly deferVariables: readonly string[] | null;

  constructor(
    private readonly graph: GraphParts,
    readonly document: DocumentNode,
    name?: string,
    private readonly onPlanned?: (ms: number) => void,
  ) {
    this.definition = pick(document, name);
    this.fragments = new Map(
      document.definitions.flatMap((node) =>
        node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node] as const] : [],
      ),
    );
    this.coerce = compileCoercion(graph.schema, this.definition.variableDefinitions ?? []);
    this.touched = graph.access.touched(document);
    this.deferVariables = deferVariables(document);
    this.conditionVariables = conditionVariables(document);
    this.responseKeys = responseKeys(document);
  }

  get kind() {
    return this.definition.operation;
  }

  get name(): string | undefined {
    return this.definition.name?.value;
  }

  /** The plan for an asker. */
  plan(identity: Identity | null): QueryPlan {
    return this.program({ identity }, {}).plan;
  }

  /** Runs a query or mutation. It rejects only when the client has left. */
  execute(variables: Variables, context: GatewayContext): Result | Promise<Result> {
    const program = this.program(context, variables);
    const run: Run = { data: {}, variables, context, errors: [] };
    const pending = program.run(run);
    return pending ? pending.then(() => this.finish(program, run)) : this.finish(program, run);
  }

  /**
   * Runs a query whose client takes parts of the answer later; null when it defers none. The first answer comes first; each has
   * `hasNext`. Ends with the reason of `context.signal` when the client has left.
   */
  incremental(variables: Variables, context: GatewayContext): AsyncIterableIterator<Result> | null {
    if (!this.deferVariables || this.kind === 'subscription') return null;
    const program = this.program(context, variables, true);
    return program.deferred.length > 0 ? this.deliver(program, variables, context) : null;
  }

  private async *deliver(program: Program, variables: Variables, context: GatewayContext): AsyncGenerator<Result> {
    const fetched = new Fetched();
    const run: Run = { data: {}, variables, context, errors: [], fetched: fetched.done };
    const given = Promise.withResolvers<Data | null>();
    const later = deliver(program.deferred, run, fetched, given.promise, clientKey, this.clientErrors);
    // Asked at once: what is deferred is fetched while the first answer is.
    let next = later.next();
    next.catch(() => {});
    try {
      await program.run(run);
      fetched.allDone();
      const first = this.finish(program, run);
      yield { ...first, hasNext: true } as Result;
      given.resolve(first.data as Data | null);
      for (let part = await next; !part.done; part = await next) {
        yield part.value;
        next = later.next();
      }
    } finally {
      void later.return(undefined);
    }
  }

  /** How to listen to a subscription; or the answer at once, where its field is denied. */
  subscription(variables: Variables, context: GatewayContext): Subscribable | Result {
    const program = this.program(context, variables);
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
        absorbRoot(run, event, this.graph.types, rewrite);
        const pending = program.run(run);
        return pending ? pending.then(() => this.finish(program, run)) : this.finish(program, run);
      },
    };
  }

  private finish(program: Program, run: Run): Result {
    const { data, denials, violations } = program.shape(run.data, run.variables);
    const errors =
      run.errors.length > 0 || denials.length > 0
        ? [...placed(this.clientErrors(run.errors), data, this.responseKeys), ...denials]
        : violations;
    return (errors.length > 0 ? { errors, data } : { data }) as Result;
  }

  /** Errors with their paths in the client's names. */
  private readonly clientErrors = (errors: readonly ResultError[]): ResultError[] =>
    errors.map((error) => (error.path ? { ...error, path: error.path.map(this.clientName) } : error));

  private readonly clientName = (key: string | number) =>
    this.graph.required.fields.get(String(key))?.name ?? clientKey(key);

  /** @param later whether the client takes parts of the answer later */
  private program(
    { identity, trace }: Pick<GatewayContext, 'identity' | 'trace'>,
    variables: Variables,
    later = false,
  ): Program {
    const denied = this.touched.length > 0 ? this.graph.access.deniedKey(this.touched, identity) : '';
    let who = denied && identity ? `${denied}in` : denied;
    if (later) who += ` later ${this.deferVariables?.map((name) => variables[name] !== false)}`;
    if (this.decides) who += ` if ${this.conditionVariables.map((name) => variables[name] === true)}`;
    let program = this.programs.get(who);
    if (!program) {
      const began = performance.now();
      const done = trace?.plan();
      const denies = this.graph.access.denies(denied);
      try {
        program = this.compile(denies, identity ? FORBIDDEN : SIGNED_OUT, variables, later);
      } catch (error) {
        // The planner does not manage some conditions on interface objects: then each combination is planned for itself.
        if (this.decides || this.conditionVariables.length === 0 || error instanceof HashiraError) throw error;
        this.decides = true;
        return this.program({ identity, trace }, variables, later);
      } finally {
        done?.();
      }
      this.onPlanned?.(performance.now() - began);
      this.programs.set(who, program);
    }
    return program;
  }

  private compile(
    denies: Denies,
    denial: Pick<ResultError, 'message' | 'extensions'>,
    variables: Variables,
    later: boolean,
  ): Program {
    const { schema, types } = this.graph;
    const key = keyOf(this.graph.fieldNames);
    const { document, deferred } = plannable(this.definition, {
      fragments: this.fragments,
      schema,
      denies,
      key,
      interfaceObjects: this.graph.interfaceObjects,
      decided: this.decides ? variables : null,
      defers: (directive) => later && isActive(directive, variables),
    });
    const plan = this.planFor(document);
    const { node } = plan;
    const shapeOptions: ShapeOptions = {
      schema,
      fragments: this.fragments,
      keyOf: key,
      denial: (type, field) => (denies(type, field) ? denial : null),
      introspect: (field, given) => this.introspect(field, given),
      deferred: new Set(deferred.map((fragment) => fragment.node)),
    };
    const root = schema.getRootType(this.kind) as GraphQLObjectType;
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
    const { planningSchema, planner } = this.graph;
    const plan = planner.buildQueryPlan(operationFromDocument(planningSchema, document, { validate: false }));
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

/** Names of the variables in `@defer(if:)`; null for a document that defers nothing. */
function deferVariables(document: DocumentNode): string[] | null {
  let defers = false;
  const names = new Set<string>();
  visit(document, {
    Directive(node) {
      if (node.name.value !== 'defer') return;
      defers = true;
      const condition = node.arguments?.find(({ name }) => name.value === 'if')?.value;
      if (condition?.kind === Kind.VARIABLE) names.add(condition.name.value);
    },
  });
  return defers ? [...names] : null;
}

function conditionVariables(document: DocumentNode): string[] {
  const names = new Set<string>();
  visit(document, {
    Directive(node) {
      const value = node.arguments?.[0]?.value;
      const isCondition = node.name.value === 'skip' || node.name.value === 'include';
      if (isCondition && value?.kind === Kind.VARIABLE) names.add(value.name.value);
    },
  });
  return [...names];
}

function isActive(defer: DirectiveNode, variables: Variables): boolean {
  const condition = defer.arguments?.find(({ name }) => name.value === 'if')?.value;
  if (condition?.kind === Kind.VARIABLE) return variables[condition.name.value] !== false;
  return condition?.kind !== Kind.BOOLEAN || condition.value;
}

function responseKeys(document: DocumentNode): Set<string> {
  const keys = new Set<string>();
  visit(document, { Field: ({ alias, name }) => void keys.add((alias ?? name).value) });
  return keys;
}
