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
  url: string;
  source: Source;
  remote: RemoteSource | null;
}

/** All subgraphs of this gateway, over supergraphs that come and go: one that stays keeps its connections and its state. */
export class Sources {
  private known = new Map<string, Known>();

  constructor(
    private readonly subgraphs: readonly Subgraph[],
    private readonly config: Config,
    /** What subgraphs in this process need; null in a gateway that only reaches them by URL. */
    private readonly services: Services | null,
    private readonly observer: FetchObserver | null,
  ) {}

  /** The sources of a supergraph's subgraphs. @throws when one is neither reached by URL nor part of this process */
  async of(entries: readonly SubgraphEntry[]): Promise<ReadonlyMap<string, Source>> {
    const wanted = new Map<string, Known>();
    for (const { name, url: declared } of entries) {
      const url = urlFromEnvironment(this.config, name) ?? declared;
      const known = this.known.get(name);
      wanted.set(name, known?.url === url ? known : await this.open(name, url));
    }
    // Those no longer named are kept: requests of the supergraph before may still need them, and it may come back.
    this.known = new Map([...this.known, ...wanted]);
    return new Map([...wanted].map(([name, { source }]) => [name, source]));
  }

  breakers(): [subgraph: string, state: BreakerState][] {
    return [...this.known].flatMap(([name, { remote }]) => (remote ? [[name, remote.state] as const] : [])) as never;
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
      return { url, remote, source: observed(remote, null) };
    }
    const subgraph = this.subgraphs.find((candidate) => candidate.name === name);
    if (!subgraph || !services) {
      throw new Error(`The supergraph's subgraph "${name}" has no URL and is not part of this process.`);
    }
    const running = await subgraph.start({ ...services, log: services.log.child({ subgraph: name }) });
    const { schema } = await subgraph.schema();
    return { url, remote: null, source: observed(new LocalSource(name, schema, running), observer) };
  }
}

function urlFromEnvironment(config: Config, name: string): string | undefined {
  return config[`${name.toUpperCase()}_URL` as keyof Config] as string | undefined;
}
