import type { Config } from '../../subgraphs/kit/config.ts';
import type { Services, Subgraph } from '../../subgraphs/kit/subgraph.ts';
import type { SubgraphEntry } from '../graph/supergraph.ts';
import type { BreakerState } from './circuit-breaker.ts';
import type { FetchObserver } from './fetch-observer.ts';
import { LocalSource } from './local.ts';
import { observed } from './observed.ts';
import { RemoteSource } from './remote.ts';
import type { Source } from './source.ts';

interface Known {
  name: string;
  source: Source;
  remote: RemoteSource | null;
}

/** All subgraphs of this gateway, over supergraphs that come and go: one that stays keeps its connections and its state. */
export class Sources {
  /** By name and URL: a supergraph that is refused in the end leaves what is served as it was. */
  private readonly known = new Map<string, Known>();

  constructor(
    private readonly subgraphs: readonly Subgraph[],
    private readonly config: Config,
    /** What subgraphs in this process need; null in a gateway that only reaches them by URL. */
    private readonly services: Services | null,
    private readonly observer: FetchObserver | null,
  ) {}

  /** The sources of a supergraph's subgraphs. @throws when one is neither reached by URL nor part of this process */
  async of(entries: readonly SubgraphEntry[]): Promise<ReadonlyMap<string, Source>> {
    const wanted = new Map<string, Source>();
    for (const { name, url: declared } of entries) {
      const url = urlFromEnvironment(this.config, name) ?? declared;
      const key = `${name} ${url}`;
      const known = this.known.get(key) ?? (await this.open(name, url));
      // None is closed: requests of the supergraph before may still need it, and it may come back.
      this.known.set(key, known);
      wanted.set(name, known.source);
    }
    return wanted;
  }

  breakers(): [subgraph: string, state: BreakerState][] {
    return [...this.known.values()].flatMap(({ name, remote }) =>
      remote ? [[name, remote.state] as [string, BreakerState]] : [],
    );
  }

  async stop(): Promise<void> {
    await Promise.all([...this.known.values()].map(({ source }) => source.stop()));
  }

  private async open(name: string, url: string): Promise<Known> {
    const { config, services, observer } = this;
    if (/^https?:/.test(url)) {
      const remote = new RemoteSource({
        name,
        url,
        secret: config.SUBGRAPH_SECRET,
        timeoutMs: config.SUBGRAPH_TIMEOUT_MS,
        retries: config.SUBGRAPH_RETRIES,
        ...(observer ? { observer } : {}),
      });
      return { name, remote, source: observed(remote, null) };
    }
    const subgraph = this.subgraphs.find((candidate) => candidate.name === name);
    if (!subgraph || !services) {
      throw new Error(`The supergraph's subgraph "${name}" has no URL and is not part of this process.`);
    }
    const running = await subgraph.start({ ...services, log: services.log.child({ subgraph: name }) });
    const { schema } = await subgraph.schema();
    return { name, remote: null, source: observed(new LocalSource(name, schema, running), observer) };
  }
}

function urlFromEnvironment(config: Config, name: string): string | undefined {
  return config[`${name.toUpperCase()}_URL` as keyof Config] as string | undefined;
}
