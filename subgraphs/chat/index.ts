import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { buildFederatedSchema } from '../kit/federation.ts';
import { runStandalone } from '../kit/standalone.ts';
import type { Subgraph } from '../kit/subgraph.ts';
import { Answers, type Workshop } from './answers.ts';
import { createResearcher } from './assistant/index.ts';
import { Claims, type ClaimTimes } from './claims.ts';
import { type ChatContext, createContext } from './context.ts';
import { createGenerators } from './generators.ts';
import { Places, RateLimit } from './limits.ts';
import { Ids } from './owner.ts';
import {
  ChatResolver,
  ChatSourcesResolver,
  CitationResolver,
  ConversationResolver,
  MessageResolver,
} from './resolvers.ts';
import { secret } from './store.ts';

/** What tests put in place of the real thing. */
export type ChatParts = Partial<Pick<Workshop, 'researcher' | 'generators'> & { times: Partial<ClaimTimes> }>;

/** The subgraph, with parts of one's own. */
export const chatWith = (parts: ChatParts): Subgraph => ({
  name: 'chat',
  schema: () =>
    buildFederatedSchema<ChatContext>({
      resolvers: [ChatResolver, ConversationResolver, MessageResolver, ChatSourcesResolver, CitationResolver],
      references: { Conversation: ({ id }: { id: string }, context) => context.conversation(id) },
    }),
  migrations: fileURLToPath(new URL('./migrations', import.meta.url)),
  start: async (services) => {
    const { config, database, log } = services;
    const ids = new Ids(await secret(database, 'ids', randomBytes(32)));
    const answers = new Answers({
      database,
      ids,
      claims: new Claims(database, log, parts.times),
      rate: new RateLimit(config.CHAT_RATE_LIMIT_PER_MINUTE),
      places: new Places(config.CHAT_MAX_ANSWERS),
      researcher: parts.researcher ?? createResearcher(services),
      generators: parts.generators ?? createGenerators(config, log),
    });
    return {
      context: (request) => createContext({ database, ids, answers }, request),
      stop: () => answers.stop(),
    };
  },
});

/** Conversations with the assistant, which answers from the catalogue. */
export const chat: Subgraph = chatWith({});

if (import.meta.main) await runStandalone(chat);
