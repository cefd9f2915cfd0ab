import type { Queryable } from '../kit/database.ts';
import type { StoredTurn } from './assistant/researcher.ts';
import type { Citation, Conversation, Feedback, Message } from './model.ts';

const MESSAGE = `message.id, message.conversation_id AS "conversationId", conversation.owner, message.role, message.text,
  message.citations, message.model, message.notice, message.feedback, message.feedback_reason AS "feedbackReason",
  message.created_at AS "createdAt", message.position::text`;
const MESSAGES =
  'chat.messages AS message JOIN chat.conversations AS conversation ON conversation.id = message.conversation_id';

/** The key of this name, the same for all processes; made where there is none. */
export async function secret(db: Queryable, name: string, made: Buffer): Promise<Buffer> {
  await db.query('INSERT INTO chat.secrets (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING', [name, made]);
  const [row] = await db.query<{ value: Buffer }>('SELECT value FROM chat.secrets WHERE name = $1', [name]);
  return (row as { value: Buffer }).value;
}

/** In the order of the ids (UUIDs); null where there is none. */
export async function findConversations(db: Queryable, ids: readonly string[]): Promise<(Conversation | null)[]> {
  const rows = await db.query<Conversation>(
    'SELECT id, owner, created_at AS "createdAt" FROM chat.conversations WHERE id = ANY($1::uuid[])',
    [ids],
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => byId.get(id) ?? null);
}

export async function findConversation(db: Queryable, id: string): Promise<Conversation | null> {
  return (await findConversations(db, [id]))[0] ?? null;
}

export async function findMessage(db: Queryable, id: string): Promise<Message | null> {
  return (await db.query<Message>(`SELECT ${MESSAGE} FROM ${MESSAGES} WHERE message.id = $1`, [id]))[0] ?? null;
}

/** Messages of each conversation behind a position, oldest first. */
export async function messagesOf(
  db: Queryable,
  conversationIds: readonly string[],
  after: string | null,
  limit: number,
): Promise<Message[][]> {
  const rows = await db.query<Message>(
    `SELECT message.* FROM unnest($1::uuid[]) AS asked(id) CROSS JOIN LATERAL (
       SELECT ${MESSAGE} FROM ${MESSAGES}
       WHERE message.conversation_id = asked.id AND message.position > $2::bigint
       ORDER BY message.position LIMIT $3
     ) AS message ORDER BY message.position::bigint`,
    [conversationIds, after ?? '0', limit],
  );
  const groups = Map.groupBy(rows, ({ conversationId }) => conversationId);
  return conversationIds.map((id) => groups.get(id) ?? []);
}

/** The last turns before a question, oldest first. */
export async function turnsBefore(db: Queryable, questionId: string, limit: number): Promise<StoredTurn[]> {
  const rows = await db.query<StoredTurn>(
    `SELECT CASE earlier.role WHEN 'USER' THEN 'USER' ELSE 'ASSISTANT' END AS role, earlier.text,
       ARRAY(SELECT cited ->> 'productId' FROM jsonb_array_elements(earlier.citations) AS cited) AS "productIds",
       earlier.product_id AS "productId"
     FROM chat.messages AS question
     JOIN chat.messages AS earlier
       ON earlier.conversation_id = question.conversation_id AND earlier.position < question.position
     WHERE question.id = $1 ORDER BY earlier.position DESC LIMIT $2`,
    [questionId, limit],
  );
  return rows.reverse();
}

/** Which of these products the catalogue has now, in the order of the ids. */
export async function productsExist(db: Queryable, ids: readonly string[]): Promise<boolean[]> {
  const rows = await db.query<{ id: string }>('SELECT id FROM catalog.products WHERE id = ANY($1)', [ids]);
  const found = new Set(rows.map(({ id }) => id));
  return ids.map((id) => found.has(id));
}

/** The last rating stands. */
export async function rate(db: Queryable, id: string, feedback: Feedback, reason: string | null): Promise<void> {
  await db.query('UPDATE chat.messages SET feedback = $2, feedback_reason = $3 WHERE id = $1', [id, feedback, reason]);
}

/** A question that was asked before. */
export interface Request {
  scope: string;
  content: Buffer;
  conversationId: string;
  /** Whether it began its conversation. */
  began: boolean;
  questionId: string;
  answerId: string | null;
  holder: string | null;
  process: string | null;
  /** Whether the holder has not been heard of for too long. */
  expired: boolean | null;
}

/**
 * A question by its client's id: in `scope`, or in `begunIn` when it began this very conversation. So a client that has heard of
 * its new conversation and lost the connection may ask again with or without it.
 */
export async function findRequest(
  db: Queryable,
  key: { scope: string; begunIn: string; clientMessageId: string; conversationId: string },
): Promise<Request | null> {
  const rows = await db.query<Request>(
    `SELECT scope, content, conversation_id AS "conversationId", began, question_id AS "questionId",
       answer_id AS "answerId", holder, process, held_until < now() AS expired
     FROM chat.requests
     WHERE client_message_id = $3 AND (scope = $1 OR scope = $2 AND began AND conversation_id = $4)
     LIMIT 1`,
    [key.scope, key.begunIn, key.clientMessageId, key.conversationId],
  );
  return rows[0] ?? null;
}

