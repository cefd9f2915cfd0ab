import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where a lake or a store is, by the scheme of its address. */
export type Address =
  | { scheme: 'file'; folder: string }
  /** `folder` begins with a slash. The NameNode of `authority` is not asked itself: it speaks Hadoop's RPC, we WebHDFS. */
  | { scheme: 'hdfs'; authority: string; folder: string }
  /** `prefix` has no slash at its ends, and is empty for a whole bucket. */
  | { scheme: 's3'; bucket: string; prefix: string };

export const ADDRESSES = 'must be a folder, file:///folder, hdfs://host:port/folder or s3://bucket/folder';

/**
 * Paths within `hdfs:` and `s3:` are taken as they are, as Hadoop does: a `%` is a percent sign.
 * @returns null for what is no such address, with a password in it for example
 */
export function parseAddress(uri: string): Address | null {
  const [, scheme, rest] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/i.exec(uri) ?? [];
  if (/^file:/i.test(uri)) return parseFile(uri);
  if (scheme === undefined || rest === undefined)
    return uri === '' ? null : { scheme: 'file', folder: path.resolve(uri) };
  const slash = `${rest}/`.indexOf('/');
  const [host, inside] = [rest.slice(0, slash), rest.slice(slash).split('/').filter(Boolean)];
  if (inside.some((part) => part === '.' || part === '..')) return null;
  if (scheme.toLowerCase() === 'hdfs' && /^[\w.-]*(:\d+)?$/.test(host))
    return { scheme: 'hdfs', authority: host, folder: `/${inside.join('/')}` };
  if (scheme.toLowerCase() === 's3' && /^[a-z0-9][a-z0-9._-]+[a-z0-9]$/i.test(host))
    return { scheme: 's3', bucket: host, prefix: inside.join('/') };
  return null;
}

function parseFile(uri: string): Address | null {
  try {
    return { scheme: 'file', folder: path.resolve(fileURLToPath(uri)) };
  } catch {
    return null;
  }
}
