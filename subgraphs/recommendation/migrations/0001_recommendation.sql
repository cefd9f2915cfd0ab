-- Up Migration

-- What each user did, over all splits of the dataset loaded last. Tracked events that are newer are added when a history is read.
CREATE TABLE recommendation.histories (
  user_id text COLLATE "C" NOT NULL,
  product_id text COLLATE "C" NOT NULL,
  views integer NOT NULL,
  carts integer NOT NULL,
  purchases integer NOT NULL,
  weight double precision NOT NULL, -- ln(1 + points): a view 1, a cart 3, a purchase 8 points a piece
  last_at timestamptz, -- null: the source has no times
  PRIMARY KEY (user_id, product_id)
);

-- Of the same dataset: points of all users, each interaction halved per 14 days before the newest one.
CREATE TABLE recommendation.popularity (
  product_id text COLLATE "C" PRIMARY KEY,
  points double precision NOT NULL
);

-- One row: the dataset loaded last.
CREATE TABLE recommendation.dataset (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  data_version text,
  -- Tracked events that the dataset contains: ids up to this one which happened no later than covered_until.
  events_through bigint NOT NULL DEFAULT 0,
  covered_until timestamptz -- null: the dataset has no times
);
INSERT INTO recommendation.dataset DEFAULT VALUES;

-- Down Migration
DROP TABLE recommendation.dataset, recommendation.popularity, recommendation.histories;
