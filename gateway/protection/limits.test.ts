import { buildSchema, GraphQLError, getIntrospectionQuery, validate } from 'graphql';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../subgraphs/kit/config.ts';
import { HashiraError } from '../../subgraphs/kit/errors.ts';
import { checkShape, limitsOf, parseWithin } from './limits.ts';

const limits = limitsOf(loadConfig({}));
const check = (text: string, own = {}) =>
  checkShape(parseWithin(text, limits), { ...limits, ...own }).map(({ message }) => message);
const repeat = (count: number, make: (index: number) => string) =>
  Array.from({ length: count }, (_, i) => make(i)).join(' ');
const nested = (count: number, open: string, inner: string) => `${open.repeat(count)}${inner}${'}'.repeat(count)}`;

function thrownBy(text: string): GraphQLError | HashiraError {
  try {
    parseWithin(text, limits);
  } catch (error) {
    return error as GraphQLError;
  }
  throw new Error('It was parsed.');
}

describe('parseWithin', () => {
  it('says where the syntax is wrong', () => {
    const error = thrownBy('{ product {') as GraphQLError;
    expect(error.extensions.code).toBe('GRAPHQL_PARSE_FAILED');
    expect(error.locations).toEqual([{ line: 1, column: 12 }]);
  });

  it.each([
    ['20,000 aliases', `{${repeat(20_000, (i) => `a${i}: me { id }`)}}`],
    ['20,000 comments', `{ id } ${'#\n'.repeat(20_000)}`],
    ['more brackets than the stack holds', `{ a(b: ${'['.repeat(9_000)}`],
  ])('refuses %s', (_, text) => {
    expect(thrownBy(text).extensions?.code).toMatch(/QUERY_TOO_LARGE|GRAPHQL_PARSE_FAILED/);
  });

  it('refuses more tokens than allowed with the code of a large query', () => {
    expect(thrownBy(`{${'a '.repeat(10_000)}}`)).toMatchObject({
      code: 'QUERY_TOO_LARGE',
      message: 'The document is too large: at most 10000 tokens are allowed.',
    });
  });

  it('takes a syntax error for one even when it quotes the parser', () => {
    expect(thrownBy('{ a "Parsing aborted."').extensions?.code).toBe('GRAPHQL_PARSE_FAILED');
  });

  it('lives through 10,000 malformed documents', () => {
    const pieces = [
      '{',
      '}',
      '(',
      ')',
      '[',
      ']',
      '...',
      '$',
      'a',
      ':',
      '"',
      '"""',
      '1.',
      '#',
      '\\u',
      '\0',
      '😀',
      'on',
      'query',
      '@',
    ];
    let seed = 7;
    const random = (below: number) => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    for (let i = 0; i < 10_000; i++) {
      const text = repeat(1 + random(30), () => pieces[random(pieces.length)] as string);
      try {
        checkShape(parseWithin(text, limits), limits);
      } catch (error) {
        expect(error).toSatisfy((thrown) => thrown instanceof GraphQLError || thrown instanceof HashiraError);
      }
    }
  });
});

