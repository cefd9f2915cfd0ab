import type { Identity } from './auth.ts';
import type { Config } from './config.ts';
import type { Database } from './database.ts';
import type { FederatedSchema } from './federation.ts';
import type { Logger } from './log.ts';
import type { Registry } from './registry.ts';

/** What a subgraph is told about the request it works for. */
export interface RequestContext {
  /** Verified; null for a visitor. */
  identity: Identity | null;
  requestId: string;
  /** Aborted when the client has left. */
  signal?: AbortSignal;
  log: Logger;
}

/** What a process gives to the subgraphs that run in it. */
export interface Services {
  config: Config;
  database: Database;
  registry: Registry;
  log: Logger;
}

/** A subgraph at work. */
export interface RunningSubgraph {
  /** Called once per request; what it returns is the resolvers' context, with fresh DataLoaders. */
  context(request: RequestContext): object;
  stop?(): Promise<void>;
}

/** A subgraph as its `index.ts` exports it: the gateway runs it in its own process, or `runStandalone` alone. */
export interface Subgraph {
  name: string;
  schema(): Promise<FederatedSchema>;
  /** Folder of SQL migrations; they own the PostgreSQL schema of the subgraph's name. */
  migrations: string;
  start(services: Services): Promise<RunningSubgraph>;
}
