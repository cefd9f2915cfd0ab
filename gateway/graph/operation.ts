import type { QueryPlan } from '@apollo/query-planner';
import { type DocumentNode, type FragmentDefinitionNode, Kind, type OperationDefinitionNode } from 'graphql';
import type { Identity } from '../../subgraphs/kit/auth.ts';
import { HashiraError } from '../../subgraphs/kit/errors.ts';
import type { Result, SubscriptionPlan } from '../answer.types.ts';
import type { GatewayContext } from '../context.ts';
import { deliver, Fetched } from '../execution/deferred.ts';
import { absorbRoot, compileVariables } from '../execution/fetch.ts';
import { placed } from '../execution/placed.ts';
import { compileRewrites } from '../execution/rewrites.ts';
import type { Data, ResultError, Run } from '../execution/run.ts';
import type { Variables } from '../sources/source.ts';
import { compileProgram, type Program } from './compile.ts';
import { asksSchema, conditionVariables, deferVariables, fragmentsOf, pick, responseKeys } from './document.ts';
import type { GraphParts } from './graph.ts';
import { clientKey } from './plannable.ts';
import { type Coerce, compileCoercion } from './variables.ts';

/** Most programs of one operation at a time: each has a plan, and clients choose what they are for. */
const MOST_PROGRAMS = 32;

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
    this.fragments = fragmentsOf(document);
    this.coerce = compileCoercion(graph.schema, this.definition.variableDefinitions ?? []);
    const all = graph.introspectsAllowed && asksSchema(document);
    this.touched = all ? graph.access.coordinates : graph.access.touched(document);
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
  subscription(variables: Variables, context: GatewayContext): SubscriptionPlan | Result {
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
      try {
        program = compileProgram(this.graph, this.definition, this.fragments, {
          denies: this.graph.access.denies(denied),
          denial: identity ? FORBIDDEN : SIGNED_OUT,
          variables,
          decides: this.decides,
          later,
        });
      } catch (error) {
        // The planner does not manage some conditions on interface objects: then each combination is planned for itself.
        if (this.decides || this.conditionVariables.length === 0 || error instanceof HashiraError) throw error;
        this.decides = true;
        return this.program({ identity, trace }, variables, later);
      } finally {
        done?.();
      }
      this.onPlanned?.(performance.now() - began);
      const [oldest] = this.programs.keys();
      if (oldest !== undefined && this.programs.size >= MOST_PROGRAMS) this.programs.delete(oldest);
      this.programs.set(who, program);
    }
    return program;
  }
}
