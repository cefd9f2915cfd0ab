import { hash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { type DocumentNode, Kind, type OperationDefinitionNode, parse, print, separateOperations } from 'graphql';
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

/** Every operation of the `.graphql` files of a folder with the fragments of its file, by name. */
export async function documentsManifest(folder: string): Promise<Manifest> {
  const operations: Manifest['operations'] = [];
  for (const file of (await readdir(folder)).filter((name) => name.endsWith('.graphql')).sort()) {
    const document = parse(await readFile(path.join(folder, file), 'utf8'), { noLocation: true });
    for (const [name, separate] of Object.entries(separateOperations(document))) {
      if (!name) throw new Error(`An operation of ${file} has no name.`);
      if (operations.some((other) => other.name === name)) throw new Error(`Two operations are named ${name}.`);
      const body = print(separate);
      operations.push({ id: hash('sha256', body), name, type: operationOf(separate).operation, body });
    }
  }
  return { format: 'apollo-persisted-query-manifest', version: 1, operations };
}

const operationOf = (document: DocumentNode): OperationDefinitionNode =>
  document.definitions.find((definition) => definition.kind === Kind.OPERATION_DEFINITION) as OperationDefinitionNode;