/** A question that is asked for the first time, with who answers it. */
export interface NewRequest {
  scope: string;
  clientMessageId: string;
  content: Buffer;
  conversationId: string;
  owner: string | null;
  /** Whether the conversation is new. */
  began: boolean;
  questionId: string;
  text: string;
  productId: string | null;
  holder: string;
  process: string;
  leaseMs: number;
}

/** Stores the question and, where it begins one, its conversation. @returns false when another was faster: nothing was stored */
export async function insertRequest(db: Queryable, request: NewRequest): Promise<boolean> {
  const rows = await db.query(
    `WITH request AS (
       INSERT INTO chat.requests
         (scope, client_message_id, content, conversation_id, began, question_id, holder, process, held_until)
       VALUES ($1, $2, $3, $4, $5, $6, $10, $11, now() + $12 * interval '1 millisecond')
       ON CONFLICT DO NOTHING RETURNING conversation_id, question_id
     ), conversation AS (
       INSERT INTO chat.conversations (id, owner) SELECT conversation_id, $7 FROM request WHERE $5
     ), question AS (
       INSERT INTO chat.messages (id, conversation_id, role, text, product_id)
       SELECT question_id, conversation_id, 'USER', $8, $9 FROM request
     )
     SELECT 1 FROM request`,
    [
      request.scope,
      request.clientMessageId,
      request.content,
      request.conversationId,
      request.began,
      request.questionId,
      request.owner,
      request.text,
      request.productId,
      request.holder,
      request.process,
      request.leaseMs,
    ],
  );
  return rows.length > 0;
}

/**
 * Takes over a question that nobody answers. `seen` is the holder as it was read, `ended` whether that one is known to have ended.
 * @returns false when it was taken, answered or heard of meanwhile
 */
export async function takeRequest(
  db: Queryable,
  key: { scope: string; clientMessageId: string },
  seen: { holder: string | null; ended: boolean },
  by: { holder: string; process: string; leaseMs: number },
): Promise<boolean> {
  const rows = await db.query(
    `UPDATE chat.requests SET holder = $5, process = $6, held_until = now() + $7 * interval '1 millisecond'
     WHERE scope = $1 AND client_message_id = $2 AND answer_id IS NULL AND holder IS NOT DISTINCT FROM $3::uuid
       AND (holder IS NULL OR $4 OR held_until < now())
     RETURNING 1`,
    [key.scope, key.clientMessageId, seen.holder, seen.ended, by.holder, by.process, by.leaseMs],
  );
  return rows.length > 0;
}

/** Tells that these holders still answer. */
export async function extendRequests(db: Queryable, holders: readonly string[], leaseMs: number): Promise<void> {
  await db.query(
    `UPDATE chat.requests SET held_until = now() + $2 * interval '1 millisecond' WHERE holder = ANY($1::uuid[])`,
    [holders, leaseMs],
  );
}

/** Leaves a question to whoever asks it again. */
export async function releaseRequest(db: Queryable, holder: string): Promise<void> {
  await db.query('UPDATE chat.requests SET holder = NULL, process = NULL, held_until = NULL WHERE holder = $1', [
    holder,
  ]);
}

/** An answer as it is stored. */
export interface NewAnswer {
  id: string;
  text: string;
  citations: readonly Citation[];
  model: string;
  notice: string | null;
}

/** Stores an answer and ends its request: both or neither. Null when `holder` does not hold the request any more. */
export async function finishRequest(db: Queryable, holder: string, answer: NewAnswer): Promise<Message | null> {
  const rows = await db.query<Message>(
    `WITH request AS (
       UPDATE chat.requests SET answer_id = $2, holder = NULL, process = NULL, held_until = NULL
       WHERE holder = $1 AND answer_id IS NULL RETURNING conversation_id, question_id
     ), message AS (
       INSERT INTO chat.messages (id, conversation_id, role, text, question_id, citations, model, notice)
       SELECT $2, conversation_id, 'ASSISTANT', $3, question_id, $4, $5, $6 FROM request RETURNING *
     )
     SELECT ${MESSAGE} FROM message JOIN chat.conversations AS conversation ON conversation.id = message.conversation_id`,
    [holder, answer.id, answer.text, JSON.stringify(answer.citations), answer.model, answer.notice],
  );
  return rows[0] ?? null;
}

/** A rated answer with its question, and nothing of who asked. */
export interface RatedAnswer {
  question: string;
  answer: string;
  citations: Citation[];
  productId: string | null;
  model: string | null;
  feedback: Feedback;
  reason: string | null;
  createdAt: Date;
}

/** All rated answers in the order in which they were given, read in blocks. */
export async function* ratedAnswers(db: Queryable, block = 500): AsyncGenerator<RatedAnswer, void, undefined> {
  let after = '0';
  while (true) {
    const rows = await db.query<RatedAnswer & { position: string }>(
      `SELECT question.text AS question, answer.text AS answer, answer.citations, question.product_id AS "productId",
         answer.model, answer.feedback, answer.feedback_reason AS reason, answer.created_at AS "createdAt",
         answer.position::text
       FROM chat.messages AS answer JOIN chat.messages AS question ON question.id = answer.question_id
       WHERE answer.feedback IS NOT NULL AND answer.position > $1::bigint
       ORDER BY answer.position LIMIT $2`,
      [after, block],
    );
    for (const { position, ...answer } of rows) {
      yield answer;
      after = position;
    }
    if (rows.length < block) return;
  }
}
