import DataLoader from 'dataloader';
import type { Identity } from '../kit/auth.ts';
import type { Database } from '../kit/database.ts';
import type { Logger } from '../kit/log.ts';
import type { RequestContext } from '../kit/subgraph.ts';
import type { Answers } from './answers.ts';
import type { Conversation, Message } from './model.ts';
import { type Ids, mayRead } from './owner.ts';
import { findConversations, messagesOf, productsExist } from './store.ts';

/** What resolvers work with, made anew for each request, and for each event of a subscription. */
export interface ChatContext {
  identity: Identity | null;
  signal: AbortSignal | undefined;
  log: Logger;
  database: Database;
  ids: Ids;
  answers: Answers;
  /** A conversation by its id as the client gave it; null when there is none, or it is not for this client. */
  conversation(id: string): Promise<Conversation | null>;
  /** Messages of conversations by UUID; one loader per page asked for. */
  messages(after: string | null, limit: number): DataLoader<string, Message[]>;
  /** Whether the catalogue has a product. */
  products: DataLoader<string, boolean>;
}

export function createContext(
  { database, ids, answers }: Pick<ChatContext, 'database' | 'ids' | 'answers'>,
  { identity, signal, log }: RequestContext,
): ChatContext {
  const conversations = new DataLoader<string, Conversation | null>((keys) => findConversations(database, keys));
  const messages = new Map<string, DataLoader<string, Message[]>>();
  return {
    identity,
    signal,
    log,
    database,
    ids,
    answers,
    conversation: async (given) => {
      const id = ids.read('conversation', given, identity);
      const found = id === null ? null : await conversations.load(id);
      return found && mayRead(found.owner, identity) ? found : null;
    },
    messages: (after, limit) => {
      const key = `${after} ${limit}`;
      const loader = messages.get(key) ?? new DataLoader((keys) => messagesOf(database, keys, after, limit));
      messages.set(key, loader);
      return loader;
    },
    products: new DataLoader((keys) => productsExist(database, keys)),
  };
}
