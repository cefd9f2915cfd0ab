import { randomUUID } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { userInfo } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { byName, type Entry, join, type Range, Storage, SUCCESS } from './storage.ts';
import { type Trouble, trouble } from './trouble.ts';

export interface HdfsOptions {
  /** As Hadoop calls the root, hdfs://host:port/folder. */
  uri: string;
  /** The folder of the root, absolute. */
  root: string;
  /** Web address of the NameNode. */
  url: string;
  /** As whom. Left out: as the user that this process runs as, as all Hadoop programs do. */
  user?: string;
  name?: string;
  limits?: Partial<Limits>;
}

/** Milliseconds. */
interface Limits {
  /** For an answer of the NameNode. */
  answerMs: number;
  /** For a whole file, to or from a DataNode. */
  transferMs: number;
  /** For the next part of anything. */
  silenceMs: number;
  /** Before each further try of a read whose connection failed. */
  pausesMs: readonly number[];
}

const LIMITS: Limits = { answerMs: 20_000, transferMs: 600_000, silenceMs: 30_000, pausesMs: [200, 800, 2_000] };

const remoteException = z.object({ RemoteException: z.object({ exception: z.string(), message: z.string() }) });
const location = z.object({ Location: z.url({ protocol: /^https?$/ }) });
const statuses = z.object({
  FileStatuses: z.object({
    FileStatus: z.array(
      z.object({ pathSuffix: z.string(), type: z.enum(['FILE', 'DIRECTORY', 'SYMLINK']), length: z.number() }),
    ),
  }),
});

const NOTHING: z.input<typeof statuses> = { FileStatuses: { FileStatus: [] } };

/** There was no answer, or not all of it. */
class Unanswered extends Error {
  constructor(
    message: string,
    /** Time ran out, which is not waited for once more. */
    readonly late: boolean,
    cause: Error,
  ) {
    super(message, { cause });
  }
}

/** What was answered, when that was no success. */
class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly exception: string,
    message: string,
  ) {
    // Hadoop puts stacks into its messages.
    super(`HTTP ${status} ${exception}: ${message.split('\n')[0]?.slice(0, 500)}`);
  }
}

type Method = 'GET' | 'PUT' | 'DELETE';

/**
 * HDFS over WebHDFS, by node:http: a DataNode sends a `100 Continue` that nobody asked for, which fetch refuses.
 * Access is as `user`; Kerberos is not spoken.
 * https://hadoop.apache.org/docs/stable/hadoop-project-dist/hadoop-hdfs/WebHDFS.html
 */
