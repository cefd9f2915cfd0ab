import { buildSchema, getVariableValues, type OperationDefinitionNode, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { compileCoercion } from './variables.ts';

const schema = buildSchema(
  'type Query { f(i: Int, x: Float, s: String, b: Boolean, id: ID, l: [Int!], e: E, in: In): Int } enum E { A } input In { a: Int = 3 }',
);
const values: unknown[] = [
  undefined,
  null,
  0,
  1,
  -1.5,
  2 ** 31,
  2 ** 31 - 1,
  -(2 ** 31),
  Number.MAX_VALUE,
  '1',
  '',
  true,
  [],
  {},
  ['a'],
];

/** Every kind of value for every kind of type, with and without default, as graphql-js reads it. */
const types = [
  'Int',
  'Int!',
  'Float',
  'Float!',
  'String',
  'String!',
  'Boolean',
  'Boolean!',
  'ID',
  'ID!',
  '[Int!]',
  'E',
  'In',
];
const defaults: Record<string, string> = {
  Int: '7',
  Float: '7',
  String: '"d"',
  Boolean: 'true',
  ID: '7',
  'Int!': '7',
  E: 'A',
};

describe('coercion of variables', () => {
  for (const type of types) {
    for (const fallback of [undefined, defaults[type]]) {
      it(`reads ${type}${fallback ? ` = ${fallback}` : ''} as graphql-js does`, () => {
        const text = `query ($v: ${type}${fallback ? ` = ${fallback}` : ''}) { f }`;
        const definitions = (parse(text).definitions[0] as OperationDefinitionNode).variableDefinitions ?? [];
        const coerce = compileCoercion(schema, definitions);
        for (const value of values) {
          const given = value === undefined ? {} : { v: value };
          const expected = getVariableValues(schema, definitions, given, { hideSuggestions: true });
          const actual = coerce(given);
          const told = (result: object) =>
            'errors' in result && result.errors
              ? (result.errors as Error[]).map(({ message }) => message)
              : 'variables' in result
                ? { ...(result.variables as object) }
                : { ...(result as { coerced: object }).coerced };
          expect(told(actual), JSON.stringify(value)).toEqual(told(expected));
        }
      });
    }
  }

  it('gives nothing on that the operation did not declare', () => {
    const { variableDefinitions = [] } = parse('query ($v: Int) { f }').definitions[0] as OperationDefinitionNode;
    expect(compileCoercion(schema, variableDefinitions)({ v: 1, other: 2 })).toEqual({ variables: { v: 1 } });
  });
});
