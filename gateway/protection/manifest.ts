import { hash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import {
  type ASTNode,
  concatAST,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  parse,
  print,
  separateOperations,
  visit,
} from 'graphql';
import { z } from 'zod';

const shape = z.object({
  format: z.literal('apollo-persisted-query-manifest'),
  version: z.literal(1),
  operations: z.array(
    z.object({
      /** SHA-256 of the body, unless another tool wrote the manifest. */
      id: z.string(),
      name: z.string(),
      type: z.enum(['query', 'mutation', 'subscription']),
      body: z.string(),
    }),
  ),
});

/** Trusted documents, in the format that Apollo's tools write for clients. */
export type Manifest = z.infer<typeof shape>;

/** @throws Error when the file is not a manifest */
export async function readManifest(file: string | URL): Promise<Manifest> {
  const parsed = shape.safeParse(JSON.parse(await readFile(file, 'utf8')));
  if (!parsed.success) throw new Error(`The trusted documents cannot be read:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

/**
 * Every operation of the `.graphql` files of a folder with the fragments of its file, by name; and those of the web app, in the
 * folder `web`, as its client sends them.
 */
export async function documentsManifest(folder: string): Promise<Manifest> {
  const operations: Manifest['operations'] = [];
  const add = (source: string, document: DocumentNode, arranged = (separate: DocumentNode) => separate) => {
    for (const [name, found] of Object.entries(separateOperations(document))) {
      const separate = arranged(found);
      if (!name) throw new Error(`An operation of ${source} has no name.`);
      if (operations.some((other) => other.name === name)) throw new Error(`Two operations are named ${name}.`);
      const body = print(separate);
      operations.push({ id: hash('sha256', body), name, type: operationOf(separate).operation, body });
    }
  };
  for (const file of await documentFiles(folder)) add(file, await readDocument(path.join(folder, file)));
  const web = path.join(folder, 'web');
  if (existsSync(web)) add('web', await webDocuments(web), (separate) => withTypenames(operationFirst(separate)));
  return { format: 'apollo-persisted-query-manifest', version: 1, operations };
}

/** All operations and fragments of the web app in one document: its files share fragments. */
export async function webDocuments(folder: string): Promise<DocumentNode> {
  const files = await documentFiles(folder);
  return concatAST(await Promise.all(files.map((file) => readDocument(path.join(folder, file)))));
}

/** As Apollo Client sends a document: every object says its type, the root does not. */
const withTypenames = (document: DocumentNode): DocumentNode =>
  visit(document, {
    SelectionSet: (node, _key, parent) => {
      const within = parent as ASTNode | undefined;
      const says = node.selections.some((field) => field.kind === Kind.FIELD && field.name.value === '__typename');
      if (within?.kind === Kind.OPERATION_DEFINITION || says) return undefined;
      return { ...node, selections: [...node.selections, TYPENAME] };
    },
  });

/** As the web app's typed documents are: the operation, then each fragment behind those that it spreads itself. */
function operationFirst(document: DocumentNode): DocumentNode {
  const fragments = new Map(
    document.definitions.flatMap((definition) =>
      definition.kind === Kind.FRAGMENT_DEFINITION ? [[definition.name.value, definition] as const] : [],
    ),
  );
  const arranged = new Set<FragmentDefinitionNode>();
  const arrange = (node: ASTNode) => {
    visit(node, {
      FragmentSpread: ({ name }) => {
        const fragment = fragments.get(name.value);
        if (!fragment || arranged.has(fragment)) return;
        arrange(fragment);
        arranged.add(fragment);
      },
    });
  };
  const operation = operationOf(document);
  arrange(operation);
  return { ...document, definitions: [operation, ...arranged] };
}

const TYPENAME: FieldNode = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } };

const documentFiles = async (folder: string) =>
  (await readdir(folder)).filter((name) => name.endsWith('.graphql')).sort();

const readDocument = async (file: string) => parse(await readFile(file, 'utf8'), { noLocation: true });

const operationOf = (document: DocumentNode): OperationDefinitionNode =>
  document.definitions.find((definition) => definition.kind === Kind.OPERATION_DEFINITION) as OperationDefinitionNode;