export class HdfsStorage extends Storage {
  readonly #options: HdfsOptions;
  readonly #name: string;
  readonly #limits: Limits;
  readonly #user: string | null;
  /**
   * Reads share connections. That the server has closed one shows when it is used: a read is then tried again, a write may
   * have happened and is not. So each write has a connection of its own.
   */
  readonly #agents = {
    'http:': new http.Agent({ keepAlive: true, maxSockets: 16 }),
    'https:': new https.Agent({ keepAlive: true, maxSockets: 16 }),
  };

  constructor(options: HdfsOptions) {
    super();
    this.#options = options;
    this.#name = options.name ?? 'The storage';
    this.#user = options.user ?? processUser();
    this.#limits = { ...LIMITS, ...options.limits };
  }

  uri(path: string): string {
    return join(this.#options.uri.replace(/\/+$/, ''), path);
  }

  exists(path: string): Promise<boolean> {
    return this.#do('unreadable', path, async () => {
      return (await unlessMissing(this.#ask('GET', path, { op: 'GETFILESTATUS' }), null)) !== null;
    });
  }

  list(path: string): Promise<Entry[]> {
    return this.#do('unreadable', path, async () => {
      const answer = await unlessMissing(this.#ask('GET', path, { op: 'LISTSTATUS' }), NOTHING);
      return statuses
        .parse(answer)
        .FileStatuses.FileStatus.filter(({ pathSuffix }) => pathSuffix !== '') // A file lists itself, without a name.
        .map(({ pathSuffix, type, length }) => ({ name: pathSuffix, folder: type === 'DIRECTORY', size: length }))
        .sort(byName);
    });
  }

  async read(path: string, range?: Range): Promise<Uint8Array> {
    if (range && range.end <= range.start) return new Uint8Array();
    const part: Record<string, string> = range
      ? { offset: `${range.start}`, length: `${range.end - range.start}` }
      : {};
    return this.#do('unreadable', path, () =>
      // Another try asks the NameNode again: it may name another DataNode.
      this.#patiently(async () => {
        const at = location.parse(await this.#once('GET', path, { op: 'OPEN', noredirect: 'true', ...part }));
        return this.#request('GET', new URL(at.Location), this.#limits.transferMs);
      }),
    );
  }

  write(path: string, content: string | Uint8Array): Promise<void> {
    const cut = path.lastIndexOf('/') + 1;
    const draft = `${path.slice(0, cut)}.${path.slice(cut)}.${randomUUID()}.tmp`;
    return this.#do('unwritable', path, async () => {
      try {
        const at = location.parse(await this.#ask('PUT', draft, { op: 'CREATE', noredirect: 'true' }));
        await this.#request('PUT', new URL(at.Location), this.#limits.transferMs, Buffer.from(content));
        // This way of renaming replaces what is there, in one step.
        const destination = this.#folder(path);
        await this.#ask('PUT', draft, { op: 'RENAME', destination, renameoptions: 'OVERWRITE' });
      } catch (error) {
        if (!isLate(error)) await this.#ask('DELETE', draft, { op: 'DELETE' }).catch(() => {});
        throw error;
      }
    });
  }

  remove(path: string): Promise<void> {
    return this.#do('unwritable', path, async () => {
      await unlessMissing(this.#ask('DELETE', join(path, SUCCESS), { op: 'DELETE' }), null);
      await unlessMissing(this.#ask('DELETE', path, { op: 'DELETE', recursive: 'true' }), null);
    });
  }

  /** The path within HDFS. */
  #folder(path: string): string {
    return `/${join(...this.#options.root.split('/'), ...path.split('/'))}`;
  }

  /** The NameNode's answer. */
  #ask(method: Method, path: string, query: Record<string, string>): Promise<unknown> {
    const once = () => this.#once(method, path, query);
    return method === 'GET' ? this.#patiently(once) : once();
  }

  async #once(method: Method, path: string, query: Record<string, string>): Promise<unknown> {
    const encoded = this.#folder(path).split('/').map(encodeURIComponent).join('/');
    const url = new URL(`${this.#options.url.replace(/\/+$/, '')}/webhdfs/v1${encoded}`);
    url.search = new URLSearchParams({ ...query, ...(this.#user ? { 'user.name': this.#user } : {}) }).toString();
    const body = await this.#request(method, url, this.#limits.answerMs);
    return body.length > 0 ? JSON.parse(body.toString()) : null;
  }

  async #patiently<T>(work: () => Promise<T>): Promise<T> {
    for (const pause of this.#limits.pausesMs) {
      try {
        return await work();
      } catch (error) {
        if (isLate(error) || kindOf(error, 'unreadable') !== 'unavailable') throw error;
      }
      await sleep(pause);
    }
    return work();
  }

  /** @throws Refusal, or the error of the connection */
  #request(method: Method, url: URL, ms: number, content?: Buffer): Promise<Buffer> {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    const secure = url.protocol === 'https:';
    const deadline = AbortSignal.timeout(ms);
    let silent = false;
    const headers = content ? { 'content-type': 'application/octet-stream', 'content-length': content.length } : {};
    const request = (secure ? https : http).request(url, {
      method,
      headers,
      agent: method === 'GET' ? this.#agents[secure ? 'https:' : 'http:'] : false,
      timeout: this.#limits.silenceMs,
      signal: deadline,
    });
    const fail = (error: Error) => {
      const late = silent || deadline.aborted;
      const what = late ? `no answer in ${silent ? this.#limits.silenceMs : ms} ms` : error;
      reject(new Unanswered(`${method} ${url.origin}: ${what}`, late, error));
    };
    request.on('timeout', () => {
      silent = true;
      request.destroy();
    });
    request.on('error', fail);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', fail);
      response.on('end', () => {
        const body = Buffer.concat(chunks);
        const status = response.statusCode ?? 0;
        if (status >= 200 && status < 300) resolve(body);
        else reject(refusal(status, body.toString()));
      });
    });
    request.end(content);
    return promise;
  }

  async #do<T>(otherwise: Trouble, path: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      throw trouble(kindOf(cause, otherwise), this.#name, new Error(`${this.uri(path)}: ${cause}`, { cause }));
    }
  }
}

const isLate = (error: unknown): boolean => error instanceof Unanswered && error.late;

/** Null in a container whose user has no name. */
function processUser(): string | null {
  try {
    return userInfo().username;
  } catch {
    return null;
  }
}

function refusal(status: number, body: string): Refusal {
  const known = remoteException.safeParse(parseJson(body));
  if (!known.success) return new Refusal(status, 'without a reason', '');
  return new Refusal(status, known.data.RemoteException.exception, known.data.RemoteException.message);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** What is asked for below a file is refused as if it were a matter of rights. */
const isMissing = ({ exception, message }: Refusal): boolean =>
  exception === 'FileNotFoundException' ||
  exception === 'ParentNotDirectoryException' ||
  (exception === 'AccessControlException' && message.includes('(is not a directory)'));

const unlessMissing = <T, M>(work: Promise<T>, missing: M): Promise<T | M> =>
  work.catch((error: unknown) => {
    if (error instanceof Refusal && isMissing(error)) return missing;
    throw error;
  });

/** The NameNode starts, or another one is in charge. */
const UNAVAILABLE = new Set(['SafeModeException', 'StandbyException', 'RetriableException', 'BlockMissingException']);
const REFUSED = new Set(['AccessControlException', 'AuthorizationException', 'SecurityException']);
const NO_DATANODE = /Failed to find datanode|There are 0 datanode/;
const NO_SPACE = /could only be written to 0 of|No space left on device/;

function kindOf(error: unknown, otherwise: Trouble): Trouble {
  if (error instanceof Unanswered) return 'unavailable';
  if (!(error instanceof Refusal)) return otherwise;
  const { status, exception, message } = error;
  if (UNAVAILABLE.has(exception) || NO_DATANODE.test(message)) return 'unavailable';
  if (exception.includes('Quota') || NO_SPACE.test(message)) return 'full';
  if (isMissing(error)) return otherwise === 'unreadable' ? 'missing' : otherwise;
  if (REFUSED.has(exception) || status === 401) return 'refused';
  return status >= 500 || status === 429 ? 'unavailable' : otherwise;
}
