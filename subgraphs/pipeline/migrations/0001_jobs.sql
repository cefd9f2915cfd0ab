-- Up Migration

-- The jobs as a person sees them. What delivers them to workers (pg-boss) lives in the schema pipeline_queue and
-- decides nothing: it may deliver a job twice, and only this table says who runs it.
CREATE TABLE pipeline.jobs (
  id uuid PRIMARY KEY,
  kind text NOT NULL,
  -- Jobs of one lane run one after another.
  lane text NOT NULL,
  status text NOT NULL DEFAULT 'QUEUED' CHECK (status IN ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED')),
  progress double precision NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 1),
  stage text,
  input jsonb NOT NULL,
  requested_by text,
  -- Runs that count: one that a worker gave back when it was told to stop does not.
  attempts integer NOT NULL DEFAULT 0,
  -- Fencing token: grows with every run, and a worker may write only under the run that it was given.
  run integer NOT NULL DEFAULT 0,
  worker text,
  heartbeat_at timestamptz(3),
  cancel_requested_at timestamptz(3),
  -- Not jsonb: that would sort the keys, which come in an order that reads well.
  result json,
  error text,
  error_code text,
  log_lines bigint NOT NULL DEFAULT 0,
  -- Milliseconds, as JavaScript has them: cursors carry this time.
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  started_at timestamptz(3),
  finished_at timestamptz(3)
);

CREATE INDEX jobs_newest ON pipeline.jobs (created_at DESC, id DESC);
CREATE UNIQUE INDEX jobs_one_running_per_lane ON pipeline.jobs (lane) WHERE status = 'RUNNING';

CREATE TABLE pipeline.job_logs (
  job_id uuid NOT NULL REFERENCES pipeline.jobs (id) ON DELETE CASCADE,
  id bigint GENERATED ALWAYS AS IDENTITY,
  line text NOT NULL,
  PRIMARY KEY (job_id, id)
);

-- Whoever listens on pipeline_job hears the id of every job that changed in a way that can be seen.
CREATE FUNCTION pipeline.notify_job() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('pipeline_job', NEW.id::text);
  RETURN NULL;
END
$$;

CREATE TRIGGER job_created AFTER INSERT ON pipeline.jobs
  FOR EACH ROW EXECUTE FUNCTION pipeline.notify_job();

CREATE TRIGGER job_changed AFTER UPDATE ON pipeline.jobs
  FOR EACH ROW WHEN (
    (OLD.status, OLD.progress, OLD.stage, OLD.attempts, OLD.run, OLD.cancel_requested_at, OLD.log_lines)
    IS DISTINCT FROM
    (NEW.status, NEW.progress, NEW.stage, NEW.attempts, NEW.run, NEW.cancel_requested_at, NEW.log_lines)
  ) EXECUTE FUNCTION pipeline.notify_job();

-- Down Migration
DROP TABLE pipeline.job_logs;
DROP TABLE pipeline.jobs;
DROP FUNCTION pipeline.notify_job;
