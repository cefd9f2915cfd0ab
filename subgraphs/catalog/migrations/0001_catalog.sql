-- Up Migration

-- Where a row comes from decides who may change it: loads of the lake replace rows of their own source, and the API's rows win.

CREATE TABLE catalog.categories (
  id text COLLATE "C" PRIMARY KEY,
  name text NOT NULL,
  -- Not a foreign key: a parent that the data lacks makes a root, it does not refuse the data.
  parent_id text COLLATE "C",
  source text NOT NULL CHECK (source IN ('generated', 'imported'))
);
CREATE INDEX categories_parent ON catalog.categories (parent_id);

CREATE TABLE catalog.users (
  id text COLLATE "C" PRIMARY KEY,
  name text NOT NULL,
  source text NOT NULL CHECK (source IN ('generated', 'imported'))
);

CREATE TABLE catalog.products (
  id text COLLATE "C" PRIMARY KEY,
  sku text COLLATE "C" NOT NULL,
  name text NOT NULL,
  description text NOT NULL,
  price numeric NOT NULL CHECK (price >= 0 AND price < 'Infinity'),
  currency text NOT NULL,
  category_id text COLLATE "C" NOT NULL REFERENCES catalog.categories,
  attributes jsonb NOT NULL DEFAULT '{}',
  -- Null: the source does not count stock, so the product can always be bought.
  stock integer CHECK (stock >= 0),
  image_url text,
  -- Milliseconds, so that cursors and JavaScript dates hold it exactly.
  created_at timestamptz(3) NOT NULL,
  source text NOT NULL CHECK (source IN ('generated', 'imported', 'api')),
  -- Whether the lake has this version of the row; only changes through the API make it false.
  in_lake boolean NOT NULL DEFAULT true,
  -- English finds other forms of a word, simple finds stop words, codes and the beginnings of words.
  search tsvector NOT NULL GENERATED ALWAYS AS (
    setweight(to_tsvector('pg_catalog.english', left(name, 1000)), 'A') ||
    setweight(to_tsvector('pg_catalog.simple', left(name, 1000) || ' ' || left(sku, 1000)), 'A') ||
    setweight(jsonb_to_tsvector('pg_catalog.english', attributes, '["string"]'), 'B') ||
    setweight(jsonb_to_tsvector('pg_catalog.simple', attributes, '["string"]'), 'B') ||
    setweight(to_tsvector('pg_catalog.english', left(description, 20000)), 'C') ||
    setweight(to_tsvector('pg_catalog.simple', left(description, 20000)), 'D')
  ) STORED
);
CREATE INDEX products_sku ON catalog.products (sku);
CREATE INDEX products_category ON catalog.products (category_id);
CREATE INDEX products_newest ON catalog.products (created_at, id);
CREATE INDEX products_price ON catalog.products (price, id);
CREATE INDEX products_name ON catalog.products ((left(lower(name), 100) COLLATE "C"), id);
CREATE INDEX products_attributes ON catalog.products USING gin (attributes jsonb_path_ops);
CREATE INDEX products_search ON catalog.products USING gin (search);
CREATE INDEX products_not_in_lake ON catalog.products (id) WHERE NOT in_lake;

-- Events as shoppers send them. A product may be deleted later, its events stay: they are history.
CREATE TABLE catalog.events (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  client_event_id text NOT NULL,
  user_id text COLLATE "C", -- null: a visitor
  product_id text COLLATE "C" NOT NULL,
  type text NOT NULL CHECK (type IN ('VIEW', 'ADD_TO_CART', 'PURCHASE')),
  quantity integer NOT NULL CHECK (quantity BETWEEN 1 AND 10000),
  price numeric, -- of one piece when the event arrived
  occurred_at timestamptz(3) NOT NULL,
  received_at timestamptz(3) NOT NULL DEFAULT now(),
  -- An event is recorded once per user. Visitors cannot be told apart, so they share one scope: their ids should be UUIDs.
  CONSTRAINT events_once UNIQUE NULLS NOT DISTINCT (user_id, client_event_id)
);
CREATE INDEX events_feed ON catalog.events (user_id, id);
CREATE INDEX events_viewed ON catalog.events (user_id, occurred_at) WHERE type = 'VIEW';

-- The published face of events: other subgraphs read what is newer than the dataset they loaded (`id` above its watermark).
CREATE VIEW catalog.event_feed AS
  SELECT id, user_id, product_id, type, quantity, occurred_at FROM catalog.events;

-- One row: what the lake has. `origin` keeps the batches of several databases on one lake apart.
CREATE TABLE catalog.exports (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  origin text NOT NULL DEFAULT left(gen_random_uuid()::text, 8),
  batches integer NOT NULL DEFAULT 0,
  events_through bigint NOT NULL DEFAULT 0
);
INSERT INTO catalog.exports DEFAULT VALUES;

-- Down Migration
DROP VIEW catalog.event_feed;
DROP TABLE catalog.exports, catalog.events, catalog.products, catalog.users, catalog.categories;
