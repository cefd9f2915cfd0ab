import { type ConstDirectiveNode, type ConstValueNode, Kind, parse } from 'graphql';
import { linkedName } from '../graph/linked-name.ts';

/** How many items a list field is taken to return, as `@listSize` says. */
export interface ListSize {
  assumedSize: number | undefined;
  /** Arguments that give the size. */
  slicingArguments: readonly string[];
  /** Fields of the returned object that have this size, in place of the field itself. */
  sizedFields: readonly string[];
  requireOneSlicingArgument: boolean;
}

/** What `@cost` and `@listSize` say, by coordinate: `Product`, `Product.similar`, `Product.similar(first:)`, `Filter.words`. */
export interface Weights {
  costs: ReadonlyMap<string, number>;
  sizes: ReadonlyMap<string, ListSize>;
}

/** Reads the weights out of a supergraph, under whatever names its `@link` gives the two directives. */
export function weightsOf(supergraphSdl: string): Weights {
  const costs = new Map<string, number>();
  const sizes = new Map<string, ListSize>();
  const supergraph = parse(supergraphSdl, { noLocation: true });
  const { definitions } = supergraph;
  const names = { cost: linkedName(supergraph, 'cost'), listSize: linkedName(supergraph, 'cost', 'listSize') };

  const note = (coordinate: string, directives: readonly ConstDirectiveNode[] = []) => {
    for (const directive of directives) {
      const given = argumentsOf(directive);
      if (directive.name.value === names.cost) costs.set(coordinate, Number(given.weight));
      if (directive.name.value === names.listSize) sizes.set(coordinate, listSize(given));
    }
  };
  for (const definition of definitions) {
    if (!('name' in definition) || !definition.name || definition.kind === Kind.DIRECTIVE_DEFINITION) continue;
    const type = definition.name.value;
    if ('directives' in definition) note(type, definition.directives as readonly ConstDirectiveNode[]);
    for (const field of 'fields' in definition ? (definition.fields ?? []) : []) {
      note(`${type}.${field.name.value}`, field.directives);
      for (const argument of 'arguments' in field ? (field.arguments ?? []) : []) {
        note(`${type}.${field.name.value}(${argument.name.value}:)`, argument.directives);
      }
    }
  }
  return { costs, sizes };
}

function listSize(given: Record<string, unknown>): ListSize {
  return {
    assumedSize: typeof given.assumedSize === 'number' ? given.assumedSize : undefined,
    slicingArguments: (given.slicingArguments as string[] | null) ?? [],
    sizedFields: (given.sizedFields as string[] | null) ?? [],
    requireOneSlicingArgument: given.requireOneSlicingArgument !== false,
  };
}

const argumentsOf = (directive: ConstDirectiveNode): Record<string, unknown> =>
  Object.fromEntries((directive.arguments ?? []).map(({ name, value }) => [name.value, plain(value)]));

function plain(node: ConstValueNode): unknown {
  if (node.kind === Kind.LIST) return node.values.map(plain);
  if (node.kind === Kind.OBJECT) return Object.fromEntries(node.fields.map((f) => [f.name.value, plain(f.value)]));
  if (node.kind === Kind.NULL) return null;
  return node.kind === Kind.INT || node.kind === Kind.FLOAT ? Number(node.value) : node.value;
}
