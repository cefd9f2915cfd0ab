"""What spark/prepare.py makes of a generated shop, made by DuckDB: the same checks, the same tables.

    PYTHONPATH=spark:ml python duckdb_prepare.py --lake DIR --out DIR --as-of RFC3339 --memory 3GB

For distance and for doubt: an engine of one process beside Spark, and tables to compare (compare.py). Only for one batch with
events, a daily ledger and a catalogue, which is what generate.py writes; prepare.py also does without any of them.
Result: {"rows": {table: rows}, "quarantine": {reason: rows}}.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from datetime import datetime

import duckdb
from common.protocol import result
from lake import committed_batches
from splits import time_split
from storage import LocalStorage

_CHECKED_PRODUCTS = """
CREATE TEMP TABLE products AS
SELECT id AS product_id, coalesce(name, id) AS name, coalesce(category_id, 'c-general') AS category_id,
       price, created_at, attributes
FROM (
    SELECT *, row_number() OVER (PARTITION BY id ORDER BY id) AS copy
    FROM read_parquet('{raw}/products/*.parquet')
    WHERE trim(coalesce(id, '')) <> '' AND (price IS NULL OR (NOT isnan(price) AND price >= 0))
)
WHERE copy = 1
"""

_CHECKED_EVENTS = """
CREATE TEMP TABLE events AS
WITH marked AS (
    SELECT e.event_id, nullif(trim(e.user_id), '') AS user_id, e.product_id, e.type, e.quantity, e.occurred_at, e.price,
           CASE
               WHEN trim(coalesce(e.event_id, '')) = '' THEN 'missing_event_id'
               WHEN trim(coalesce(e.product_id, '')) = '' THEN 'missing_product'
               WHEN e.type IS NULL OR e.type NOT IN ('VIEW', 'ADD_TO_CART', 'PURCHASE') THEN 'unknown_type'
               WHEN e.quantity IS NULL OR e.quantity NOT BETWEEN 1 AND 10000000 THEN 'quantity_out_of_range'
               WHEN e.price IS NOT NULL AND (isnan(e.price) OR e.price < 0) THEN 'price_out_of_range'
               WHEN p.product_id IS NULL THEN 'unknown_product'
               WHEN e.occurred_at > TIMESTAMPTZ '{as_of}' + INTERVAL 5 MINUTE THEN 'future_event'
               WHEN e.date - CAST(e.occurred_at AS DATE) > 30 THEN 'late_event'
               WHEN e.occurred_at < TIMESTAMPTZ '1990-01-01 00:00:00+00' THEN 'time_out_of_range'
           END AS wrong
    FROM read_parquet('{raw}/events/*/*.parquet', hive_partitioning = true, hive_types = {{'date': DATE}}) e
    LEFT JOIN products p ON p.product_id = e.product_id
), numbered AS (
    SELECT *, row_number() OVER (
        PARTITION BY event_id
        ORDER BY wrong IS NOT NULL, occurred_at NULLS FIRST, user_id NULLS FIRST, product_id, type, quantity, price NULLS FIRST
    ) AS copy
    FROM marked
)
SELECT * EXCLUDE (wrong, copy), CASE WHEN wrong IS NULL AND copy > 1 THEN 'duplicate_event' ELSE wrong END AS reason
FROM numbered
"""

_CHECKED_SALES = """
CREATE TEMP TABLE ledger AS
WITH marked AS (
    SELECT s.*,
           CASE
               WHEN trim(coalesce(s.product_id, '')) = '' THEN 'missing_product'
               WHEN s.date IS NULL THEN 'missing_date'
               WHEN s.units IS NULL OR isnan(s.units) OR s.units < 0 THEN 'units_out_of_range'
               WHEN s.price IS NOT NULL AND (isnan(s.price) OR s.price < 0) THEN 'price_out_of_range'
               WHEN p.product_id IS NULL THEN 'unknown_product'
               WHEN s.date > CAST(TIMESTAMPTZ '{as_of}' AS DATE) THEN 'future_sales'
           END AS wrong
    FROM read_parquet('{raw}/sales/*/*.parquet', hive_partitioning = true, hive_types = {{'date': DATE}}) s
    LEFT JOIN products p ON p.product_id = s.product_id
), numbered AS (
    SELECT *, row_number() OVER (
        PARTITION BY product_id, date
        ORDER BY wrong IS NOT NULL, units, price NULLS FIRST, promotion NULLS FIRST, in_stock NULLS FIRST
    ) AS copy
    FROM marked
)
SELECT * EXCLUDE (wrong, copy), CASE WHEN wrong IS NULL AND copy > 1 THEN 'duplicate_sales' ELSE wrong END AS reason
FROM numbered
"""

# Each is written, and then read again by those after it, as in prepare.py.
_TABLES = {
    "interactions": """
        SELECT user_id, product_id,
               CASE WHEN CAST(occurred_at AS DATE) <= DATE '{train_end}' THEN 'train'
                    WHEN CAST(occurred_at AS DATE) <= DATE '{valid_end}' THEN 'valid' ELSE 'test' END AS split,
               CAST(count(*) FILTER (type = 'VIEW') AS INTEGER) AS views,
               CAST(count(*) FILTER (type = 'ADD_TO_CART') AS INTEGER) AS carts,
               CAST(count(*) FILTER (type = 'PURCHASE') AS INTEGER) AS purchases,
               CAST(sum(quantity) AS DOUBLE) AS quantity,
               ln(1 + sum(quantity * CASE type WHEN 'VIEW' THEN 1 WHEN 'ADD_TO_CART' THEN 3 ELSE 8 END)) AS weight,
               min(occurred_at) AS first_at, max(occurred_at) AS last_at
        FROM events WHERE reason IS NULL AND user_id IS NOT NULL
        GROUP BY ALL""",
    "histories": """
        SELECT * EXCLUDE (place) FROM (
            SELECT *, row_number() OVER (
                PARTITION BY user_id ORDER BY last_at DESC NULLS LAST, weight DESC, product_id
            ) AS place
            FROM (
                SELECT user_id, product_id, CAST(sum(views) AS INTEGER) AS views, CAST(sum(carts) AS INTEGER) AS carts,
                       CAST(sum(purchases) AS INTEGER) AS purchases, sum(quantity) AS quantity,
                       round(ln(1 + sum(round(exp(weight) - 1))), 9) AS weight, max(last_at) AS last_at
                FROM read_parquet('{out}/interactions/*.parquet') GROUP BY ALL
            )
        ) WHERE place <= 200""",
    "sales": """
        SELECT d.date, d.product_id, coalesce(s.units, 0.0) AS units,
               last_value(s.price IGNORE NULLS) OVER (
                   PARTITION BY d.product_id ORDER BY d.date ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
               ) AS price,
               coalesce(s.promotion, false) AS promotion, coalesce(s.in_stock, true) AS in_stock
        FROM (
            SELECT product_id, CAST(unnest(generate_series(
                       min(date), (SELECT max(date) FROM ledger WHERE reason IS NULL), INTERVAL 1 DAY)) AS DATE) AS date
            FROM ledger WHERE reason IS NULL GROUP BY product_id
        ) d
        LEFT JOIN (FROM ledger WHERE reason IS NULL) s ON s.product_id = d.product_id AND s.date = d.date""",
    "sales_weekly": """
        SELECT CAST(date_trunc('week', date) AS DATE) AS date, product_id, round(sum(units), 6) AS units,
               round(avg(price), 4) AS price, bool_or(promotion) AS promotion,
               count(*) FILTER (in_stock) >= 4 AS in_stock
        FROM read_parquet('{out}/sales/*.parquet') GROUP BY 1, 2 HAVING count(*) = 7""",
    "products": "SELECT * FROM products",
    "categories": "SELECT id, name, parent_id FROM read_parquet('{raw}/categories/*.parquet')",
    "truth_preferences": "SELECT * FROM read_parquet('{raw}/truth/preferences/*.parquet')",
    "truth_demand": "SELECT * FROM read_parquet('{raw}/truth/demand/*.parquet')",
}


def prepare(lake: LocalStorage, out: str, as_of: datetime, memory: str) -> dict[str, dict[str, int]]:
    """Writes each table as Parquet into a folder below `out`. @returns rows of each, and of each reason"""
    (batch,) = committed_batches(lake)
    raw = lake.path(batch.path)
    os.makedirs(out)
    with tempfile.TemporaryDirectory() as scratch, duckdb.connect(f"{scratch}/tables.duckdb") as database:
        for setting in (
            f"memory_limit = '{memory}'",
            f"temp_directory = '{scratch}'",
            "TimeZone = 'UTC'",
            "preserve_insertion_order = false",
        ):
            database.execute(f"SET {setting}")
        return _prepare(database, raw, out, as_of)


def _prepare(
    database: duckdb.DuckDBPyConnection, raw: str, out: str, as_of: datetime
) -> dict[str, dict[str, int]]:
    names = {"raw": raw, "out": out, "as_of": as_of.isoformat()}
    for statement in (_CHECKED_PRODUCTS, _CHECKED_EVENTS, _CHECKED_SALES):
        database.execute(statement.format(**names))
    summary = database.execute(
        "SELECT reason, CAST(occurred_at AS DATE) AS day, count(*) FROM events GROUP BY ALL"
    ).fetchall()
    split = time_split({day: count for reason, day, count in summary if reason is None})
    names |= {"train_end": split.trainEnd, "valid_end": split.validEnd}
    bad: dict[str, int] = {}
    for reason, _, count in summary:
        if reason is not None:
            bad[reason] = bad.get(reason, 0) + count
    database.execute(
        f"COPY (SELECT * FROM events WHERE reason IS NOT NULL) TO '{out}/quarantine.parquet' (COMPRESSION snappy)"
    )
    rows = {}
    for table, query in _TABLES.items():
        os.makedirs(f"{out}/{table}")
        target = f"{out}/{table}/part.parquet"
        database.execute(f"COPY ({query.format(**names)}) TO '{target}' (COMPRESSION snappy)")
        # The fingerprint from which prepare.py makes the dataset's version.
        fingerprint = f"SELECT count(*), sum(hash(row)) FROM read_parquet('{target}') row"
        rows[table], _ = database.execute(fingerprint).fetchone()
    return {"rows": rows, "quarantine": dict(sorted(bad.items()))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lake", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--as-of", required=True, type=datetime.fromisoformat)
    parser.add_argument("--memory", default="3GB", help="of DuckDB; what does not fit goes to the disk")
    options = parser.parse_args()
    result(prepare(LocalStorage(options.lake), os.path.abspath(options.out), options.as_of, options.memory))


if __name__ == "__main__":
    main()
