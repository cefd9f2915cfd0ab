import { fileURLToPath } from 'node:url';
import { buildFederatedSchema } from '../kit/federation.ts';
import { runStandalone } from '../kit/standalone.ts';
import type { Subgraph } from '../kit/subgraph.ts';
import { createContext, type SummaryContext } from './context.ts';
import { SummaryModels } from './models.ts';
import { ConversationSummaryResolver, SummaryConnectionResolver, SummaryResolver } from './resolvers.ts';

/** Conversations with support in a few lines each, checked against what was said. */
export const summary: Subgraph = {
  name: 'summary',
  schema: () =>
    buildFederatedSchema<SummaryContext>({
      resolvers: [SummaryResolver, SummaryConnectionResolver, ConversationSummaryResolver],
      references: { ConversationSummary: ({ id }: { id: string }, context) => context.summary(id) },
    }),
  migrations: fileURLToPath(new URL('./migrations', import.meta.url)),
  start: async (services) => {
    const models = await SummaryModels.start(services);
    return {
      context: (request) => createContext({ database: services.database, models }, request),
      stop: () => models.stop(),
    };
  },
};

if (import.meta.main) await runStandalone(summary);
