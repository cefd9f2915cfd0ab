import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Config } from '../../subgraphs/kit/config.ts';
import { HashiraError } from '../../subgraphs/kit/errors.ts';
import type { GraphQLRequest } from '../answer.types.ts';
import { type Manifest, readManifest } from './manifest.ts';

export interface DocumentsOptions {
  /** `only`: nothing but what is in the manifest is run, and clients cannot store anything. */
  mode: 'off' | 'only';
  manifest: Manifest;
}

const MANIFEST = new URL('../../schema/operations/manifest.json', import.meta.url);
const MAX_STORED = 1_000;
const MAX_STORED_BYTES = 10_000_000;

/**
 * Finds the text that a request means: the text itself, a trusted document by its id, or one that a client stored before by
 * its hash (Apollo's automatic persisted queries). A trusted document's hash is known without storing it.
 * @see https://www.apollographql.com/docs/apollo-server/performance/apq
 */
export class Documents {
  /** By id and by SHA-256 of the text, which in Apollo's manifests are the same. */
  private readonly trusted = new Map<string, string>();
  private readonly trustedTexts = new Set<string>();
  private readonly stored = new LRUCache<string, string>({
    max: MAX_STORED,
    maxSize: MAX_STORED_BYTES,
    sizeCalculation: (text) => Buffer.byteLength(text) + 1,
  });
  private readonly only: boolean;

  constructor({ mode, manifest }: DocumentsOptions) {
    this.only = mode === 'only';
    for (const { id, body } of manifest.operations) {
      this.trusted.set(id, body);
      this.trusted.set(hash('sha256', body), body);
      this.trustedTexts.add(body);
    }
  }

  /** With the trusted documents of schema/operations. @throws Error when they cannot be read */
  static async load(config: Pick<Config, 'TRUSTED_DOCUMENTS'>): Promise<Documents> {
    return new Documents({ mode: config.TRUSTED_DOCUMENTS, manifest: await readManifest(MANIFEST) });
  }

  /**
   * @throws HashiraError DOCUMENT_NOT_TRUSTED; PERSISTED_QUERY_NOT_FOUND, upon which the client sends hash and text;
   * BAD_REQUEST when there is no text, or not the one with the hash
   */
  resolve({ query, extensions, documentId }: Pick<GraphQLRequest, 'query' | 'extensions' | 'documentId'>): string {
    if (query !== undefined && typeof query !== 'string') throw badRequest('"query" must be a string.');
    const persisted = extensions?.persistedQuery;
    if (documentId !== undefined && documentId !== null) {
      const text = this.trusted.get(String(documentId));
      if (text === undefined) throw notTrusted('There is no trusted document of this id.');
      return text;
    }
    if (persisted !== undefined && persisted !== null) return this.persisted(persisted, query);
    if (!query) throw badRequest('The request has no "query".');
    if (this.only && !this.trustedTexts.has(query)) throw notTrusted();
    return query;
  }

  private persisted(persisted: unknown, query: string | undefined): string {
    const { version, sha256Hash } = persisted as { version?: unknown; sha256Hash?: unknown };
    if (version !== 1 || typeof sha256Hash !== 'string' || !/^[0-9a-f]{64}$/.test(sha256Hash)) {
      throw badRequest('"persistedQuery" needs the version 1 and a "sha256Hash" of 64 hexadecimal digits.');
    }
    const known = this.trusted.get(sha256Hash) ?? this.stored.get(sha256Hash);
    if (known !== undefined && (!query || query === known)) return known;
    if (this.only) throw notTrusted();
    if (!query) throw new HashiraError('PERSISTED_QUERY_NOT_FOUND', 'PersistedQueryNotFound');
    if (hash('sha256', query) !== sha256Hash) throw badRequest('"sha256Hash" is not the hash of the query.');
    this.stored.set(sha256Hash, query);
    return query;
  }
}

const notTrusted = (message = 'Only operations that are known here are run.') =>
  new HashiraError('DOCUMENT_NOT_TRUSTED', message);

const badRequest = (message: string) => new HashiraError('BAD_REQUEST', message);
