import { preset } from '@graphql-codegen/client-preset';
import { codegen } from '@graphql-codegen/core';
import { type DocumentNode, type GraphQLSchema, parse, print, printSchema } from 'graphql';

const FOLDER = 'web/src/graphql/';

/**
 * TypeScript of the web app's operations: a typed document of each, and the types of all that they send and receive, by file name.
 * @param schema as clients see it
 * @param documents of schema/operations/web
 */
export async function webTypes(schema: GraphQLSchema, documents: DocumentNode): Promise<Map<string, string>> {
  const outputs = await preset.buildGeneratesSection({
    baseOutputDir: FOLDER,
    schema: parse(printSchema(schema)),
    schemaAst: schema,
    documents: [{ location: 'schema/operations/web', document: documents, rawSDL: print(documents) }],
    config: {
      enumType: 'string-literal',
      useTypeImports: true,
      strictScalars: true,
      scalars: { ID: 'string', Date: 'string', DateTime: 'string', JSON: 'unknown' },
    },
    presetConfig: { fragmentMasking: false },
    plugins: [],
    pluginMap: {},
  });
  const typed = outputs.find(({ filename }) => filename.endsWith('/graphql.ts'));
  if (!typed) throw new Error('The generator made no types.');
  return new Map([[typed.filename, await codegen(typed)]]);
}
