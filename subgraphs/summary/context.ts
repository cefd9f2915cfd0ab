import DataLoader from 'dataloader';
import type { Identity } from '../kit/auth.ts';
import type { Database } from '../kit/database.ts';
import type { RequestContext } from '../kit/subgraph.ts';
import { uuidOf } from './input.ts';
import type { ConversationSummary } from './model.ts';
import type { SummaryModels } from './models.ts';
import { findSummaries } from './store.ts';

/** What resolvers work with, made anew for each request. */
export interface SummaryContext {
  identity: Identity | null;
  signal: AbortSignal | undefined;
  database: Database;
  models: Pick<SummaryModels, 'write'>;
  /** A summary by its id as the client gave it. */
  summary(id: string): Promise<ConversationSummary | null>;
}

export function createContext(
  { database, models }: Pick<SummaryContext, 'database' | 'models'>,
  { identity, signal }: RequestContext,
): SummaryContext {
  const summaries = new DataLoader<string, ConversationSummary | null>((ids) => findSummaries(database, ids));
  return {
    identity,
    signal,
    database,
    models,
    summary: async (given) => {
      const id = uuidOf(given);
      return id === null ? null : summaries.load(id);
    },
  };
}
