import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Gateway, startGateway } from '../../../gateway/gateway.ts';
import { freePort } from '../../../scripts/postgres.ts';
import { loadConfig } from '../../../subgraphs/kit/config.ts';
import { createLogger } from '../../../subgraphs/kit/log.ts';
import { type SubgraphServer, startSubgraphServer } from '../../../subgraphs/kit/subgraph-server.ts';
import { type SubgraphParts, schemaOf, supergraphOf } from '../../support/graph.ts';

const SECRET = 's'.repeat(32);
const log = createLogger('test', 'silent');

/** One subgraph behind its real door; it can be taken away and brought back at the same URL. */
class RemoteSubgraph {
  private server: SubgraphServer | undefined;

  constructor(
    readonly name: string,
    private readonly parts: SubgraphParts,
    private readonly port: number,
  ) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}/graphql`;
  }

  /** @param secret another than the gateway's: then it believes nobody */
  async start(secret = SECRET): Promise<void> {
    const { name, port } = this;
    const running = { context: (request: object) => request };
    this.server = await startSubgraphServer({
      name,
      schema: schemaOf(this.parts),
      running,
      secret,
      log,
      host: '127.0.0.1',
      port,
      drainMs: 20,
    });
  }

  async stop(): Promise<void> {
    await this.server?.stop();
    this.server = undefined;
  }
}

/** A whole gateway in front of subgraphs that it reaches by URL. */
export class RemoteGraph {
  private constructor(
    readonly gateway: Gateway,
    readonly subgraphs: Readonly<Record<string, RemoteSubgraph>>,
    private readonly dir: string,
  ) {}

  static async start(parts: Record<string, SubgraphParts>, env: Record<string, string> = {}): Promise<RemoteGraph> {
    const subgraphs: Record<string, RemoteSubgraph> = {};
    for (const [name, part] of Object.entries(parts)) {
      const subgraph = new RemoteSubgraph(name, part, await freePort());
      await subgraph.start();
      subgraphs[name] = subgraph;
    }
    const dir = await mkdtemp(path.join(tmpdir(), 'hashira-resilience-'));
    const file = path.join(dir, 'supergraph.graphql');
    await writeFile(
      file,
      supergraphOf(parts, (name) => subgraphs[name]?.url ?? ''),
    );
    const config = loadConfig({
      PORT: '0',
      HASHIRA_DATA: dir,
      SUBGRAPH_SECRET: SECRET,
      LOG_LEVEL: 'silent',
      RATE_LIMIT_ADDRESS_PER_MINUTE: '0',
      MAX_SUBSCRIPTIONS_PER_USER: '1000',
      ...env,
    });
    return new RemoteGraph(await startGateway([], { config, log }, file), subgraphs, dir);
  }

  get url(): string {
    return `${this.gateway.url}/graphql`;
  }

  /** The value of a metric, `name{labels}` as Prometheus writes it; 0 when it is not there. */
  async metric(series: string): Promise<number> {
    const text = await (await fetch(`${this.gateway.url}/metrics`)).text();
    return Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${series} `))
        ?.slice(series.length + 1) ?? 0,
    );
  }

  async stop(): Promise<void> {
    await this.gateway.stop();
    for (const subgraph of Object.values(this.subgraphs)) await subgraph.stop();
    await rm(this.dir, { recursive: true });
  }
}
