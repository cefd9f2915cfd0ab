import type { Queryable } from '../subgraphs/kit/database.ts';

/** `degraded`: it costs some fields of some answers, and the gateway is still worth asking. */
export type PartState = 'ok' | 'degraded' | 'unavailable';

export interface Readiness {
  ready: boolean;
  status: PartState | 'draining';
  /** State of each part; `subgraph.<name>` for those reached by URL. */
  parts: Record<string, PartState>;
}

export interface Health {
  /** Whether requests may be sent here now, and why not. */
  ready(): Promise<Readiness>;
  /** From now on not ready: the process is about to end. */
  drain(): void;
}

export interface HealthParts {
  /** Only where this process has one. Models are not asked for: without them the graph serves fallbacks. */
  database?: Queryable | undefined;
  /** Circuit breaker of each subgraph reached by URL. */
  breakers?(): Iterable<readonly [subgraph: string, state: 'closed' | 'half-open' | 'open']>;
}

const PROBE_MS = 2_000;

/** Health by its parts; the doors open only once a supergraph is served. However often it is asked, the database has at most one probe in flight. */
export function createHealth({ database, breakers }: HealthParts): Health {
  let draining = false;
  let probing: Promise<PartState> | undefined;
  const probe = (queryable: Queryable) => {
    probing ??= answers(queryable).finally(() => {
      probing = undefined;
    });
    return probing;
  };
  return {
    ready: async () => {
      const parts: Record<string, PartState> = {};
      if (database) parts.database = await probe(database);
      for (const [name, state] of breakers?.() ?? []) parts[`subgraph.${name}`] = state === 'open' ? 'degraded' : 'ok';
      const states = Object.values(parts);
      const worst = (['unavailable', 'degraded'] as const).find((state) => states.includes(state)) ?? 'ok';
      const status = draining ? 'draining' : worst;
      return { ready: status === 'ok' || status === 'degraded', status, parts };
    },
    drain: () => {
      draining = true;
    },
  };
}

/** Whether PostgreSQL answers within two seconds. */
async function answers(database: Queryable): Promise<PartState> {
  const late = new Promise<PartState>((resolve) => setTimeout(resolve, PROBE_MS, 'unavailable').unref());
  const up = database.query('SELECT 1').then(
    (): PartState => 'ok',
    (): PartState => 'unavailable',
  );
  return Promise.race([up, late]);
}
