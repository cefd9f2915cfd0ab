"""Which raw rows are bad, and why. Each check adds a column `reason`: null for a good row.

Bad rows go to `<lake>/quarantine/<table>/prepare/` with their reason, their batch and the row as JSON;
nothing is dropped in silence. Reasons:

    events    missing_event_id, missing_product, unknown_type, quantity_out_of_range, price_out_of_range,
              unknown_product, future_event, late_event, time_out_of_range, duplicate_event, missing_time
    sales     missing_product, missing_date, units_out_of_range, price_out_of_range, unknown_product,
              future_sales, duplicate_sales
    products  missing_product_id, price_out_of_range
"""

from __future__ import annotations

from datetime import datetime, timedelta

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from schemas import EVENT_TYPES

# Clocks of shoppers' devices run a little ahead.
CLOCK_TOLERANCE = timedelta(minutes=5)
# Counts are final after this time: an event recorded later would change a past that models have learned.
LATEST_DELIVERY = timedelta(days=30)
EARLIEST = datetime(1990, 1, 1)
MOST_PIECES = 10_000_000


def _blank(column: str) -> Column:
    return F.col(column).isNull() | (F.trim(F.col(column)) == "")


def _bad_price() -> Column:
    return F.col("price").isNotNull() & (F.isnan("price") | (F.col("price") < 0))


def _first_reason(*rules: tuple[str, Column]) -> Column:
    return F.coalesce(*[F.when(rule, F.lit(reason)) for reason, rule in rules])


def _mark_unknown(frame: DataFrame, known_products: DataFrame | None) -> DataFrame:
    """Adds `unknown`: the product is not in the catalogue. Without a catalogue every product is known."""
    if known_products is None:
        return frame.withColumn("unknown", F.lit(False))
    known = known_products.select("product_id").withColumn("known", F.lit(True))
    marked = frame.join(F.broadcast(known), "product_id", "left")
    return marked.withColumn("unknown", F.col("known").isNull()).drop("known")


def check_events(events: DataFrame, known_products: DataFrame | None, as_of: datetime) -> DataFrame:
    """`events` have the lake's columns, `date` (recorded), `batch` and `rank` (strongest batch first)."""
    recorded_late = F.datediff("date", F.to_date("occurred_at")) > LATEST_DELIVERY.days
    marked = _mark_unknown(events, known_products).withColumn(
        "reason",
        _first_reason(
            ("missing_event_id", _blank("event_id")),
            ("missing_product", _blank("product_id")),
            ("unknown_type", F.col("type").isNull() | ~F.col("type").isin(*EVENT_TYPES)),
            (
                "quantity_out_of_range",
                F.col("quantity").isNull() | ~F.col("quantity").between(1, MOST_PIECES),
            ),
            ("price_out_of_range", _bad_price()),
            ("unknown_product", F.col("unknown")),
            ("future_event", F.col("occurred_at") > F.lit(as_of + CLOCK_TOLERANCE)),
            ("late_event", recorded_late),
            ("time_out_of_range", F.col("occurred_at") < F.lit(EARLIEST)),
        ),
    )
    # Of repeated deliveries the first good one stays; the order makes the choice the same in every run.
    order = Window.partitionBy("event_id").orderBy(
        F.col("reason").isNotNull(),
        "occurred_at",
        "rank",
        "user_id",
        "product_id",
        "type",
        "quantity",
        "price",
    )
    return (
        marked.drop("unknown")
        .withColumn("user_id", F.when(~_blank("user_id"), F.col("user_id")))
        .withColumn("copy", F.row_number().over(order))
        .withColumn(
            "reason",
            F.when((F.col("copy") > 1) & F.col("reason").isNull(), "duplicate_event").otherwise(
                F.col("reason")
            ),
        )
        .drop("copy", "rank")
    )


def check_sales(sales: DataFrame, known_products: DataFrame | None, as_of: datetime) -> DataFrame:
    """`sales` have the lake's columns, `date`, `batch` and `rank`."""
    marked = _mark_unknown(sales, known_products).withColumn(
        "reason",
        _first_reason(
            ("missing_product", _blank("product_id")),
            ("missing_date", F.col("date").isNull()),
            ("units_out_of_range", F.col("units").isNull() | F.isnan("units") | (F.col("units") < 0)),
            ("price_out_of_range", _bad_price()),
            ("unknown_product", F.col("unknown")),
            ("future_sales", F.col("date") > F.lit(as_of.date())),
        ),
    )
    order = Window.partitionBy("product_id", "date").orderBy(
        F.col("reason").isNotNull(), "rank", "units", "price", "promotion", "in_stock"
    )
    return (
        marked.drop("unknown")
        .withColumn("copy", F.row_number().over(order))
        .withColumn(
            "reason",
            F.when((F.col("copy") > 1) & F.col("reason").isNull(), "duplicate_sales").otherwise(
                F.col("reason")
            ),
        )
        .drop("copy", "rank")
    )


def check_products(products: DataFrame) -> DataFrame:
    """`products` have the lake's columns, `batch` and `rank`."""
    rules = (("missing_product_id", _blank("id")), ("price_out_of_range", _bad_price()))
    return products.withColumn("reason", _first_reason(*rules))


def quarantined(checked: DataFrame) -> DataFrame:
    """The bad rows as the quarantine holds them: reason, batch, row."""
    row = F.struct(*[name for name in checked.columns if name not in ("reason", "batch")])
    return checked.filter(F.col("reason").isNotNull()).select("reason", "batch", F.to_json(row).alias("row"))
