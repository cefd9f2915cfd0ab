import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Documents } from './documents.ts';
import { documentsManifest, type Manifest } from './manifest.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const TRUSTED = 'query Trusted {\n  a\n}';
const manifest: Manifest = {
  format: 'apollo-persisted-query-manifest',
  version: 1,
  operations: [
    { id: sha256(TRUSTED), name: 'Trusted', type: 'query', body: TRUSTED },
    { id: 'custom', name: 'Custom', type: 'query', body: '{ custom }' },
  ],
};
const persisted = (sha256Hash: string, version = 1) => ({ persistedQuery: { version, sha256Hash } });

function codeOf(work: () => unknown): string {
  try {
    return `ran ${work()}`;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe('any document', () => {
  const documents = new Documents({ mode: 'off', manifest });

  it('is run by its text', () => {
    expect(documents.resolve({ query: '{ a }' })).toBe('{ a }');
  });

  it('is asked for when there is none', () => {
    expect(codeOf(() => documents.resolve({}))).toBe('BAD_REQUEST');
    expect(codeOf(() => documents.resolve({ query: '' }))).toBe('BAD_REQUEST');
    expect(codeOf(() => documents.resolve({ query: 7 as never }))).toBe('BAD_REQUEST');
  });

  it('is stored by its hash when the client sends both, and then found by the hash', () => {
    const own = new Documents({ mode: 'off', manifest });
    const extensions = persisted(sha256('{ a }'));
    expect(() => own.resolve({ extensions })).toThrow(
      expect.objectContaining({ code: 'PERSISTED_QUERY_NOT_FOUND', message: 'PersistedQueryNotFound' }),
    );
    expect(own.resolve({ query: '{ a }', extensions })).toBe('{ a }');
    expect(own.resolve({ extensions })).toBe('{ a }');
    expect(own.resolve({ query: '{ a }', extensions })).toBe('{ a }');
  });

  it('is never stored under the hash of another one', () => {
    const extensions = persisted(sha256('{ a }'));
    expect(codeOf(() => documents.resolve({ query: '{ b }', extensions }))).toBe('BAD_REQUEST');
    expect(documents.resolve({ query: '{ a }', extensions })).toBe('{ a }');
    expect(codeOf(() => documents.resolve({ query: '{ b }', extensions }))).toBe('BAD_REQUEST');
    expect(documents.resolve({ extensions })).toBe('{ a }');
  });

  it.each([
    [{ persistedQuery: { version: 2, sha256Hash: sha256('{ a }') } }],
    [{ persistedQuery: { version: 1, sha256Hash: 'short' } }],
    [{ persistedQuery: { version: 1 } }],
    [{ persistedQuery: 'text' }],
  ])('is refused with %j', (extensions) => {
    expect(codeOf(() => documents.resolve({ query: '{ a }', extensions }))).toBe('BAD_REQUEST');
  });

  it('leaves the store in the order of last use, so that the store stays small', () => {
    const own = new Documents({ mode: 'off', manifest });
    const large = (i: number) => `{ a } # ${i} ${'x'.repeat(100_000)}`;
    for (let i = 0; i < 150; i++) own.resolve({ query: large(i), extensions: persisted(sha256(large(i))) });
    expect(codeOf(() => own.resolve({ extensions: persisted(sha256(large(0))) }))).toBe('PERSISTED_QUERY_NOT_FOUND');
    expect(own.resolve({ extensions: persisted(sha256(large(149))) })).toBe(large(149));
  });
});

describe('a trusted document', () => {
  it.each(['off', 'only'] as const)('is found by id and by hash with the mode %s', (mode) => {
    const documents = new Documents({ mode, manifest });
    expect(documents.resolve({ documentId: sha256(TRUSTED) })).toBe(TRUSTED);
    expect(documents.resolve({ extensions: persisted(sha256(TRUSTED)) })).toBe(TRUSTED);
    expect(documents.resolve({ query: TRUSTED, extensions: persisted(sha256(TRUSTED)) })).toBe(TRUSTED);
    expect(documents.resolve({ query: TRUSTED })).toBe(TRUSTED);
    expect(documents.resolve({ documentId: 'custom' })).toBe('{ custom }');
    expect(documents.resolve({ extensions: persisted(sha256('{ custom }')) })).toBe('{ custom }');
    expect(codeOf(() => documents.resolve({ documentId: 'unknown' }))).toBe('DOCUMENT_NOT_TRUSTED');
  });
});

it('of schema/operations are loaded', async () => {
  const documents = await Documents.load({ TRUSTED_DOCUMENTS: 'only' });
  const { operations } = await documentsManifest(fileURLToPath(new URL('../../schema/operations/', import.meta.url)));
  expect(operations.length).toBeGreaterThan(4);
  for (const { id, body } of operations) expect(documents.resolve({ documentId: id })).toBe(body);
});

describe('where only trusted documents are run', () => {
  const documents = new Documents({ mode: 'only', manifest });

  it.each([
    ['another text', { query: '{ b }' }],
    ['a trusted text with a comment', { query: `${TRUSTED} # mine` }],
    ['an unknown hash', { extensions: persisted(sha256('{ b }')) }],
    ['a text to be stored', { query: '{ b }', extensions: persisted(sha256('{ b }')) }],
    ['another text under a trusted hash', { query: '{ b }', extensions: persisted(sha256(TRUSTED)) }],
    ['an unknown id beside a trusted text', { query: TRUSTED, documentId: 'unknown' }],
  ])('refuses %s', (_, request) => {
    expect(codeOf(() => documents.resolve(request))).toBe('DOCUMENT_NOT_TRUSTED');
  });
});
