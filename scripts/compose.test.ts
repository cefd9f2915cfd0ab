import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import {
  concatAST,
  isEnumType,
  isInputObjectType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedScalarType,
  parse,
  validate,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { Graph } from '../gateway/graph/graph.ts';
import { createLogger } from '../subgraphs/kit/log.ts';
import { compose } from './compose.ts';
import { root } from './stack.ts';

const files = await compose();
const { schema: api } = new Graph(files.get('schema/supergraph.graphql') ?? '', {
  sources: { has: () => true } as never,
  log: createLogger('test', 'silent'),
});

describe('schema/', () => {
  it('holds what the code makes now; `npm run compose` writes it', () => {
    for (const [file, text] of files) expect(readFileSync(path.join(root, file), 'utf8'), file).toBe(text);
  });

  it('describes every type, field, argument and enum value', () => {
    const silent: string[] = [];
    const note = (name: string, described: { description?: string | null }) => {
      if (!described.description) silent.push(name);
    };
    for (const type of Object.values(api.getTypeMap())) {
      if (isIntrospectionType(type) || isSpecifiedScalarType(type)) continue;
      if (!['Query', 'Mutation', 'Subscription'].includes(type.name)) note(type.name, type);
      if (isEnumType(type)) for (const value of type.getValues()) note(`${type.name}.${value.name}`, value);
      if (!isObjectType(type) && !isInputObjectType(type)) continue;
      for (const field of Object.values(type.getFields())) {
        note(`${type.name}.${field.name}`, field);
        for (const arg of 'args' in field ? field.args : []) note(`${type.name}.${field.name}(${arg.name})`, arg);
      }
    }
    expect(silent).toEqual([]);
  });

  it('has only operations that the graph can answer', () => {
    const folder = path.join(root, 'schema/operations');
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.graphql'))) {
      expect(validate(api, parse(readFileSync(path.join(folder, file), 'utf8'))), file).toEqual([]);
    }
    const web = path.join(folder, 'web');
    const files = readdirSync(web).map((name) => parse(readFileSync(path.join(web, name), 'utf8')));
    expect(validate(api, concatAST(files)), 'web').toEqual([]);
  });
});
