-- Up Migration

-- How far the features and predictions of a model version have moved since its training, as last looked at on each day.
CREATE TABLE pipeline.drift (
  name text NOT NULL,
  version integer NOT NULL,
  day date NOT NULL,
  feature text NOT NULL,
  -- Population stability index. PostgreSQL sorts NaN above infinity.
  psi double precision NOT NULL CHECK (psi >= 0 AND psi < 'Infinity'),
  PRIMARY KEY (name, version, day, feature)
);
CREATE INDEX drift_oldest ON pipeline.drift (day);

-- Down Migration
DROP TABLE pipeline.drift;
