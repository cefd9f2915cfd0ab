import { readdirSync, readFileSync } from 'node:fs';
import { composeServices } from '@apollo/composition';
import { Supergraph } from '@apollo/federation-internals';
import { getIntrospectionQuery, getOperationAST, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../subgraphs/kit/config.ts';
import { CostModel } from './cost.ts';

const BODY = `
  type Query {
    shop: Shop
    shops: [Shop]
    matrix: [[Shop]]
    sized: [Shop] @listSize(assumedSize: 3)
    first(first: Int = 4, last: Int): [Shop] @listSize(slicingArguments: ["first", "last"], requireOneSlicingArgument: false)
    one(first: Int, last: Int): [Shop] @listSize(slicingArguments: ["first", "last"])
    page(first: Int): ShopPage @listSize(slicingArguments: ["first"], sizedFields: ["edges", "nodes"], assumedSize: 20, requireOneSlicingArgument: false)
    names(first: Int): [String] @listSize(slicingArguments: ["first"])
    heavy: Heavy
    scalar: Dear
    dear: Int @COST(weight: 7)
    cheap: Shop @COST(weight: 0)
    find(text: String @COST(weight: 5), by: Filter): Shop
    any: Any
    node: Node
    nodes(first: Int): [Node] @listSize(slicingArguments: ["first"])
  }
  type Mutation { open(name: String): Shop }
  type Subscription { opened: Shop }
  type ShopPage { edges: [ShopEdge] nodes: [Shop] total: Int }
  type ShopEdge { node: Shop }
  input Filter { words: [String] @COST(weight: 3) and: [Filter] not: Filter kind: Kind plain: Int }
  enum Kind @COST(weight: 2) { A B }
  scalar Dear @COST(weight: 11)
  interface Node { id: ID related(first: Int): [Node] @listSize(slicingArguments: ["first"]) }
  type Shop implements Node { id: ID name: String street: Street related(first: Int): [Node] shop: Shop }
  type Heavy implements Node @COST(weight: 50) { id: ID related(first: Int): [Node] shop: Shop }
  type Street { name: String shops: [Shop] }
  union Any = Shop | Heavy
`;

function model(imports = '"@cost", "@listSize"', cost = '@cost', listSize = '@listSize'): CostModel {
  const sdl = BODY.replaceAll('@COST', cost).replaceAll('@listSize', listSize);
  const link = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: [${imports}])`;
  const { supergraphSdl, errors } = composeServices([{ name: 'a', url: 'http://a', typeDefs: parse(link + sdl) }]);
  if (!supergraphSdl) throw errors?.[0];
  const schema = Supergraph.build(supergraphSdl).apiSchema().toGraphQLJSSchema();
  return new CostModel(schema, supergraphSdl, { defaultListSize: 10 });
}

const costs = model();

function cost(text: string, variables: Record<string, unknown> = {}, of = costs): number {
  const document = parse(text);
  const operation = getOperationAST(document, undefined);
  if (!operation) throw new Error('no operation');
  return of.compile(document, operation)(variables);
}

describe('CostModel', () => {
  it.each([
    ['an object as 1 and a scalar as nothing', '{ shop { id name } }', 1],
    ['objects within objects', '{ shop { street { name } shop { street { name } } } }', 4],
    ['a list as ten of its items', '{ shops { street { name } } }', 20],
    ['a list of lists as a hundred', '{ matrix { id } }', 100],
    ['nothing for the name of a type', '{ __typename shop { __typename } }', 1],
    ['a mutation 10 more, each', 'mutation { a: open { id } b: open { id } }', 22],
    ['a subscription as one event', 'subscription { opened { street { name } } }', 2],
    ['an assumed size', '{ sized { street { name } } }', 6],
    ['a slicing argument', '{ first(first: 7) { id } }', 7],
    ['the default of a slicing argument', '{ first { id } }', 4],
    ['null for a slicing argument as none', '{ first(first: null) { id } }', 10],
    ['the larger of two', '{ first(first: 7, last: 9) { id } }', 9],
    ['a negative size as none', '{ first(first: -1000) { id } }', 0],
    [
      'sized fields in place of the field',
      '{ page(first: 5) { total edges { node { id } } nodes { id } } }',
      1 + 5 * 2 + 5,
    ],
    ['sized fields of an assumed size', '{ page { edges { node { id } } } }', 1 + 20 * 2],
    ['a list of scalars as nothing', '{ names(first: 1000) }', 0],
    ["a type's own weight", '{ heavy { id } }', 50],
    ["a scalar's own weight", '{ scalar }', 11],
    ["a field's weight in place of its type's", '{ dear cheap { id } }', 7],
    ["an argument's weight when it is given", '{ a: find { id } b: find(text: "x") { id } }', 7],
    ['input fields, once each', '{ find(by: { words: ["a", "b"], plain: 1 }) { id } }', 4],
    [
      'input objects in lists and in each other',
      '{ find(by: { and: [{ words: [] }, { not: { kind: A } }] }) { id } }',
      6,
    ],
    ['the dearest member of a union', '{ any { ... on Shop { street { name } } ... on Heavy { id } } }', 50],
    [
      'the dearest selection on a member',
      '{ any { ... on Shop { first: street { shops { street { shops { id } } } } } ... on Heavy { id } } }',
      1 + 1 + 10 + 10 + 100,
    ],
    ["an interface's sizes on its members", '{ node { related(first: 3) { id } } }', 50 + 3 * 50],
    [
      'a field once, however often it is merged',
      '{ shop { street { name } } shop { street { name } } ...F ...F } fragment F on Query { shop { street { shops { id } } } }',
      12,
    ],
    ['aliases each', '{ a: shop { id } b: shop { id } }', 2],
    [
      'nothing for what is never included',
      '{ shop @skip(if: true) { id } ... @include(if: false) { shops { id } } cheap @skip(if: false) { shop { id } } }',
      1,
    ],
    ['what a variable may include', 'query ($a: Boolean!) { shop @include(if: $a) { id } }', 1],
  ])('counts %s', (_, text, expected) => {
    expect(cost(text)).toBe(expected);
  });

  it('reads sizes from variables, as they are coerced', () => {
    const text =
      'query ($a: Int, $b: Int = 3) { a: first(first: $a) { id } b: page(first: $b) { edges { node { id } } } }';
    expect(cost(text, { a: 2, b: 5 })).toBe(2 + 11);
    expect(cost(text, { a: null, b: 0 })).toBe(10 + 1);
    expect(cost(text, { b: 0 })).toBe(4 + 1);
  });

  it('multiplies sizes of lists within lists', () => {
    const text =
      'query ($a: Int, $b: Int) { first(first: $a) { related(first: $b) { ... on Shop { related(first: $b) { id } } } } }';
    expect(cost(text, { a: 2, b: 3 })).toBe(2 * (1 + 3 * Math.max(50, 1 + 3 * 50)));
  });

  it('reads weights of arguments from variables', () => {
    const text = 'query ($t: String, $f: Filter) { find(text: $t, by: $f) { id } }';
    expect(cost(text)).toBe(1);
    expect(cost(text, { t: 'x', f: { and: [{ words: ['a'] }, { words: ['b'], kind: 'B' }] } })).toBe(1 + 5 + 3 + 3 + 2);
  });

  it('demands one slicing argument where the schema does', () => {
    expect(cost('{ one(first: 3) { id } }')).toBe(3);
    expect(() => cost('{ one { id } }')).toThrow('Field "one" needs exactly one of the arguments "first", "last".');
    expect(() => cost('{ one(first: 3, last: 3) { id } }')).toThrow('exactly one');
    const text = 'query ($a: Int) { one(last: $a) { id } }';
    expect(cost(text, { a: 8 })).toBe(8);
    expect(() => cost(text)).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT' }));
  });

  it("lets the explorer's introspection pass for a price that grows with the lists it asks for", () => {
    expect(cost(getIntrospectionQuery())).toBe(1_000);
    expect(cost('{ __schema { a: types { name } b: types { fields { name } } } }')).toBe(400);
  });

  it.each([
    ['renamed', '{ name: "@cost", as: "@price" }, { name: "@listSize", as: "@items" }', '@price', '@items'],
    ['not imported', '', '@federation__cost', '@federation__listSize'],
  ])('finds the directives when they are %s', (_, imports, costName, listSize) => {
    const other = model(imports, costName, listSize);
    expect(cost('{ dear heavy { id } sized { id } }', {}, other)).toBe(7 + 50 + 3);
  });

  it('saturates', () => {
    const shops = (depth: number): string => (depth ? `street { shops { ${shops(depth - 1)} } }` : 'id');
    expect(cost(`{ shop { ${shops(40)} } }`)).toBe(Number.MAX_SAFE_INTEGER);
    expect(
      cost('query ($a: Int) { first(first: $a) { related(first: $a) { related(first: $a) { id } } } }', { a: 2e9 }),
    ).toBe(Number.MAX_SAFE_INTEGER);
  });

  it.each([
    [
      'aliases of one fragment',
      (i: number) => `a: shop { ...F${i} } b: shop { ...F${i} } c: shop { ...F${i} ...F${i} }`,
    ],
    [
      'a list of unknown length',
      (i: number) => `a: related(first: $n) { ...F${i} } b: related(first: $n) { ...F${i} }`,
    ],
    [
      'many combinations',
      (i: number) =>
        `a: shop { ...F${i} ...F${i + 1} } b: shop { ...F${i + 2} } a: shop { ...F${i + 3} ...F${i + 7} } b: shop { ...F${i + 5} }`,
    ],
  ])('takes little time for fragments that multiply %s', (_, selection) => {
    const fragments = Array.from({ length: 60 }, (_, i) => `fragment F${i} on Shop { ${selection(i + 1)} }`);
    const tail = Array.from({ length: 8 }, (_, i) => `fragment F${60 + i} on Shop { id }`);
    const text = `query ($n: Int) { shop { ...F0 } } ${[...fragments, ...tail].join('\n')}`;
    const before = process.cpuUsage();
    expect(cost(text, { n: 3 })).toBeGreaterThan(1e9);
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1e6).toBeLessThan(1);
  });

  it('costs next to nothing to ask again', () => {
    const document = parse('query ($a: Int) { page(first: $a) { edges { node { street { name } } } } }');
    const compiled = costs.compile(document, getOperationAST(document) as never);
    for (let i = 0; i < 20_000; i++) compiled({ a: i % 100 });
    const start = performance.now();
    for (let i = 0; i < 100_000; i++) compiled({ a: i % 100 });
    expect((performance.now() - start) / 100).toBeLessThan(5);
  });
});

describe("the shop's own graph", () => {
  const folder = new URL('../../schema/', import.meta.url);
  const sdl = readFileSync(new URL('supergraph.graphql', folder), 'utf8');
  const schema = Supergraph.build(sdl, { supportedFeatures: null }).apiSchema().toGraphQLJSSchema();
  const { MAX_COST, DEFAULT_LIST_SIZE } = loadConfig({});
  const shop = new CostModel(schema, sdl, { defaultListSize: DEFAULT_LIST_SIZE });

  it('allows its operations', () => {
    for (const file of readdirSync(new URL('operations/', folder)).filter((name) => name.endsWith('.graphql'))) {
      const document = parse(readFileSync(new URL(`operations/${file}`, folder), 'utf8'));
      for (const definition of document.definitions) {
        if (definition.kind !== 'OperationDefinition') continue;
        expect(shop.compile(document, definition)({}), file).toBeLessThan(MAX_COST / 10);
      }
    }
  });

  it.each([
    [
      'a page of products and what is like each',
      '{ products(first: 100) { edges { node { similar(first: 10) { product { name } } } } } }',
      2_201,
    ],
    [
      'the largest page',
      '{ products(first: 100) { edges { node { id name category { name parent { name } } price { amount } attributes { name value } } } pageInfo { endCursor } } }',
      1_502,
    ],
    [
      'all shelves',
      '{ categories { name parent { name } products(first: 20) { edges { node { name price { amount } } } } } }',
      3_150,
    ],
    [
      'a forecast as far as it goes',
      '{ salesForecast(horizon: 56) { history { units } points { units } model { metrics } } }',
      506,
    ],
    [
      'forecasts of a page of products',
      '{ products(first: 20) { edges { node { forecast(horizon: 28) { history { units } points { units } } } } } }',
      5_101,
    ],
    [
      'the logs of a page of jobs',
      '{ jobs(first: 100) { edges { node { status logs(last: 20) requestedBy { id } } } } }',
      2_301,
    ],
    [
      'products by the hundreds',
      'mutation { upsertProducts(products: []) { products { id category { name } price { amount } } } }',
      1_511,
    ],
    [
      'recommendations',
      '{ me { recommendations(first: 100) { edges { node { product { name similar(first: 20) { rank } } } } } recentlyViewed(first: 100) { name } } }',
      2_402,
    ],
  ])('allows %s', (_, text, expected) => {
    expect(cost(text, {}, shop)).toBe(expected);
    expect(expected).toBeLessThan(MAX_COST);
  });

  it.each([
    '{ products(first: 100) { edges { node { similar(first: 100) { product { name } } } } } }',
    '{ products { edges { node { similar { product { similar { product { similar { product { name } } } } } } } } } }',
    '{ categories { products(first: 100) { edges { node { category { products { edges { node { id } } } } } } } } }',
    '{ products(first: 100) { edges { node { forecast(horizon: 56) { history { units } points { units } } } } } }',
    '{ jobs(first: 100) { edges { node { logs(last: 1000) } } } }',
  ])('refuses %s', (text) => {
    expect(cost(text, {}, shop)).toBeGreaterThan(MAX_COST);
  });
});
