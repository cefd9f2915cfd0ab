import type { Queryable } from '../subgraphs/kit/database.ts';

export interface Health {
  /** Whether the gateway can answer now, and the state of each part it needs. */
  ready(): Promise<{ ready: boolean; parts: Record<string, 'ok' | 'unavailable'> }>;
}

/** Ready when PostgreSQL answers within two seconds. Models are not asked: without them the graph serves fallbacks. */
export function databaseHealth(database: Queryable): Health {
  return {
    ready: async () => {
      const late = new Promise<false>((resolve) => setTimeout(resolve, 2_000, false).unref());
      const up = database.query('SELECT 1').then(
        () => true,
        () => false,
      );
      const ready = await Promise.race([up, late]);
      return { ready, parts: { database: ready ? 'ok' : 'unavailable' } };
    },
  };
}
