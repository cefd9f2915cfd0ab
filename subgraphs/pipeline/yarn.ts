import { z } from 'zod';
import { HashiraError } from '../kit/errors.ts';

/** An application of YARN, as much of it as is needed to follow one. */
export interface Application {
  id: string;
  state: 'NEW' | 'NEW_SAVING' | 'SUBMITTED' | 'ACCEPTED' | 'RUNNING' | 'FINISHED' | 'FAILED' | 'KILLED';
  finalStatus: string;
  /** Why it failed, as YARN tells it. For operators. */
  diagnostics: string;
  startedAt: number;
  /** Address of the node that runs the driver, and the driver's container there; null before it has one. */
  driver: { node: string; container: string } | null;
}

/** Stage of a Spark application that has tasks to do. */
export interface Stage {
  name: string;
  done: number;
  tasks: number;
}

export const hasEnded = ({ state }: Application): boolean =>
  state === 'FINISHED' || state === 'FAILED' || state === 'KILLED';

const REQUEST_MS = 10_000;

const application = z.object({
  id: z.string(),
  state: z.enum(['NEW', 'NEW_SAVING', 'SUBMITTED', 'ACCEPTED', 'RUNNING', 'FINISHED', 'FAILED', 'KILLED']),
  finalStatus: z.string(),
  diagnostics: z.string().default(''),
  startedTime: z.number(),
  amHostHttpAddress: z.string().optional(),
  amContainerLogs: z.string().optional(),
});
const applications = z.object({
  apps: z.object({ app: z.array(application).optional() }).nullish(),
});
const oneApplication = z.object({ app: application });
const stages = z.array(
  z.object({ name: z.string(), description: z.string().nullish(), numCompleteTasks: z.number(), numTasks: z.number() }),
);

/**
 * The REST interfaces of YARN's ResourceManager and, through it, of Spark. Every method throws HashiraError CLUSTER_UNAVAILABLE
 * when it does not answer, and the signal's reason when that is aborted.
 */
export class Yarn {
  readonly #url: string;

  /** @param url web address of the ResourceManager */
  constructor(url: string) {
    this.#url = url.replace(/\/+$/, '');
  }

  /** All applications, or those that carry the tag, the oldest first. */
  async list(tag?: string, signal?: AbortSignal): Promise<Application[]> {
    const filter = tag === undefined ? '' : `?applicationTags=${encodeURIComponent(tag)}`;
    const found = await this.#json(`/ws/v1/cluster/apps${filter}`, applications, signal);
    return (found?.apps?.app ?? []).map(fromYarn).sort((a, b) => a.startedAt - b.startedAt);
  }

  /** Null when YARN does not know it: it forgets old ones. */
  async application(id: string, signal?: AbortSignal): Promise<Application | null> {
    const found = await this.#json(`/ws/v1/cluster/apps/${id}`, oneApplication, signal);
    return found && fromYarn(found.app);
  }

  /** Asks for its end, which comes soon after. One that has ended stays as it is. */
  async kill(id: string): Promise<void> {
    await this.#request(`${this.#url}/ws/v1/cluster/apps/${id}/state`, undefined, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ state: 'KILLED' }),
    });
  }

  /** What a Spark application works on just now; nothing while it has no driver that answers. */
  async stages(id: string, signal?: AbortSignal): Promise<Stage[]> {
    const address = `${this.#url}/proxy/${id}/api/v1/applications/${id}/stages?status=active`;
    const response = await this.#request(address, signal);
    // Until the driver answers, the proxy says so in HTML.
    if (!response.ok || !response.headers.get('content-type')?.includes('json')) return [];
    return stages.parse(await response.json()).map(({ name, description, numCompleteTasks, numTasks }) => ({
      name: description || name,
      done: numCompleteTasks,
      tasks: numTasks,
    }));
  }

  /**
   * The end of what the driver has written on stdout, at most `bytes` of it; null where its node does not tell.
   * @returns `length` in bytes of all that it has written
   */
  async output(
    { driver }: Application,
    bytes: number,
    signal?: AbortSignal,
  ): Promise<{ length: number; end: Buffer } | null> {
    if (!driver) return null;
    const address = `http://${driver.node}/ws/v1/node/containers/${driver.container}/logs/stdout?size=-${bytes}`;
    try {
      const response = await this.#request(address, signal);
      return response.ok ? contentsOf(Buffer.from(await response.arrayBuffer()), bytes) : null;
    } catch (error) {
      // The node may be gone while the application is not.
      if (error instanceof HashiraError) return null;
      throw error;
    }
  }

  async #json<T>(path: string, schema: z.ZodType<T>, signal?: AbortSignal): Promise<T | null> {
    const response = await this.#request(`${this.#url}${path}`, signal);
    if (response.status === 404) return null;
    if (!response.ok) throw unavailable(new Error(`YARN answered ${response.status}`));
    return schema.parse(await response.json());
  }

  async #request(address: string, signal?: AbortSignal, init: RequestInit = {}): Promise<Response> {
    const timeout = AbortSignal.timeout(REQUEST_MS);
    try {
      return await fetch(address, {
        ...init,
        headers: { accept: 'application/json, text/plain', ...init.headers },
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      });
    } catch (cause) {
      signal?.throwIfAborted();
      throw unavailable(cause);
    }
  }
}

/** A NodeManager puts a head before the log, which tells its length, and a word after it. */
function contentsOf(answer: Buffer, bytes: number): { length: number; end: Buffer } | null {
  const mark = 'LogContents:\n';
  const at = answer.indexOf(mark);
  const length = Number(/^LogLength:(\d+)$/m.exec(answer.subarray(0, at).toString())?.[1] ?? Number.NaN);
  if (at < 0 || Number.isNaN(length)) return null;
  const begin = at + mark.length;
  return { length, end: answer.subarray(begin, begin + Math.min(length, bytes)) };
}

const unavailable = (cause: unknown) =>
  new HashiraError('CLUSTER_UNAVAILABLE', 'The cluster that runs Spark cannot be reached. Please try again.', {
    cause,
  });

function fromYarn(app: z.infer<typeof application>): Application {
  const container = /\/(container_\w+)(?:\/|$)/.exec(app.amContainerLogs ?? '')?.[1];
  return {
    id: app.id,
    state: app.state,
    finalStatus: app.finalStatus,
    diagnostics: app.diagnostics,
    startedAt: app.startedTime,
    driver: container && app.amHostHttpAddress ? { node: app.amHostHttpAddress, container } : null,
  };
}
