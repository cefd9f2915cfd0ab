import type { ListObjectsV2CommandInput, ListObjectsV2CommandOutput, S3 } from '@aws-sdk/client-s3';
import type { Config } from '../config.ts';
import { byName, type Entry, join, type Range, Storage, SUCCESS } from './storage.ts';
import { type Trouble, trouble } from './trouble.ts';

export interface S3Options {
  bucket: string;
  /** Within the bucket, without slashes at its ends; empty for the whole bucket. */
  prefix: string;
  config: Pick<Config, 'S3_ENDPOINT' | 'S3_REGION' | 'S3_PATH_STYLE'>;
  name?: string;
}

const CONNECT_MS = 5_000;
const SILENCE_MS = 15_000;
const REQUEST_MS = 600_000;
const DELETES_AT_ONCE = 16;

/**
 * Any S3: a folder is what keys have in common up to a slash, and an object appears whole or not at all. The access key comes
 * from the vendor's chain of providers, the variables AWS_* and files among them; its client also tries again.
 */
export class S3Storage extends Storage {
  readonly #config: S3Options['config'];
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #name: string;
  #client: Promise<S3> | undefined;

  constructor({ bucket, prefix, config, name = 'The storage' }: S3Options) {
    super();
    this.#bucket = bucket;
    this.#prefix = prefix;
    this.#name = name;
    this.#config = config;
  }

  uri(path: string): string {
    return `s3://${join(this.#bucket, this.#key(path))}`;
  }

  exists(path: string): Promise<boolean> {
    return this.#do('unreadable', path, async () => {
      const object = await unlessMissing(
        this.#s3.then((s3) => s3.headObject(this.#object(path))),
        null,
      );
      if (object) return true;
      const { KeyCount: count = 0 } = await this.#page({ Prefix: this.#folder(path), MaxKeys: 1 });
      return count > 0;
    });
  }

  list(path: string): Promise<Entry[]> {
    return this.#do('unreadable', path, async () => {
      const prefix = this.#folder(path);
      const entries: Entry[] = [];
      for await (const page of this.#pages({ Prefix: prefix, Delimiter: '/' })) {
        for (const { Prefix = '' } of page.CommonPrefixes ?? [])
          entries.push({ name: Prefix.slice(prefix.length, -1), folder: true, size: 0 });
        for (const { Key = '', Size = 0 } of page.Contents ?? [])
          entries.push({ name: Key.slice(prefix.length), folder: false, size: Size });
      }
      // Hadoop marks empty folders by an object of the folder's own name.
      return entries.filter(({ name }) => name !== '').sort(byName);
    });
  }

  async read(path: string, range?: Range): Promise<Uint8Array> {
    // S3 has no way to ask for nothing.
    if (range && range.end <= range.start) return new Uint8Array();
    const part = range ? { Range: `bytes=${range.start}-${range.end - 1}` } : {};
    return this.#do('unreadable', path, async () => {
      const { Body } = await (await this.#s3).getObject({ ...this.#object(path), ...part });
      return (await Body?.transformToByteArray()) ?? new Uint8Array();
    });
  }

  write(path: string, content: string | Uint8Array): Promise<void> {
    return this.#do('unwritable', path, async () => {
      await (await this.#s3).putObject({ ...this.#object(path), Body: Buffer.from(content) });
    });
  }

  remove(path: string): Promise<void> {
    return this.#do('unwritable', path, async () => {
      await this.#delete(this.#key(join(path, SUCCESS)));
      for await (const page of this.#pages({ Prefix: this.#folder(path) })) {
        const keys = (page.Contents ?? []).map(({ Key = '' }) => Key);
        // One by one: the request that deletes many is not understood everywhere.
        while (keys.length > 0) await Promise.all(keys.splice(0, DELETES_AT_ONCE).map((key) => this.#delete(key)));
      }
      if (this.#key(path) !== '') await this.#delete(this.#key(path));
    });
  }

  /** Made by its first use: the vendor's client takes a fifth of a second to load. */
  get #s3(): Promise<S3> {
    this.#client ??= connect(this.#config);
    return this.#client;
  }

  #key(path: string): string {
    return join(this.#prefix, path);
  }

  #object(path: string): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket, Key: this.#key(path) };
  }

  /** What the keys of all that is in the folder begin with. */
  #folder(path: string): string {
    const key = this.#key(path);
    return key === '' ? '' : `${key}/`;
  }

  async #page(query: Partial<ListObjectsV2CommandInput>): Promise<ListObjectsV2CommandOutput> {
    return (await this.#s3).listObjectsV2({ Bucket: this.#bucket, ...query });
  }

  async *#pages(query: Partial<ListObjectsV2CommandInput>): AsyncGenerator<ListObjectsV2CommandOutput> {
    let next: string | undefined;
    do {
      const page = await this.#page({ ...query, ...(next ? { ContinuationToken: next } : {}) });
      yield page;
      next = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (next);
  }

  /** That it is not there is no error in S3. */
  async #delete(key: string): Promise<void> {
    await (await this.#s3).deleteObject({ Bucket: this.#bucket, Key: key });
  }

  async #do<T>(otherwise: Trouble, path: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      // Not the error itself: it holds the request, with what signs it.
      const { name, message } = error as Error;
      const cause = new Error(`${this.uri(path)}: HTTP ${statusOf(error) ?? 'none'} ${name}: ${message}`);
      throw trouble(kindOf(error, otherwise), this.#name, cause);
    }
  }
}

/** The vendor's client, for an S3 as the configuration has it. */
export async function connect({ S3_ENDPOINT, S3_REGION, S3_PATH_STYLE }: S3Options['config']): Promise<S3> {
  const { S3 } = await import('@aws-sdk/client-s3');
  return new S3({
    region: S3_REGION,
    ...(S3_ENDPOINT ? { endpoint: S3_ENDPOINT } : {}),
    forcePathStyle: S3_PATH_STYLE === 'auto' ? S3_ENDPOINT !== undefined : S3_PATH_STYLE === 'on',
    // Servers other than the vendor's do not all know the newer checksums.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      socketTimeout: SILENCE_MS,
      requestTimeout: REQUEST_MS,
      throwOnRequestTimeout: true,
    },
  });
}

const statusOf = (error: unknown): number | undefined =>
  (error as { $metadata?: { httpStatusCode?: number } } | null)?.$metadata?.httpStatusCode;

const isMissing = (error: unknown): boolean => statusOf(error) === 404 && (error as Error).name !== 'NoSuchBucket';

const unlessMissing = <T, M>(work: Promise<T>, missing: M): Promise<T | M> =>
  work.catch((error: unknown) => {
    if (isMissing(error)) return missing;
    throw error;
  });

function kindOf(error: unknown, otherwise: Trouble): Trouble {
  const { name, code } = error as NodeJS.ErrnoException;
  const status = statusOf(error);
  if (name === 'CredentialsProviderError' || status === 401 || status === 403) return 'refused';
  if (name === 'NoSuchBucket') return 'nowhere';
  if (status === 507 || /StorageFull|QuotaExceeded/.test(name)) return 'full';
  if (otherwise === 'unreadable' && isMissing(error)) return 'missing';
  const unanswered = status === undefined && (code !== undefined || name === 'TimeoutError');
  return unanswered || (status ?? 0) >= 500 || status === 429 ? 'unavailable' : otherwise;
}
