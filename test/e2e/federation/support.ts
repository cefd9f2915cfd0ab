import {
  execute,
  GraphQLSchema,
  lexicographicSortSchema,
  parse,
  printSchema,
  specifiedDirectives,
  validate,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { differences } from './compare.ts';
import { type Federated, federate } from './federated.ts';
import { monolithSchema, type Row, type World } from './world.ts';

/** A query; with variables; or with the number of errors that the monolith must report too, none by default. */
export type Case = string | [query: string, variables: Row] | { query: string; variables?: Row; errors: number };

/**
 * Runs each query, named by a sentence, through the gateway and on the monolith: both must answer alike.
 * @param limits known to be answered otherwise: who changes that is told to move them
 */
export function compared(
  name: string,
  world: World,
  cases: Record<string, Case>,
  limits: Record<string, Case> = {},
): void {
  describe(name, () => {
    let gateway: Federated;
    let monolith: GraphQLSchema;
    beforeAll(async () => {
      gateway = await federate(world);
      monolith = monolithSchema(world.monolith);
    });
    afterAll(() => gateway?.stop());

    it('gives clients the schema of the monolith', () => {
      expect(printed(gateway.schema)).toBe(printed(monolith));
    });
    const compare = async (one: Case) => {
      const { query, variables, errors } = caseOf(one);
      const wanted = await ask(monolith, query, variables);
      expect(wanted.errors?.length ?? 0, `errors of the monolith: ${wanted.errors}`).toBe(errors);
      const answer = await gateway.run(query, variables);
      const found = differences(answer, wanted, query);
      if (found.length > 0) expect.fail([...found, gateway.plan(query)].join('\n'));
    };
    for (const [sentence, one] of Object.entries(cases)) it(sentence, () => compare(one));
    for (const [sentence, one] of Object.entries(limits)) it.fails(`does not yet: ${sentence}`, () => compare(one));
  });
}

const caseOf = (one: Case) => {
  if (typeof one === 'string') return { query: one, variables: {}, errors: 0 };
  if (Array.isArray(one)) return { query: one[0], variables: one[1], errors: 0 };
  return { variables: {}, ...one };
};

/** What a server of one schema answers. */
export async function ask(schema: GraphQLSchema, query: string, variableValues: Row = {}) {
  const document = parse(query);
  const errors = validate(schema, document);
  return errors.length > 0 ? { errors } : await execute({ schema, document, variableValues, rootValue: {} });
}

/** The types: which directives a server offers is its own matter. */
const printed = (schema: GraphQLSchema): string =>
  printSchema(lexicographicSortSchema(new GraphQLSchema({ ...schema.toConfig(), directives: specifiedDirectives })));
