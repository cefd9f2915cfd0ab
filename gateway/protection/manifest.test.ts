import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { addTypenameToDocument } from '@apollo/client/utilities';
import { type DocumentNode, Kind, print } from 'graphql';
import { afterEach, beforeEach, expect, it } from 'vitest';
import * as typedDocuments from '../../web/src/graphql/graphql.ts';
import { documentsManifest, readManifest } from './manifest.ts';

const operations = fileURLToPath(new URL('../../schema/operations/', import.meta.url));

it('is up to date with schema/operations; `npm run compose` writes it', async () => {
  const written = JSON.parse(await readFile(path.join(operations, 'manifest.json'), 'utf8'));
  expect(written).toEqual(await documentsManifest(operations));
  expect(await readManifest(path.join(operations, 'manifest.json'))).toEqual(written);
});

it('has every document of the web app as Apollo Client sends it', async () => {
  const { operations: trusted } = await documentsManifest(operations);
  const bodies = new Set(trusted.map(({ body }) => body));
  const documents = Object.values(typedDocuments) as DocumentNode[];
  const sent = documents.filter(({ definitions }) => definitions[0]?.kind === Kind.OPERATION_DEFINITION);
  expect(sent.length).toBeGreaterThan(20);
  for (const document of sent) expect(bodies).toContain(print(addTypenameToDocument(document)));
});

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'manifest-'));
});
afterEach(() => rm(folder, { recursive: true }));

it('has each operation of a file by itself, with the fragments it uses', async () => {
  await writeFile(
    path.join(folder, 'a.graphql'),
    '# words\nquery A { ...F } mutation B { b } subscription C { c } fragment F on Query { f }',
  );
  const { operations } = await documentsManifest(folder);
  expect(operations.map(({ name, type, body }) => [name, type, body])).toEqual([
    ['A', 'query', 'query A {\n  ...F\n}\n\nfragment F on Query {\n  f\n}'],
    ['B', 'mutation', 'mutation B {\n  b\n}'],
    ['C', 'subscription', 'subscription C {\n  c\n}'],
  ]);
  expect(operations[1]?.id).toBe('183c37fd9db334a9794a7c1d382ae8d7222d69a627b2e9d19429679b01e1c033');
});

it('refuses operations that cannot be told apart', async () => {
  await writeFile(path.join(folder, 'a.graphql'), 'query A { a }');
  await writeFile(path.join(folder, 'b.graphql'), 'query A { b }');
  await expect(documentsManifest(folder)).rejects.toThrow('Two operations are named A.');
  await writeFile(path.join(folder, 'b.graphql'), '{ b }');
  await expect(documentsManifest(folder)).rejects.toThrow('An operation of b.graphql has no name.');
});

it('says what is wrong with a manifest', async () => {
  const file = path.join(folder, 'manifest.json');
  await writeFile(file, '{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [{"id": 1}]}');
  await expect(readManifest(file)).rejects.toThrow(/operations\[0\]\.id/);
});
