-- Up Migration

-- The sales of the dataset loaded last, as forecasts read them: a row for each period since the series began. Series are products
-- and, summed up once when a dataset is loaded, categories with those below them and the whole shop.
CREATE TABLE forecast.periods (
  granularity text NOT NULL CHECK (granularity IN ('day', 'week')),
  kind text NOT NULL CHECK (kind IN ('product', 'category', 'shop')),
  id text COLLATE "C" NOT NULL,
  date date NOT NULL, -- first day of the period
  units double precision NOT NULL,
  price double precision, -- null: unknown, or not a product
  promotion boolean NOT NULL DEFAULT false,
  in_stock boolean NOT NULL DEFAULT true,
  PRIMARY KEY (granularity, kind, id, date)
);

-- The series above a series: a product's category, a category's parent. One that has no sales of its own is not here.
CREATE TABLE forecast.parents (
  kind text NOT NULL,
  id text COLLATE "C" NOT NULL,
  category_id text COLLATE "C" NOT NULL,
  PRIMARY KEY (kind, id)
);

-- One row: the dataset loaded last. Null granularity: it has no sales.
CREATE TABLE forecast.dataset (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  data_version text,
  granularity text
);
INSERT INTO forecast.dataset DEFAULT VALUES;

-- Down Migration
DROP TABLE forecast.dataset, forecast.parents, forecast.periods;
