import type { Queryable } from '../kit/database.ts';
import type { ConversationSummary, Digest, ReviewStatus, TranscriptTurn } from './model.ts';

const SUMMARY = `id, conversation_id AS "conversationId", transcript, agent, summary, key_issue AS "keyIssue", resolution, resolved,
  status, review_note AS "reviewNote", reviewed_by AS "reviewedBy", reviewed_at AS "reviewedAt", created_at AS "createdAt",
  model_name AS "modelName", model_version AS "modelVersion"`;

/** PostgreSQL takes no longer texts into a tsvector; what comes behind is not found by its words. */
const MOST_INDEXED = 200_000;

/** In the order of the ids (UUIDs); null where there is none. */
export async function findSummaries(db: Queryable, ids: readonly string[]): Promise<(ConversationSummary | null)[]> {
  const rows = await db.query<ConversationSummary>(
    `SELECT ${SUMMARY} FROM summary.summaries WHERE id = ANY($1::uuid[])`,
    [ids],
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => byId.get(id) ?? null);
}

/** The summary of a stored chat with the last message that it covers. */
export async function findSummaryOf(
  db: Queryable,
  conversationId: string,
): Promise<(ConversationSummary & { through: string }) | null> {
  const [row] = await db.query<ConversationSummary & { through: string }>(
    `SELECT ${SUMMARY}, through::text FROM summary.summaries WHERE conversation_id = $1`,
    [conversationId],
  );
  return row ?? null;
}

/** What a list of summaries is narrowed to; null: not by this. */
export interface Wanted {
  status: ReviewStatus | null;
  agent: string | null;
  resolved: boolean | null;
  /** Inclusive. */
  from: Date | null;
  /** Exclusive. */
  to: Date | null;
  /** Words, "phrases" and -exclusions. */
  search: string | null;
}

/** Where a page goes on. */
export interface Position {
  createdAt: string;
  id: string;
}

const WANTED = `($1::text IS NULL OR status = $1) AND ($2::text IS NULL OR agent = $2) AND ($3::boolean IS NULL OR resolved = $3)
  AND ($4::timestamptz IS NULL OR created_at >= $4) AND ($5::timestamptz IS NULL OR created_at < $5)
  AND ($6::text IS NULL OR words @@ websearch_to_tsquery('english', $6))`;

const wantedValues = ({ status, agent, resolved, from, to, search }: Wanted): unknown[] => [
  ...[status, agent, resolved, from, to, search],
];

/** Newest first. */
export async function listSummaries(
  db: Queryable,
  limit: number,
  wanted: Wanted,
  after: Position | null,
): Promise<ConversationSummary[]> {
  return db.query<ConversationSummary>(
    `SELECT ${SUMMARY} FROM summary.summaries
     WHERE ${WANTED} AND ($7::timestamptz IS NULL OR (created_at, id) < ($7::timestamptz, $8::uuid))
     ORDER BY created_at DESC, id DESC LIMIT $9`,
    [...wantedValues(wanted), after?.createdAt ?? null, after?.id ?? null, limit],
  );
}

export async function countSummaries(db: Queryable, wanted: Wanted): Promise<number> {
  const [row] = await db.query<{ count: number }>(
    `SELECT count(*)::integer AS count FROM summary.summaries WHERE ${WANTED}`,
    wantedValues(wanted),
  );
  return row?.count ?? 0;
}

/** A summary that is new, or takes the place of the one of its conversation. */
export interface NewSummary extends Digest {
  id: string;
  conversationId: string | null;
  through: string | null;
  transcript: readonly TranscriptTurn[];
  agent: string | null;
  modelName: string;
  modelVersion: number;
}

/**
 * Stores a summary. That of a conversation that went on replaces the one before and is to be reviewed again; one that covers less
 * than what is stored, because another was faster, does not.
 */
