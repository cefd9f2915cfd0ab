"""The clean tables of a dataset, each a function of checked rows."""

from __future__ import annotations

import splits
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from splits import Split

HISTORY_LENGTH = 200
GENERAL_CATEGORY = "c-general"

# How much more a cart and a purchase say than a view.
_CART, _PURCHASE = 3, 8


def interactions(events: DataFrame, split: Split, seed: int) -> DataFrame:
    """Counts per user, product and split; see schemas.INTERACTIONS. Visitors' events are left out."""
    signed_in = events.filter(F.col("user_id").isNotNull())

    def count(kind: str) -> Column:
        return F.count(F.when(F.col("type") == kind, 1)).cast("int")

    def pieces(kind: str, factor: int) -> Column:
        return F.sum(F.when(F.col("type") == kind, F.col("quantity") * F.lit(factor)).otherwise(0))

    keys = ["user_id", "product_id"]
    if split.kind == "time":
        signed_in = signed_in.withColumn("split", splits.by_time(split, "occurred_at"))
        keys.append("split")
    counted = signed_in.groupBy(*keys).agg(
        count("VIEW").alias("views"),
        count("ADD_TO_CART").alias("carts"),
        count("PURCHASE").alias("purchases"),
        F.sum("quantity").cast("double").alias("quantity"),
        F.log1p(pieces("VIEW", 1) + pieces("ADD_TO_CART", _CART) + pieces("PURCHASE", _PURCHASE)).alias(
            "weight"
        ),
        F.min("occurred_at").alias("first_at"),
        F.max("occurred_at").alias("last_at"),
    )
    if split.kind == "random":
        counted = splits.at_random(counted, seed)
    return counted.select(
        "user_id",
        "product_id",
        "split",
        "views",
        "carts",
        "purchases",
        "quantity",
        "weight",
        "first_at",
        "last_at",
    )


def histories(counted: DataFrame) -> DataFrame:
    """What each user has done over all splits, at most HISTORY_LENGTH products; from `interactions`."""
    whole = counted.groupBy("user_id", "product_id").agg(
        F.sum("views").cast("int").alias("views"),
        F.sum("carts").cast("int").alias("carts"),
        F.sum("purchases").cast("int").alias("purchases"),
        F.sum("quantity").alias("quantity"),
        # Rounded, because the sum of three logarithms depends on their order in the last bit.
        F.round(F.log1p(F.sum(F.round(F.expm1("weight")))), 9).alias("weight"),
        F.max("last_at").alias("last_at"),
    )
    order = Window.partitionBy("user_id").orderBy(
        F.col("last_at").desc_nulls_last(), F.col("weight").desc(), "product_id"
    )
    ranked = whole.withColumn("_at", F.row_number().over(order))
    return ranked.filter(F.col("_at") <= HISTORY_LENGTH).drop("_at")


def sales_of_events(events: DataFrame) -> DataFrame:
    """Units per product and day counted from purchases, for a shop without a ledger."""
    bought = events.filter((F.col("type") == "PURCHASE") & F.col("occurred_at").isNotNull())
    return bought.groupBy(F.to_date("occurred_at").alias("date"), "product_id").agg(
        F.sum("quantity").cast("double").alias("units"),
        F.round(F.avg("price"), 4).alias("price"),
        F.lit(None).cast("boolean").alias("promotion"),
        F.lit(None).cast("boolean").alias("in_stock"),
    )


def panel(sales: DataFrame, last: str, step_days: int) -> DataFrame:
    """One row per product and period, from the product's first period to `last`; see schemas.PANEL.

    A period without a row sold nothing: units 0, the last price known, no promotion, in stock.
    """
    periods = sales.groupBy("product_id").agg(F.min("date").alias("_first"))
    step = F.expr(f"interval {step_days} days")
    frame = periods.select(
        "product_id", F.explode(F.sequence("_first", F.lit(last).cast("date"), step)).alias("date")
    )
    known = Window.partitionBy("product_id").orderBy("date").rowsBetween(Window.unboundedPreceding, 0)
    joined = frame.join(sales, ["product_id", "date"], "left")
    return joined.select(
        "date",
        "product_id",
        F.coalesce("units", F.lit(0.0)).alias("units"),
        F.last("price", ignorenulls=True).over(known).alias("price"),
        F.coalesce("promotion", F.lit(False)).alias("promotion"),
        F.coalesce("in_stock", F.lit(True)).alias("in_stock"),
    )


def weekly(daily: DataFrame) -> DataFrame:
    """Complete Monday weeks of a daily panel. promotion: on any day; in_stock: on most days."""
    weeks = daily.groupBy(F.to_date(F.date_trunc("week", "date")).alias("week"), "product_id").agg(
        F.count(F.lit(1)).alias("_days"),
        F.round(F.sum("units"), 6).alias("units"),
        F.round(F.avg("price"), 4).alias("price"),
        F.max("promotion").alias("promotion"),
        (F.sum(F.col("in_stock").cast("int")) >= 4).alias("in_stock"),
    )
    return weeks.filter(F.col("_days") == 7).select(
        F.col("week").alias("date"), "product_id", "units", "price", "promotion", "in_stock"
    )


def strongest(rows: DataFrame, key: str) -> DataFrame:
    """Of rows with one key in several batches, that of the strongest (lowest `rank`)."""
    order = Window.partitionBy(key).orderBy(
        "rank", F.xxhash64(*[c for c in rows.columns if c not in ("rank", "attributes")])
    )
    return rows.withColumn("_at", F.row_number().over(order)).filter(F.col("_at") == 1).drop("_at", "rank")


def products(checked: DataFrame) -> DataFrame:
    """The dataset's products from the good rows of all batches."""
    return strongest(checked.drop("batch", "reason"), "id").select(
        F.col("id").alias("product_id"),
        F.coalesce("name", "id").alias("name"),
        F.coalesce("category_id", F.lit(GENERAL_CATEGORY)).alias("category_id"),
        "price",
        "created_at",
        "attributes",
    )


def products_of_ids(ids: DataFrame) -> DataFrame:
    """Products of a shop without a catalogue: `ids` has product_id."""
    return (
        ids.select("product_id")
        .distinct()
        .select(
            "product_id",
            F.col("product_id").alias("name"),
            F.lit(GENERAL_CATEGORY).alias("category_id"),
            F.lit(None).cast("double").alias("price"),
            F.lit(None).cast("timestamp").alias("created_at"),
            F.lit(None).cast("map<string,string>").alias("attributes"),
        )
    )


def categories(known: DataFrame | None, clean_products: DataFrame) -> DataFrame:
    """All known categories, and those that products name without anyone having described them."""
    used = clean_products.select(F.col("category_id").alias("id")).distinct()
    name = F.when(F.col("id") == GENERAL_CATEGORY, "General").otherwise(F.col("id"))
    named = used.select("id", name.alias("name"), F.lit(None).cast("string").alias("parent_id"))
    if known is None:
        return named
    described = strongest(known.filter(F.col("id").isNotNull()).drop("batch"), "id")
    return described.unionByName(named.join(described, "id", "left_anti"))
