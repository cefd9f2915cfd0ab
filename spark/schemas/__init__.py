"""The written schema of every Parquet table: the lake's raw tables and the dataset's clean ones.

All timestamps are UTC with microseconds. A column marked "required" here must never be null in clean
data; raw tables are read with everything nullable, because what comes from outside decides for itself,
and `quality.py` finds the rows that break the rule.
"""

from __future__ import annotations

from pyspark.sql.types import (
    BooleanType,
    DateType,
    DoubleType,
    FloatType,
    IntegerType,
    MapType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

EVENT_TYPES = ("VIEW", "ADD_TO_CART", "PURCHASE")


def _table(*columns: tuple[str, object]) -> StructType:
    return StructType([StructField(name, kind, nullable=True) for name, kind in columns])


_STRING, _INT, _DOUBLE = StringType(), IntegerType(), DoubleType()
_TIME, _DATE, _BOOLEAN, _FLOAT = TimestampType(), DateType(), BooleanType(), FloatType()
_ATTRIBUTES = MapType(StringType(), StringType(), valueContainsNull=True)

# ---------------------------------------------------------------- lake: <lake>/raw/<batch>/<table>/

# What shoppers did. Partitioned by `date`, the UTC day of occurred_at (null partition: no times known).
EVENTS = _table(
    ("event_id", _STRING),  # required, unique: the same id again is a repeated delivery
    ("user_id", _STRING),  # null: a visitor who is not signed in
    ("product_id", _STRING),  # required
    ("type", _STRING),  # required, one of EVENT_TYPES
    ("quantity", _INT),  # required, at least 1; a count of events when the source only has counts
    ("occurred_at", _TIME),  # null when the source has no times
    ("price", _DOUBLE),  # price of one piece at that moment, in the shop's currency; null: unknown
)

# The sales ledger over all channels. Partitioned by `date`: the day, or the first day of the week.
SALES = _table(
    ("product_id", _STRING),  # required
    ("units", _DOUBLE),  # required, at least 0
    ("price", _DOUBLE),  # price of one piece in that period; null: unknown
    ("promotion", _BOOLEAN),  # a price promotion ran; null: unknown
    ("in_stock", _BOOLEAN),  # could be bought; null: unknown
)

PRODUCTS = _table(
    ("id", _STRING),
    ("sku", _STRING),
    ("name", _STRING),
    ("description", _STRING),
    ("price", _DOUBLE),
    ("currency", _STRING),  # ISO 4217
    ("category_id", _STRING),
    ("attributes", _ATTRIBUTES),
    ("stock", _INT),
    ("image_url", _STRING),
    ("created_at", _TIME),  # when the shop began to sell it; null: unknown
)

CATEGORIES = _table(("id", _STRING), ("name", _STRING), ("parent_id", _STRING))

USERS = _table(("id", _STRING), ("name", _STRING))

# What only a generator knows: the probability that a view of this user in the test window is of this
# product. Ranking by it is the best possible ranking. A bounded sample of users, all products of each.
TRUTH_PREFERENCES = _table(("user_id", _STRING), ("product_id", _STRING), ("score", _FLOAT))

# The expected units of the process behind the ledger; 0 on days without stock.
TRUTH_DEMAND = _table(("product_id", _STRING), ("date", _DATE), ("mean", _DOUBLE))

# ------------------------------------------------------- dataset: <store>/datasets/<dataVersion>/<table>/

# One row per user, product and split.
INTERACTIONS = _table(
    ("user_id", _STRING),
    ("product_id", _STRING),
    ("split", _STRING),  # train, valid or test
    ("views", _INT),  # events of each type
    ("carts", _INT),
    ("purchases", _INT),
    ("quantity", _DOUBLE),  # sum of the quantities of all types
    ("weight", _DOUBLE),  # ln(1 + views + 3 carts + 8 purchases), each counted with its quantity
    ("first_at", _TIME),  # null when no event of the row has a time
    ("last_at", _TIME),
)

# What a user has done over all splits; the most recent (without times: the heaviest) 200 products each.
HISTORIES = _table(
    ("user_id", _STRING),
    ("product_id", _STRING),
    ("views", _INT),
    ("carts", _INT),
    ("purchases", _INT),
    ("quantity", _DOUBLE),
    ("weight", _DOUBLE),
    ("last_at", _TIME),
)

DATASET_PRODUCTS = _table(
    ("product_id", _STRING),
    ("name", _STRING),
    ("category_id", _STRING),
    ("price", _DOUBLE),
    ("created_at", _TIME),
    ("attributes", _ATTRIBUTES),
)

# A complete panel: one row per product and period from the product's first period to the last of all.
PANEL = _table(
    ("date", _DATE),  # the day, or the first day of the week
    ("product_id", _STRING),
    ("units", _DOUBLE),
    ("price", _DOUBLE),  # null: unknown
    ("promotion", _BOOLEAN),
    ("in_stock", _BOOLEAN),
)
