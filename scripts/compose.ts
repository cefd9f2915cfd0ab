import { readFile, writeFile } from 'node:fs/promises';
import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';
import { parse as parseYaml } from 'yaml';
import { Graph } from '../gateway/graph/graph.ts';
import { documentsManifest, webDocuments } from '../gateway/protection/manifest.ts';
import { subgraphs } from '../subgraphs/index.ts';
import { createLogger } from '../subgraphs/kit/log.ts';
import { webTypes } from './web-types.ts';

interface SupergraphYaml {
  subgraphs: Record<string, { routing_url: string; schema: { file: string } }>;
}

/**
 * What should be written now, by file name: every subgraph's SDL, the supergraph composed of them, the trusted documents, and
 * the types of the web app's.
 */
export async function compose(): Promise<Map<string, string>> {
  const { subgraphs: listed }: SupergraphYaml = parseYaml(await readFile('supergraph.yaml', 'utf8'));
  const files = new Map<string, string>();
  const services = [];
  for (const [name, { routing_url: url, schema }] of Object.entries(listed)) {
    const subgraph = subgraphs.find((candidate) => candidate.name === name);
    if (!subgraph) throw new Error(`supergraph.yaml names a subgraph "${name}" that is not in subgraphs/.`);
    const { sdl } = await subgraph.schema();
    files.set(schema.file, sdl);
    services.push({ name, url, typeDefs: parse(sdl) });
  }
  const { errors, supergraphSdl } = composeServices(services);
  if (!supergraphSdl) throw new Error(`The subgraphs do not compose:\n${errors?.map((e) => e.message).join('\n')}`);
  files.set('schema/supergraph.graphql', `${supergraphSdl.trimEnd()}\n`);
  const manifest = await documentsManifest('schema/operations');
  files.set('schema/operations/manifest.json', `${JSON.stringify(manifest, null, 2)}\n`);
  const { schema } = new Graph(supergraphSdl, {
    sources: { has: () => true } as never,
    log: createLogger('compose', 'silent'),
  });
  for (const [file, text] of await webTypes(schema, await webDocuments('schema/operations/web'))) files.set(file, text);
  return files;
}

if (import.meta.main) {
  for (const [file, text] of await compose()) {
    await writeFile(file, text);
    console.log(file);
  }
}
