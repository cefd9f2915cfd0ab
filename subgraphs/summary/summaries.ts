import { randomUUID } from 'node:crypto';
import type { Identity } from '../kit/auth.ts';
import type { Database } from '../kit/database.ts';
import { notFound } from '../kit/errors.ts';
import { checkNote, checkRequest, type Request, uuidOf } from './input.ts';
import { type ConversationSummary, ReviewStatus, type TranscriptTurn } from './model.ts';
import { EXTRACTIVE, type SummaryModels } from './models.ts';
import { findSummaryOf, readChat, review, type StoredChat, saveSummary } from './store.ts';

/** Who answers in stored chats. */
const ASSISTANT = 'Assistant';

type Workshop = { database: Database; models: Pick<SummaryModels, 'write'> };

/**
 * Summarizes a stored chat or a transcript, and stores it. A chat in which nothing was said since its last summary keeps that one, unless it
 * is quotes and may be better now.
 * @throws HashiraError BAD_USER_INPUT, NOT_FOUND, TOO_BUSY, SUMMARY_MODEL_UNAVAILABLE
 */
export async function summarize(
  workshop: Workshop,
  input: Parameters<typeof checkRequest>[0],
  signal?: AbortSignal,
): Promise<ConversationSummary> {
  const request: Request = checkRequest(input);
  if ('transcript' in request) return written(workshop, request, null, signal);
  const { conversationId: given, agent } = request;
  const id = uuidOf(given);
  const chat = id === null ? null : await readChat(workshop.database, id);
  if (!chat) throw notFound('conversation', given);
  return summarizeChat(workshop, chat, agent, signal);
}

/** @throws HashiraError TOO_BUSY, SUMMARY_MODEL_UNAVAILABLE */
export async function summarizeChat(
  workshop: Workshop,
  chat: StoredChat,
  agent: string | null = null,
  signal?: AbortSignal,
): Promise<ConversationSummary> {
  const existing = await findSummaryOf(workshop.database, chat.conversationId);
  // Quotes that nobody has looked at give way to a model that has come since, or are written anew as they are.
  const quoted = existing?.modelName === EXTRACTIVE.name && existing.status === ReviewStatus.PENDING;
  if (existing && !quoted && BigInt(existing.through) >= BigInt(chat.through)) return existing;
  const people = chat.turns.some(({ speaker }) => speaker === 'Agent');
  const served = agent ?? existing?.agent ?? (people ? null : ASSISTANT);
  return written(workshop, { agent: served, transcript: chat.turns }, chat, signal);
}

async function written(
  { database, models }: Workshop,
  { agent, transcript }: { agent: string | null; transcript: TranscriptTurn[] },
  chat: StoredChat | null,
  signal?: AbortSignal,
): Promise<ConversationSummary> {
  const { digest, author } = await models.write(transcript, signal);
  return saveSummary(database, {
    ...digest,
    id: randomUUID(),
    conversationId: chat?.conversationId ?? null,
    through: chat?.through ?? null,
    transcript,
    agent,
    modelName: author.name,
    modelVersion: author.version,
  });
}

/** Stores what a person thinks of a summary. @throws HashiraError BAD_USER_INPUT, NOT_FOUND */
export async function reviewSummary(
  { database, identity }: { database: Database; identity: Identity | null },
  given: string,
  status: ReviewStatus,
  note: string | null | undefined,
): Promise<ConversationSummary> {
  const checked = { status, note: checkNote(note), by: identity?.subject ?? null };
  const id = uuidOf(given);
  const reviewed = id === null ? null : await review(database, id, checked);
  if (!reviewed) throw notFound('summary', given);
  return reviewed;
}
