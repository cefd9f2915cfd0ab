import { composeServices } from '@apollo/composition';
import { buildSchema, type OperationDefinitionNode, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { createLogger } from '../../subgraphs/kit/log.ts';
import { supergraphOf } from '../../test/support/graph.ts';
import { Graph } from '../graph/graph.ts';
import { PreparedOperations, type RefusedDocument } from '../graph/prepared.ts';
import { compileCoercion } from '../graph/variables.ts';
import { clientAddress } from '../protection/address.ts';
import type { Source } from '../sources/source.ts';

const log = createLogger('test', 'silent');
const limits = { tokens: 10_000, depth: 20, aliases: 100, rootFields: 20 };

/** A graph whose one subgraph answers everything it has with 1. */
function graphOf(sdl: string): Graph {
  const source: Source = {
    name: 'a',
    prepare: () => ({
      execute: () => ({ data: { a: 1, b: 1, c: 1 } }),
      subscribe: () => Promise.reject(new Error('not here')),
    }),
    stop: async () => {},
  };
  return new Graph(sdl, { sources: new Map([['a', source]]), log });
}

/** The first reason against a document; undefined when there is none. */
function refusal(text: string, introspection: boolean): string | undefined {
  const graph = graphOf(supergraphOf({ a: ['type Query { secret: Deep } type Deep { deep: Deep one: Int }', {}] }));
  try {
    new PreparedOperations(graph, { limits, introspection, defaultListSize: 10 }).prepare(text, undefined);
    return undefined;
  } catch (error) {
    return (error as RefusedDocument).errors[0]?.message;
  }
}

describe('access rules', () => {
  const imported = ', "@authenticated", "@requiresScopes", "@policy"';
  const renamed =
    ', {name: "@authenticated", as: "@a"}, {name: "@requiresScopes", as: "@s"}, {name: "@policy", as: "@p"}';
  const spellings: [how: string, imports: string, authenticated: string, scopes: string, policy: string][] = [
    ['by their own names', imported, 'authenticated', 'requiresScopes', 'policy'],
    ['by other names', renamed, 'a', 's', 'p'],
    [
      'by the prefix of federation',
      '',
      'federation__authenticated',
      'federation__requiresScopes',
      'federation__policy',
    ],
  ];
  for (const [how, imports, authenticated, scopes, policy] of spellings) {
    it(`hold for a subgraph that states them ${how}`, async () => {
      const typeDefs = parse(`
        extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"${imports}])
        type Query { a: Int @${authenticated} b: Int @${scopes}(scopes: [["x"]]) c: Int @${policy}(policies: [["p"]]) }
      `);
      const { supergraphSdl = '' } = composeServices([{ name: 'a', url: 'local://a', typeDefs }]);
      const operation = graphOf(supergraphSdl).operation(parse('{ a b c }'));
      const context = { identity: null, requestId: 'r', log, subgraphContexts: new Map() };
      expect((await operation.execute({}, context)).data).toEqual({ a: null, b: null, c: null });
    });
  }
});

describe('what a stranger sends', () => {
  it('does not choose its own address by a long list of others', () => {
    const made = Array.from({ length: 1_500 }, (_, index) => `10.0.0.${index % 250}`).join(', ');
    const request = { headers: { 'x-forwarded-for': `${made}, 9.9.9.9` }, socket: { remoteAddress: '127.0.0.1' } };
    expect(clientAddress(1)(request)).toBe('9.9.9.9');
  });

  it('is not told the names that are nearly right where the schema is not shown', () => {
    expect(refusal('{ secrets }', true)).toContain('Did you mean "secret"');
    expect(refusal('{ secrets }', false)).toBe('Cannot query field "secrets" on type "Query".');
  });

  it('is refused where it defers more than is planned in reasonable time', () => {
    const deferred = (count: number) => `{ secret { ${'... @defer { one } '.repeat(count)} } }`;
    expect(refusal(deferred(100), true)).toBeUndefined();
    expect(refusal(deferred(101), true)).toBe('The operation has more than 100 deferred fragments.');
    const spread = `fragment F on Deep { ${'... @defer { one } '.repeat(51)} }`;
    expect(refusal(`{ secret { ...F deep { ...F } } } ${spread}`, true)).toContain('deferred');
  });

  it('is refused where each of several types is asked for each of several types, and so on', async () => {
    const members = Array.from({ length: 6 }, (_, index) => `T${index}`);
    const next = (index: number) => `next: N ${index === 0 ? '@authenticated' : ''}`;
    const types = members.map((name, index) => `type ${name} implements N { id: ID ${next(index)} }`);
    const graph = graphOf(
      supergraphOf({ a: [`type Query { n: N } interface N { id: ID next: N } ${types.join(' ')}`, {}] }),
    );
    const run = (levels: number) =>
      graph
        .operation(parse(`{ n { ${'next { '.repeat(levels)} id ${'} '.repeat(levels)} } }`))
        .execute({}, { identity: null, requestId: 'r', log, subgraphContexts: new Map() });
    expect(run(3)).toEqual({ data: { n: null } });
    expect(() => run(18)).toThrow('too many types within each other');
  });

  it('is refused where variables are nested beyond what anything can walk', () => {
    const { definitions } = parse('query ($json: JSON, $more: More) { f }');
    const { variableDefinitions = [] } = definitions[0] as OperationDefinitionNode;
    const schema = buildSchema('scalar JSON input More { more: More } type Query { f: Int }');
    const coerce = compileCoercion(schema, variableDefinitions);
    const nested = (levels: number, open: string, close: string) =>
      JSON.parse(`${open.repeat(levels)}null${close.repeat(levels)}`);
    expect(coerce({ json: nested(90, '[', ']') })).toHaveProperty('variables');
    const refused = { errors: [expect.objectContaining({ message: expect.stringContaining('more than 100 levels') })] };
    for (const levels of [150, 90_000]) {
      expect(coerce({ json: nested(levels, '[', ']') })).toEqual(refused);
      expect(coerce({ more: nested(levels, '{"more":', '}') })).toEqual(refused);
    }
  });
});
