-- Up Migration

-- What which version of the recommender showed to whom, first. Kept for TRAFFIC_DAYS, to count what came of it.
CREATE TABLE recommendation.shown (
  user_id text COLLATE "C" NOT NULL,
  product_id text COLLATE "C" NOT NULL,
  version integer NOT NULL,
  shown_at timestamptz(3) NOT NULL,
  PRIMARY KEY (user_id, product_id, version)
);
CREATE INDEX shown_oldest ON recommendation.shown (shown_at);

-- Down Migration
DROP TABLE recommendation.shown;
