import {
  type ArgumentNode,
  type ASTNode,
  type DirectiveNode,
  type DocumentNode,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  type OperationDefinitionNode,
  parse,
  type SelectionNode,
  type SelectionSetNode,
  type ValueNode,
} from 'graphql';
import type { Config } from '../../subgraphs/kit/config.ts';
import { HashiraError } from '../../subgraphs/kit/errors.ts';

/** How large a document may be; checked before it is validated, so that nothing after the parser meets a hostile shape. */
export interface Limits {
  /** Lexical tokens of the document, and fields of one operation with its fragments written out. */
  tokens: number;
  /** Fields within each other. */
  depth: number;
  /** Aliases of one operation, fragments written out. */
  aliases: number;
  /** Fields of the root type in one operation, fragments written out. */
  rootFields: number;
}

export const limitsOf = (config: Config): Limits => ({
  tokens: config.MAX_TOKENS,
  depth: config.MAX_DEPTH,
  aliases: config.MAX_ALIASES,
  rootFields: config.MAX_ROOT_FIELDS,
});

/** Fields, fragments and values within each other: bounds the recursion of whatever walks the document later. */
const MAX_NESTING = 100;
const MAX_DIRECTIVES = 10;
/** Fragments with `@defer` in one operation, written out: the time to plan them grows with their square. */
const MAX_DEFERRED = 100;

/**
 * graphql-js' parser, with an end.
 * @throws HashiraError QUERY_TOO_LARGE; GraphQLError GRAPHQL_PARSE_FAILED with the location for what is not GraphQL
 */
export function parseWithin(text: string, { tokens }: Limits): DocumentNode {
  try {
    return parse(text, { maxLexicalTokens: tokens, maxComments: tokens });
  } catch (error) {
    if (error instanceof GraphQLError && !error.message.endsWith('Parsing aborted.')) {
      const { message, source, positions } = error;
      throw new GraphQLError(message, { source, positions, extensions: { code: 'GRAPHQL_PARSE_FAILED' } });
    }
    // The parser calls itself for what is within something: a RangeError is the end of the stack.
    if (!(error instanceof GraphQLError || error instanceof RangeError)) throw error;
    const message = `The document is too large: at most ${tokens} tokens are allowed.`;
    throw new HashiraError('QUERY_TOO_LARGE', message, { cause: error });
  }
}

/** What a selection set amounts to with its fragments written out. */
interface Size {
  depth: number;
  nesting: number;
  aliases: number;
  fields: number;
  rootFields: number;
  deferred: number;
}

type Annotated = ASTNode & { arguments?: readonly ArgumentNode[]; directives?: readonly DirectiveNode[] };

const EMPTY: Size = { depth: 0, nesting: 0, aliases: 0, fields: 0, rootFields: 0, deferred: 0 };

/**
 * What is too large in a document, one error per operation and limit, each QUERY_TOO_LARGE; empty when it may be validated.
 * Takes time linear in the document, whatever its fragments multiply to. Tolerates what validation refuses.
 */
export function checkShape(document: DocumentNode, limits: Limits): GraphQLError[] {
  const measure = new Measure(document);
  const errors: GraphQLError[] = [];
  try {
    for (const definition of document.definitions) {
      if (definition.kind === Kind.FRAGMENT_DEFINITION) measure.fragment(definition.name.value, 0);
      if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
      const size = measure.operation(definition);
      const check = (what: string, is: number, most: number) => {
        if (is > most) errors.push(tooLarge(`The operation has more than ${most} ${what}.`, definition));
      };
      check('fields within each other', size.depth, limits.depth);
      check('aliases', size.aliases, limits.aliases);
      check('root fields', size.rootFields, limits.rootFields);
      check('deferred fragments', size.deferred, MAX_DEFERRED);
      check('fields, its fragments written out', size.fields, limits.tokens);
    }
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    errors.push(error);
  }
  return errors;
}

class Measure {
  private readonly fragments = new Map<string, FragmentDefinitionNode>();
  /** Size of each fragment; null while it is being measured, which is met again in a cycle. */
  private readonly known = new Map<string, Size | null>();

  constructor(document: DocumentNode) {
    for (const definition of document.definitions) {
      if (definition.kind === Kind.FRAGMENT_DEFINITION) this.fragments.set(definition.name.value, definition);
    }
  }

  operation(operation: OperationDefinitionNode): Size {
    this.annotations(operation, 0);
    for (const variable of operation.variableDefinitions ?? []) {
      this.annotations(variable, 0);
      if (variable.defaultValue) this.value(variable.defaultValue, 0);
    }
    return this.selections(operation.selectionSet, 0);
  }

  fragment(name: string, level: number): Size {
    const known = this.known.get(name);
    if (known !== undefined) {
      if (known && level + known.nesting > MAX_NESTING) throw tooNested(this.fragments.get(name));
      return known ?? EMPTY;
    }
    const definition = this.fragments.get(name);
    if (!definition) return EMPTY;
    this.known.set(name, null);
    this.annotations(definition, level);
    const size = this.selections(definition.selectionSet, level);
    this.known.set(name, size);
    return size;
  }

  private selections(set: SelectionSetNode, level: number): Size {
    const size = { ...EMPTY };
    for (const selection of set.selections) {
      if (level >= MAX_NESTING) throw tooNested(selection);
      this.annotations(selection, level);
      const field = selection.kind === Kind.FIELD ? 1 : 0;
      const inner =
        selection.kind === Kind.FRAGMENT_SPREAD
          ? this.fragment(selection.name.value, level + 1)
          : selection.selectionSet
            ? this.selections(selection.selectionSet, level + 1)
            : EMPTY;
      size.depth = Math.max(size.depth, inner.depth + field);
      size.nesting = Math.max(size.nesting, inner.nesting + 1);
      size.fields += inner.fields + field;
      size.aliases += inner.aliases + (selection.kind === Kind.FIELD && selection.alias ? 1 : 0);
      size.rootFields += field || inner.rootFields;
      size.deferred += inner.deferred + (isDeferred(selection) ? 1 : 0);
    }
    return size;
  }

  /** The arguments and directives of a node. */
  private annotations(node: Annotated, level: number): void {
    const { arguments: given = [], directives = [] } = node;
    for (const { value } of given) this.value(value, level);
    if (directives.length > MAX_DIRECTIVES) {
      throw tooLarge(`There are more than ${MAX_DIRECTIVES} directives in one place.`, node);
    }
    for (const directive of directives) this.annotations(directive, level);
  }

  private value(value: ValueNode, level: number): void {
    if (level > MAX_NESTING) throw tooNested(value);
    if (value.kind === Kind.LIST) for (const item of value.values) this.value(item, level + 1);
    if (value.kind === Kind.OBJECT) for (const field of value.fields) this.value(field.value, level + 1);
  }
}

const isDeferred = ({ directives }: SelectionNode): boolean =>
  directives?.some(({ name }) => name.value === 'defer') ?? false;

const tooLarge = (message: string, node: ASTNode | undefined): GraphQLError =>
  new GraphQLError(message, { nodes: node, extensions: { code: 'QUERY_TOO_LARGE' } });

const tooNested = (node: ASTNode | undefined): GraphQLError =>
  tooLarge(`The document has more than ${MAX_NESTING} levels of fields, fragments or values.`, node);