export async function saveSummary(db: Queryable, summary: NewSummary): Promise<ConversationSummary> {
  const said = summary.transcript
    .map(({ text }) => text)
    .join('\n')
    .slice(0, MOST_INDEXED);
  const [row] = await db.query<ConversationSummary>(
    `INSERT INTO summary.summaries
       (id, conversation_id, through, transcript, agent, summary, key_issue, resolution, resolved, model_name, model_version, words)
     VALUES ($1, $2, $3::bigint, $4, $5, $6, $7, $8, $9, $10, $11,
       setweight(to_tsvector('english', concat_ws(' ', $7::text, $6::text, $5::text)), 'A')
         || setweight(to_tsvector('english', $12), 'D'))
     ON CONFLICT (conversation_id) DO UPDATE SET through = excluded.through, transcript = excluded.transcript,
       agent = excluded.agent, summary = excluded.summary, key_issue = excluded.key_issue, resolution = excluded.resolution,
       resolved = excluded.resolved, model_name = excluded.model_name, model_version = excluded.model_version,
       words = excluded.words, status = 'PENDING', review_note = NULL, reviewed_by = NULL, reviewed_at = NULL, created_at = now()
       WHERE summaries.through < excluded.through
         OR (summaries.model_name, summaries.model_version) <> (excluded.model_name, excluded.model_version)
     RETURNING ${SUMMARY}`,
    [
      summary.id,
      summary.conversationId,
      summary.through,
      JSON.stringify(summary.transcript),
      summary.agent,
      summary.summary,
      summary.keyIssue,
      summary.resolution,
      summary.resolved,
      summary.modelName,
      summary.modelVersion,
      said,
    ],
  );
  return row ?? ((await findSummaryOf(db, summary.conversationId as string)) as ConversationSummary);
}

/** @returns null when there is no such summary */
export async function review(
  db: Queryable,
  id: string,
  { status, note, by }: { status: ReviewStatus; note: string | null; by: string | null },
): Promise<ConversationSummary | null> {
  const [row] = await db.query<ConversationSummary>(
    `UPDATE summary.summaries SET status = $2, review_note = $3, reviewed_by = $4, reviewed_at = now() WHERE id = $1
     RETURNING ${SUMMARY}`,
    [id, status, note, by],
  );
  return row ?? null;
}

/** A stored chat as a transcript. */
export interface StoredChat {
  conversationId: string;
  turns: TranscriptTurn[];
  /** Position of its last message. */
  through: string;
}

/** Null when there is no such chat, or nothing was said in it. */
export async function readChat(db: Queryable, conversationId: string): Promise<StoredChat | null> {
  const rows = await db.query<{ speaker: string; text: string; position: string }>(
    `SELECT CASE role WHEN 'USER' THEN 'Customer' WHEN 'AGENT' THEN 'Agent' ELSE 'Assistant' END AS speaker, text, position::text
     FROM chat.messages WHERE conversation_id = $1 ORDER BY messages.position`,
    [conversationId],
  );
  const last = rows.at(-1);
  return last
    ? { conversationId, turns: rows.map(({ speaker, text }) => ({ speaker, text })), through: last.position }
    : null;
}

/** Chats in which nothing was said for $1 minutes and of which no summary covers all. */
const UNSUMMARIZED = `chat.conversations AS conversation
  CROSS JOIN LATERAL (
    SELECT position, created_at FROM chat.messages WHERE conversation_id = conversation.id ORDER BY position DESC LIMIT 1
  ) AS last
  WHERE last.created_at < now() - $1 * interval '1 minute' AND NOT EXISTS (
    SELECT 1 FROM summary.summaries AS done WHERE done.conversation_id = conversation.id AND done.through >= last.position
  )`;

/** In the order of their last messages, behind the position `after`. */
export async function unsummarizedChats(
  db: Queryable,
  idleMinutes: number,
  limit: number,
  after: string,
): Promise<{ id: string; through: string }[]> {
  return db.query<{ id: string; through: string }>(
    `SELECT conversation.id, last.position::text AS through FROM ${UNSUMMARIZED} AND last.position > $3::bigint
     ORDER BY last.position LIMIT $2`,
    [idleMinutes, limit, after],
  );
}

export async function countUnsummarized(db: Queryable, idleMinutes: number): Promise<number> {
  const [row] = await db.query<{ count: number }>(`SELECT count(*)::integer AS count FROM ${UNSUMMARIZED}`, [
    idleMinutes,
  ]);
  return row?.count ?? 0;
}
