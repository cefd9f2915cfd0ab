import {
  type GraphQLArgument,
  type GraphQLCompositeType,
  type GraphQLInputType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  parse,
  validate,
} from 'graphql';
import type { Row } from './world.ts';

export interface Generated {
  query: string;
  variables: Row;
}

/** Values that mean something to the world, by the name of the argument or, failing that, of its type. */
export type Vocabulary = Record<string, readonly unknown[]>;

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A valid query of the schema, and its variables. The same seed gives the same query. */
export function generate(schema: GraphQLSchema, vocabulary: Vocabulary, seed: number): Generated {
  for (let attempt = 0; attempt < 200; attempt++) {
    const generated = new Generator(schema, vocabulary, randomOf(seed * 1_000 + attempt)).operation();
    if (validate(schema, parse(generated.query)).length === 0) return generated;
  }
  return { query: '{ __typename }', variables: {} };
}

const DEPTH = 6;

class Generator {
  private readonly variables: Row = {};
  private readonly definitions: string[] = [];
  private readonly fragments: { name: string; on: GraphQLCompositeType; text: string }[] = [];
  /** Fields still to be asked, so that no query grows without end. */
  private budget: number;

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly vocabulary: Vocabulary,
    private readonly random: () => number,
  ) {
    this.budget = 10 + this.below(40);
  }

  operation(): Generated {
    const type = this.schema.getQueryType() as GraphQLCompositeType;
    const selection = this.selection(type, 0);
    const variables = this.definitions.length > 0 ? `(${this.definitions.join(', ')})` : '';
    const fragments = this.fragments.map(({ name, on, text }) => `fragment ${name} on ${on} ${text}`);
    return { query: [`query ${variables} ${selection}`, ...fragments].join('\n'), variables: this.variables };
  }

  private selection(type: GraphQLCompositeType, depth: number): string {
    const parts: string[] = [];
    const count = 1 + this.below(depth === 0 ? 3 : 5);
    for (let i = 0; i < count; i++) {
      const roll = this.random();
      if (depth < DEPTH && depth > 0 && roll < 0.15) parts.push(this.inline(type, depth));
      else if (depth < DEPTH && depth > 0 && roll < 0.23) parts.push(this.spread(type, depth));
      else if (depth < DEPTH + 1 && isAbstractType(type) && roll < 0.6) parts.push(this.inline(type, depth));
      else parts.push(this.field(type, depth));
    }
    return `{ ${parts.join(' ')} }`;
  }

  private field(type: GraphQLCompositeType, depth: number): string {
    const fields = 'getFields' in type ? Object.values(type.getFields()) : [];
    const usable = fields.filter((field) =>
      depth < DEPTH && this.budget > 0 ? true : !isCompositeType(getNamedType(field.type)),
    );
    const field = this.random() < 0.12 ? undefined : this.pick(usable);
    if (!field) return `${this.alias(['__typename'])}__typename${this.condition()}`;
    this.budget -= 1;
    const named = getNamedType(field.type);
    const inner = isCompositeType(named) ? ` ${this.selection(named, depth + 1)}` : '';
    const names = fields.map(({ name }) => name);
    return `${this.alias(names)}${field.name}${this.arguments(field.args)}${this.condition()}${inner}`;
  }

  private inline(type: GraphQLCompositeType, depth: number): string {
    if (this.random() < 0.2) return `... ${this.condition()} ${this.selection(type, depth + 1)}`;
    const on = this.overlapping(type);
    return `... on ${on}${this.condition()} ${this.selection(on, depth + 1)}`;
  }

  private spread(type: GraphQLCompositeType, depth: number): string {
    const known = this.fragments.filter(({ on }) => this.overlaps(on, type));
    const again = this.random() < 0.5 ? this.pick(known) : undefined;
    if (again) return `...${again.name}${this.condition()}`;
    const on = this.overlapping(type);
    const text = this.selection(on, depth + 1);
    const name = `F${this.fragments.length + 1}`;
    this.fragments.push({ name, on, text });
    return `...${name}${this.condition()}`;
  }

  private overlapping(type: GraphQLCompositeType): GraphQLCompositeType {
    const all = Object.values(this.schema.getTypeMap()).filter(
      (other): other is GraphQLCompositeType =>
        isCompositeType(other) && !other.name.startsWith('__') && this.overlaps(type, other),
    );
    return this.pick(all) ?? type;
  }

  private overlaps(a: GraphQLCompositeType, b: GraphQLCompositeType): boolean {
    const members = (type: GraphQLCompositeType) => (isObjectType(type) ? [type] : this.schema.getPossibleTypes(type));
    return members(a).some((member) => members(b).includes(member));
  }

  /** Often an alias that is the name of another field: such names must not get in the way of keys and required fields. */
  private alias(names: readonly string[]): string {
    const roll = this.random();
    if (roll < 0.7) return '';
    return `${roll < 0.85 ? this.pick(['a', 'b', 'c']) : this.pick(names)}: `;
  }

  private condition(): string {
    const roll = this.random();
    if (roll > 0.12) return '';
    const directive = this.pick(['skip', 'include']);
    const value = roll < 0.03 ? String(this.random() < 0.5) : this.variable('Boolean!', this.random() < 0.5);
    const second =
      roll > 0.11
        ? ` @${directive === 'skip' ? 'include' : 'skip'}(if: ${this.variable('Boolean!', this.random() < 0.5)})`
        : '';
    return ` @${directive}(if: ${value})${second}`;
  }

  private arguments(args: readonly GraphQLArgument[]): string {
    const given = args.flatMap((arg) => {
      const required = isNonNullType(arg.type) && arg.defaultValue === undefined;
      if (!required && this.random() < 0.4) return [];
      const asVariable = this.random() < 0.35;
      const value = this.value(arg.type, arg.name);
      return [`${arg.name}: ${asVariable ? this.variable(String(arg.type), value) : literal(value, arg.type)}`];
    });
    return given.length > 0 ? `(${given.join(', ')})` : '';
  }

  /** A variable of this type; now and then with a default and then no value. */
  private variable(type: string, value: unknown): string {
    const name = `v${this.definitions.length + 1}`;
    const optional = !type.endsWith('!');
    if (optional && value === null && this.random() < 0.5) this.definitions.push(`$${name}: ${type}`);
    else {
      const usesDefault = typeof value !== 'object' && !/Currency|Kind/.test(type) && this.random() < 0.3;
      this.definitions.push(`$${name}: ${type}${usesDefault ? ` = ${JSON.stringify(value)}` : ''}`);
      if (!usesDefault) this.variables[name] = value;
    }
    return `$${name}`;
  }

  private value(type: GraphQLInputType, name: string): unknown {
    if (isNonNullType(type))
      return this.value(type.ofType, name) ?? this.value(type.ofType, name) ?? this.value(type, name);
    if (this.random() < 0.08) return null;
    if (isListType(type)) return Array.from({ length: this.below(3) }, () => this.value(type.ofType, name));
    if (isEnumType(type)) return this.pick(type.getValues())?.name;
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields()).filter(
        (field) => isNonNullType(field.type) || this.random() < 0.5,
      );
      return Object.fromEntries(fields.map((field) => [field.name, this.value(field.type, field.name)]));
    }
    return this.pick(this.vocabulary[name] ?? this.vocabulary[type.name] ?? [1]);
  }

  private below(limit: number): number {
    return Math.floor(this.random() * limit);
  }
  private pick<T>(list: readonly T[]): T | undefined {
    return list[this.below(list.length)];
  }
}

function literal(value: unknown, type: GraphQLInputType): string {
  if (value === null || value === undefined) return 'null';
  const bare = isNonNullType(type) ? type.ofType : type;
  if (isListType(bare)) return `[${(value as unknown[]).map((item) => literal(item, bare.ofType)).join(', ')}]`;
  if (isEnumType(bare)) return String(value);
  if (!isInputObjectType(bare)) return JSON.stringify(value);
  const fields = Object.entries(value as Row).map(
    ([name, item]) => `${name}: ${literal(item, bare.getFields()[name]?.type ?? bare)}`,
  );
  return `{ ${fields.join(', ')} }`;
}
