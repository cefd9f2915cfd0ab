import { type DocumentNode, type GraphQLSchema, Kind, parse, print, validate, visit } from 'graphql';

/** How many smaller queries are tried at most. */
const TRIES = 400;

/** The smallest query found that still fails: fields, fragments, arguments and directives are left out one by one. */
export async function shrink(
  query: string,
  schema: GraphQLSchema,
  fails: (query: string) => Promise<boolean>,
): Promise<string> {
  let smallest = parse(query);
  let tries = 0;
  for (let index = 0; tries < TRIES; index++) {
    const candidate = without(smallest, index);
    if (!candidate) break;
    if (hasEmptySelection(candidate) || validate(schema, candidate).length > 0) continue;
    tries += 1;
    if (await fails(print(candidate))) {
      smallest = candidate;
      index = -1;
    }
  }
  return print(smallest);
}

const REMOVABLE: readonly string[] = [
  Kind.FIELD,
  Kind.INLINE_FRAGMENT,
  Kind.FRAGMENT_SPREAD,
  Kind.ARGUMENT,
  Kind.DIRECTIVE,
];

/** The document without its n-th removable part, and without what nothing uses then; null when there is no such part. */
function without(document: DocumentNode, index: number): DocumentNode | null {
  let seen = 0;
  let removed = false;
  const less = visit(document, {
    enter(node) {
      if (!REMOVABLE.includes(node.kind) || seen++ !== index) return undefined;
      removed = true;
      return null;
    },
  });
  if (!removed) return null;
  const used = new Set<string>();
  visit(less, { FragmentSpread: ({ name }) => void used.add(name.value) });
  const kept = visit(less, { FragmentDefinition: ({ name }) => (used.has(name.value) ? undefined : null) });
  const variables = new Set<string>();
  visit(kept, {
    VariableDefinition: () => false,
    Variable: ({ name }) => void variables.add(name.value),
  });
  return visit(kept, {
    VariableDefinition: ({ variable }) => (variables.has(variable.name.value) ? undefined : null),
  });
}

function hasEmptySelection(document: DocumentNode): boolean {
  let empty = false;
  visit(document, {
    SelectionSet: ({ selections }) => {
      empty ||= selections.length === 0;
    },
  });
  return empty;
}