describe('checkShape', () => {
  it("lets the explorer's introspection pass", () => {
    const full = {
      inputValueDeprecation: true,
      specifiedByUrl: true,
      directiveIsRepeatable: true,
      schemaDescription: true,
    };
    expect(check(getIntrospectionQuery(full))).toEqual([]);
  });

  it('counts fields within each other, through fragments', () => {
    expect(check(`{${nested(19, 'a{', 'b')}}`)).toEqual([]);
    expect(check(`{${nested(20, 'a{', 'b')}}`)).toEqual(['The operation has more than 20 fields within each other.']);
    expect(check(`{ a { ...on A { ...F } } } fragment F on A { b { c } }`, { depth: 3 })).toEqual([]);
    expect(check(`{ a { ...on A { ...F } } } fragment F on A { b { c } }`, { depth: 2 })).toHaveLength(1);
  });

  it('counts the aliases of a fragment each time it is used', () => {
    expect(check('{ ...F a { ...F } } fragment F on A { x: b y: c }', { aliases: 4 })).toEqual([]);
    expect(check('{ ...F a { ...F } } fragment F on A { x: b y: c }', { aliases: 3 })).toEqual([
      'The operation has more than 3 aliases.',
    ]);
  });

  it('counts root fields through fragments', () => {
    expect(check('{ a { b c d } ...F } fragment F on Query { e ...on Query { f } }', { rootFields: 3 })).toEqual([]);
    expect(check('{ a { b c d } ...F } fragment F on Query { e ...on Query { f } }', { rootFields: 2 })).toHaveLength(
      1,
    );
  });

  it('looks at every operation of the document, and says where it is', () => {
    const document = parseWithin('query A { a }\nquery B { a { b } }', limits);
    const [error, ...more] = checkShape(document, { ...limits, depth: 1 });
    expect(more).toEqual([]);
    expect(error?.extensions.code).toBe('QUERY_TOO_LARGE');
    expect(error?.locations).toEqual([{ line: 2, column: 1 }]);
  });

  it('measures a fragment bomb at once', () => {
    const bomb = `{ ...F0 } ${repeat(18, (i) => `fragment F${i} on A { ${`a { ...F${i + 1} } `.repeat(20)} }`)} fragment F18 on A { x }`;
    const start = performance.now();
    expect(check(bomb)).toContain('The operation has more than 10000 fields, its fragments written out.');
    expect(performance.now() - start).toBeLessThan(500);
  });

  it('leaves cycles and unknown fragments to validation', () => {
    expect(check('{ ...A } fragment A on Q { a ...B } fragment B on Q { b ...A ...None }')).toEqual([]);
  });

  it.each([
    ['inline fragments', `${'{ ... '.repeat(101)}{ a }${'}'.repeat(101)}`],
    ['chained fragments', `{ ...F0 } ${repeat(150, (i) => `fragment F${i} on A { ...F${i + 1} }`)}`],
    [
      'chained fragments, the last ones first',
      `${repeat(150, (i) => `fragment F${i} on A { ...F${i && i - 1} }`)} { ...F149 }`,
    ],
    ['fragments nobody uses', `{ a } fragment F on A { ${nested(101, 'a {', 'b')} }`],
    ['lists in an argument', `{ a(b: ${'['.repeat(102)}${']'.repeat(102)}) }`],
    ['lists in a default', `query ($a: X = ${'['.repeat(102)}${']'.repeat(102)}) { a }`],
    ['objects in a directive', `{ a @b(c: ${nested(102, '{d:', '1')}) }`],
  ])('refuses %s within each other without end', (_, text) => {
    expect(check(text, { depth: 1_000 })).toEqual([
      'The document has more than 100 levels of fields, fragments or values.',
    ]);
  });

  it('refuses many directives in one place', () => {
    expect(check(`{ a ${'@skip(if: false) '.repeat(10)} }`)).toEqual([]);
    expect(check(`{ a ${'@skip(if: false) '.repeat(11)} }`)).toEqual([
      'There are more than 10 directives in one place.',
    ]);
    expect(check(`query ($a: Int ${'@b '.repeat(11)}) { a }`)).toHaveLength(1);
  });
});

describe('validation of what passes', () => {
  const schema = buildSchema(`
    interface N { a: A  x(v: [Int]): Int }
    type A implements N { a: A  n: N  x(v: [Int]): Int }
    type B implements N { a: A  n: N  x(v: [Int]): Int }
    type Query { a: A  n: N  x(v: [Int]): Int }
  `);
  const tree = (depth: number): string => (depth ? `a{${tree(depth - 1)}} a{${tree(depth - 1)}}` : 'x');
  it.each([
    ['one field many times', `{a{${'x '.repeat(9_900)}}}`],
    ['a tree of one field', `{${tree(10)}}`],
    ['many siblings at each level', `{a{${nested(15, 'a{', 'x').replaceAll('}', `}${' a{x}'.repeat(100)}`)}}}`],
    [
      'many fragments side by side',
      `{a{${repeat(990, (i) => `...F${i}`)}}} ${repeat(990, (i) => `fragment F${i} on A{x}`)}`,
    ],
    [
      'fragments in many fields',
      `{a{${repeat(500, (i) => `a{...F${i % 200}}`)}}} ${repeat(200, (i) => `fragment F${i} on A{a{x} x}`)}`,
    ],
    ['unknown fields', `{a{${repeat(9_900, (i) => `z${i}`)}}}`],
    ['large equal arguments', `{a{${repeat(9, () => `x(v:[${'1 '.repeat(1_000)}])`)}}}`],
    ['members of an interface', `{n{${repeat(1_500, (i) => `...on ${i % 2 ? 'A' : 'B'}{x}`)}}}`],
    [
      'many operations sharing a fragment',
      `${repeat(400, (i) => `query Q${i}($v:Int!){...F}`)} fragment F on Query{x(v:[${'$v '.repeat(1_700)}])}`,
    ],
  ])('ends soon for %s', (_, text) => {
    const document = parseWithin(text, limits);
    expect(checkShape(document, limits)).toEqual([]);
    const before = process.cpuUsage();
    validate(schema, document);
    const { user, system } = process.cpuUsage(before);
    // About 0.1 s for the worst, on one core; the rest is for a busy machine.
    expect((user + system) / 1e6).toBeLessThan(0.75);
  });
});
