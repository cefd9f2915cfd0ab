-- Up Migration

CREATE TABLE chat.conversations (
  id uuid PRIMARY KEY,
  -- The subject of its owner's tokens. Null: a visitor's, who proves it by the signature in the id.
  owner text COLLATE "C",
  -- Milliseconds, as JavaScript has them.
  created_at timestamptz(3) NOT NULL DEFAULT now()
);

CREATE TABLE chat.messages (
  id uuid PRIMARY KEY,
  conversation_id uuid NOT NULL REFERENCES chat.conversations ON DELETE CASCADE,
  -- The order of a conversation; times can be equal.
  position bigint GENERATED ALWAYS AS IDENTITY,
  role text NOT NULL CHECK (role IN ('USER', 'ASSISTANT', 'AGENT')),
  text text NOT NULL,
  -- Of a question: the product that was under view, whether the catalogue still has it or not.
  product_id text COLLATE "C",
  -- Of an answer: what it answers.
  question_id uuid REFERENCES chat.messages ON DELETE CASCADE,
  -- Of an answer: what it cites, in the order of its numbers: [{"productId", "snippet", "score"}].
  citations jsonb NOT NULL DEFAULT '[]',
  model text,
  notice text,
  feedback text CHECK (feedback IN ('UP', 'DOWN')),
  feedback_reason text,
  created_at timestamptz(3) NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX messages_in_order ON chat.messages (conversation_id, position);
CREATE UNIQUE INDEX messages_one_answer ON chat.messages (question_id) WHERE question_id IS NOT NULL;
CREATE INDEX messages_rated ON chat.messages (position) WHERE feedback IS NOT NULL;

-- What makes a retry a replay: one row for each question, by who asks and the id the client gave it.
CREATE TABLE chat.requests (
  -- user:SUBJECT, conversation:UUID of a visitor, or visitor: a visitor's question that began a conversation.
  scope text COLLATE "C" NOT NULL,
  client_message_id text COLLATE "C" NOT NULL,
  -- Hash of what was asked: the same id with another question is refused.
  content bytea NOT NULL,
  conversation_id uuid NOT NULL REFERENCES chat.conversations ON DELETE CASCADE,
  -- Whether this question began its conversation.
  began boolean NOT NULL,
  question_id uuid NOT NULL REFERENCES chat.messages ON DELETE CASCADE,
  -- Null: not answered yet.
  answer_id uuid REFERENCES chat.messages ON DELETE CASCADE,
  -- Who is answering: a token of the one run, and the process it runs in. Null: nobody.
  holder uuid,
  process uuid,
  held_until timestamptz(3),
  PRIMARY KEY (scope, client_message_id)
);
CREATE INDEX requests_held ON chat.requests (holder) WHERE holder IS NOT NULL;
CREATE INDEX requests_conversation ON chat.requests (conversation_id);

-- Keys that this instance made for itself.
CREATE TABLE chat.secrets (
  name text PRIMARY KEY,
  value bytea NOT NULL
);

-- Down Migration
DROP TABLE chat.secrets, chat.requests, chat.messages, chat.conversations;
