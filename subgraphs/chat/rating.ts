import type { Identity } from '../kit/auth.ts';
import type { Database } from '../kit/database.ts';
import { badInput, notFound } from '../kit/errors.ts';
import { checkReason } from './input.ts';
import { type Feedback, type Message, MessageRole } from './model.ts';
import { type Ids, owns } from './owner.ts';
import { findMessage, rate } from './store.ts';

/**
 * Rates an answer; the last rating stands, with its reason.
 * @throws HashiraError NOT_FOUND (no message in a conversation of the client's own), BAD_USER_INPUT
 */
export async function rateMessage(
  { database, ids, identity }: { database: Database; ids: Ids; identity: Identity | null },
  given: string,
  feedback: Feedback,
  reason: string | null | undefined,
): Promise<Message> {
  const feedbackReason = checkReason(reason);
  const id = ids.read('message', given, identity);
  const message = id === null ? null : await findMessage(database, id);
  if (!message || !owns(message.owner, identity)) throw notFound('message', given);
  if (message.role !== MessageRole.ASSISTANT) throw badInput('Only answers of the assistant can be rated.', 'id');
  await rate(database, message.id, feedback, feedbackReason);
  return { ...message, feedback, feedbackReason };
}
