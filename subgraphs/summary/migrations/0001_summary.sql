-- Up Migration

CREATE TABLE summary.summaries (
  id uuid PRIMARY KEY,
  -- Of a stored chat, which has one summary at most; null: a posted transcript.
  conversation_id uuid UNIQUE,
  -- Position of the last message that it covers, of a stored chat.
  through bigint,
  transcript jsonb NOT NULL,
  agent text COLLATE "C",
  summary text NOT NULL,
  key_issue text NOT NULL,
  resolution text NOT NULL,
  resolved boolean NOT NULL,
  -- What wrote it: a version of the registry, or 0 for a model that is not from there.
  model_name text NOT NULL,
  model_version integer NOT NULL,
  status text NOT NULL DEFAULT 'PENDING' CHECK (status IN ('PENDING', 'APPROVED', 'FLAGGED')),
  review_note text,
  reviewed_by text COLLATE "C",
  reviewed_at timestamptz(3),
  -- Milliseconds, as JavaScript has them: cursors carry this time.
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  -- What was said counts less than what the summary makes of it.
  words tsvector NOT NULL
);
CREATE INDEX summaries_newest ON summary.summaries (created_at DESC, id DESC);
CREATE INDEX summaries_by_status ON summary.summaries (status, created_at DESC, id DESC);
CREATE INDEX summaries_by_agent ON summary.summaries (agent, created_at DESC, id DESC);
CREATE INDEX summaries_by_word ON summary.summaries USING gin (words);

-- Down Migration
DROP TABLE summary.summaries;
