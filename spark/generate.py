"""Writes a seeded synthetic shop into the lake as one batch, with the truth that only its maker knows.

    python generate.py --lake URI [--users 5000] [--products 500] [--days 365] [--interactions 500000]
                       [--seed 42] [--end-date YYYY-MM-DD]

The same seed, inputs and end date give the same rows on any machine and any number of cores. Only the
catalogue and its calendar are made on the driver; users, events and sales are made by the executors in
blocks, so the cost grows with the number of events and no step holds them all.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "ml"))

import catalogue
import names
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import schemas
import shop as model
from common.protocol import JobError, log, progress, result, run_job
from lake import commit_batch, delete_generated
from outcome import keep_outcome
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import DateType, StructField, StructType
from session import explain_spark_failure, make_session
from storage import Storage, open_storage
from windows import held_out_days

# Rows of truth/preferences: enough for every use, small enough to read at once.
PREFERENCE_ROWS = 3_000_000
# One file holds about this many events; a day with more is split.
EVENTS_PER_FILE = 2_000_000


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lake", required=True, help="the lake: a path or an address")
    parser.add_argument("--users", type=int, default=5000)
    parser.add_argument("--products", type=int, default=500)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--interactions", type=int, default=500_000, help="events in all")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--end-date", type=date.fromisoformat, help="last day; default: yesterday, UTC")
    return parser.parse_args(arguments)


def main() -> None:
    options = parse_arguments()
    for name, least in (("users", 1), ("products", 1), ("days", 7), ("interactions", 1), ("seed", 0)):
        if getattr(options, name) < least:
            raise JobError("INVALID_INPUT", f"{name} must be at least {least}.")
    last = options.end_date or datetime.now(UTC).date() - timedelta(days=1)
    progress(0.0, "start Spark")
    spark = make_session("generate")
    lake = open_storage(options.lake, spark)
    keep_outcome(lake)
    result(
        generate(
            spark,
            lake,
            options.users,
            options.products,
            options.days,
            options.interactions,
            options.seed,
            last,
        )
    )


def generate(
    spark: SparkSession,
    lake: Storage,
    users: int,
    products: int,
    days: int,
    interactions: int,
    seed: int,
    last: date,
) -> dict[str, Any]:
    """Writes the batch, removes the generated batches before it, and returns {batch, counts, inputs}."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")[:-3]
    batch = f"generated-{stamp}z"
    root = f"raw/{batch}"
    inputs = {
        "users": users,
        "products": products,
        "days": days,
        "interactions": interactions,
        "seed": seed,
        "endDate": last.isoformat(),
    }
    progress(0.15, "make the catalogue")
    items = catalogue.make_catalogue(products, seed)
    shop = model.make_shop(items, users, days, interactions, seed, last)
    writer = _Writer(spark, lake, root, shop)
    counts = {"users": users, "products": products, "categories": len(catalogue.CATEGORIES)}
    try:
        writer.products(items)
        writer.categories()
        writer.users()
        progress(0.25, "write events")
        counts["events"] = writer.events()
        progress(0.6, "write sales")
        counts["sales"] = writer.sales()
        writer.demand()
        progress(0.8, "write true preferences")
        counts["preferences"] = writer.preferences()
        commit_batch(lake, batch, inputs, counts)
    except BaseException:
        lake.delete(root)
        raise
    delete_generated(lake, keep=batch)
    progress(1.0, "done")
    log(f"{batch}: {counts}")
    return {"batch": batch, "counts": counts, "inputs": inputs}


class _Writer:
    """One method per table of the batch."""

    def __init__(self, spark: SparkSession, lake: Storage, root: str, shop: model.Shop) -> None:
        self.spark, self.lake, self.root, self.shop = spark, lake, root, shop
        # Not a closure: the arrays go to every executor once.
        self.shared = spark.sparkContext.broadcast(shop)
        self.slots = spark.sparkContext.defaultParallelism

    def _save(self, frame: DataFrame, table: str, *partition: str) -> None:
        writer = frame.write.mode("error")
        if partition:
            writer = writer.partitionBy(*partition)
        writer.parquet(self.lake.uri(f"{self.root}/{table}"))

    def _blocks(
        self, count: int, rows: int, make: Callable[..., Iterator[pa.RecordBatch]], schema: StructType
    ) -> DataFrame:
        """A table made by `make(shop, block)` for the blocks 0 .. count - 1, of about `rows` rows in all."""
        shared = self.shared

        def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for batch in batches:
                for block in batch.column(0).to_pylist():
                    yield from make(shared.value, block)

        parts = max(1, min(count, max(self.slots, rows // 1_000_000)))
        return self.spark.range(0, count, 1, parts).mapInArrow(run, schema)

    def _by_date(self, frame: DataFrame, table: str, rows: int, *order: str) -> None:
        """Saves one folder per day with few files: rows of a day meet in one task before they are written."""
        files = max(1, round(rows / self.shop.days / EVENTS_PER_FILE))
        spread = [F.col("date")]
        if files > 1:
            spread.append(F.pmod(F.xxhash64(*order), F.lit(files)))
        parts = max(self.slots, rows // EVENTS_PER_FILE)
        self._save(frame.repartition(parts, *spread).sortWithinPartitions("date", *order), table, "date")

    def products(self, items: list[catalogue.Product]) -> None:
        shop = self.shop
        stock = _stock(shop)
        launch = dict(zip(shop.number.tolist(), shop.launch.tolist(), strict=True))
        midnight = datetime.combine(shop.first, time.min)
        table = pa.table(
            {
                "id": [item.id for item in items],
                "sku": [item.sku for item in items],
                "name": [item.name for item in items],
                "description": [item.description for item in items],
                "price": pa.array([float(item.price) for item in items], pa.float64()),
                "currency": ["JPY"] * len(items),
                "category_id": [item.category_id for item in items],
                "attributes": pa.array(
                    [list(item.attributes.items()) for item in items], pa.map_(pa.string(), pa.string())
                ),
                "stock": pa.array([stock[number] for number in range(len(items))], pa.int32()),
                "image_url": pa.nulls(len(items), pa.string()),
                "created_at": pa.array(
                    [midnight + timedelta(days=launch[number]) for number in range(len(items))],
                    pa.timestamp("us", tz="UTC"),
                ),
            }
        )
        self._save(self.spark.createDataFrame(table, schemas.PRODUCTS).coalesce(1), "products")

    def categories(self) -> None:
        rows = [(category.id, category.name, category.parent_id) for category in catalogue.CATEGORIES]
        self._save(self.spark.createDataFrame(rows, schemas.CATEGORIES).coalesce(1), "categories")

    def users(self) -> None:
        frame = self._blocks(self.shop.user_blocks, self.shop.users, _users, schemas.USERS)
        self._save(frame, "users")

    def events(self) -> int:
        rows = self.shop.interactions
        count = self.spark.sparkContext.accumulator(0)

        def make(shop: model.Shop, block: int) -> Iterator[pa.RecordBatch]:
            batch = _events(shop, block)
            count.add(batch.num_rows)
            yield batch

        schema = StructType([*schemas.EVENTS.fields, StructField("date", DateType())])
        self._by_date(
            self._blocks(self.shop.user_blocks, rows, make, schema), "events", rows, "occurred_at", "event_id"
        )
        return int(count.value)

    def sales(self) -> int:
        shop = self.shop
        rows = shop.products * shop.days
        schema = StructType([*schemas.SALES.fields, StructField("date", DateType())])
        self._by_date(self._blocks(shop.product_blocks, rows, _sales, schema), "sales", rows, "product_id")
        return int((shop.days - np.clip(shop.launch, 0, shop.days)).sum())

    def demand(self) -> None:
        shop = self.shop
        frame = self._blocks(shop.product_blocks, shop.products * shop.days, _demand, schemas.TRUTH_DEMAND)
        self._save(frame, "truth/demand")

    def preferences(self) -> int:
        shop = self.shop
        # Users are exchangeable, so the first ones are a sample.
        sample = min(shop.users, max(1, PREFERENCE_ROWS // shop.products))
        blocks = -(-sample // model.USERS_PER_BLOCK)

        def make(shop: model.Shop, block: int) -> Iterator[pa.RecordBatch]:
            yield _preferences(shop, block, sample)

        frame = self._blocks(blocks, sample * shop.products, make, schemas.TRUTH_PREFERENCES)
        self._save(frame, "truth/preferences")
        return sample * shop.products


def _ids(prefix: str, number: np.ndarray, width: int) -> pa.Array:
    """`u-000001` for number 0; null for negative numbers."""
    digits = pc.utf8_lpad(pc.cast(pa.array(number + 1), pa.string()), width, "0")
    ids = pc.binary_join_element_wise(pa.scalar(prefix), digits, "-")
    return pc.if_else(pa.array(number >= 0), ids, pa.scalar(None, pa.string()))


def _user_ids(shop: model.Shop, number: np.ndarray) -> pa.Array:
    return _ids("u", number, max(6, len(str(shop.users))))


def _product_ids(shop: model.Shop, position: np.ndarray) -> pa.Array:
    everything = _ids("p", shop.number, max(5, len(str(shop.products))))
    return everything.take(pa.array(position))


def _dates(shop: model.Shop, day: np.ndarray) -> pa.Array:
    return pa.array(np.datetime64(shop.first, "D") + day, pa.date32())


def _users(shop: model.Shop, block: int) -> Iterator[pa.RecordBatch]:
    users = model.make_users(shop, block, with_preference=False)
    given = [names.GIVEN_NAMES[int(u * len(names.GIVEN_NAMES))] for u in users.given]
    family = [names.FAMILY_NAMES[int(u * len(names.FAMILY_NAMES))] for u in users.family]
    full = [f"{first} {second}" for first, second in zip(given, family, strict=True)]
    yield pa.record_batch({"id": _user_ids(shop, users.number), "name": pa.array(full)})


def _events(shop: model.Shop, block: int) -> pa.RecordBatch:
    events = model.make_events(shop, model.make_users(shop, block), block)
    sequence = pc.cast(pa.array(events.sequence), pa.string())
    return pa.record_batch(
        {
            "event_id": pc.binary_join_element_wise(pa.scalar(f"e-{block}"), sequence, "-"),
            "user_id": _user_ids(shop, events.user),
            "product_id": _product_ids(shop, events.position),
            "type": pa.array(schemas.EVENT_TYPES).take(pa.array(events.kind)),
            "quantity": pa.array(events.quantity, pa.int32()),
            "occurred_at": pa.array(events.time, pa.timestamp("us", tz="UTC")),
            "price": pa.array(events.price, pa.float64()),
            "date": _dates(shop, events.recorded),
        }
    )


def _panel(shop: model.Shop, block: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions of a product block, the expected units [products, days], and which days are on sale."""
    start = block * model.PRODUCTS_PER_BLOCK
    position = np.arange(start, min(start + model.PRODUCTS_PER_BLOCK, shop.products))
    launched = np.arange(shop.days)[None, :] >= shop.launch[position][:, None]
    return position, model.expected_units(shop, position), launched


def _sales(shop: model.Shop, block: int) -> Iterator[pa.RecordBatch]:
    position, mean, launched = _panel(shop, block)
    units = model.draw_units(shop, block, position, mean)
    row, day = np.nonzero(launched)
    where = position[row]
    yield pa.record_batch(
        {
            "product_id": _product_ids(shop, where),
            "units": pa.array(units[row, day]),
            "price": pa.array(model.price_on(shop, where, day)),
            "promotion": pa.array(model.promotion(shop, where, day) > 0),
            "in_stock": pa.array(model.in_stock(shop, where, day)),
            "date": _dates(shop, day),
        }
    )


def _demand(shop: model.Shop, block: int) -> Iterator[pa.RecordBatch]:
    position, mean, launched = _panel(shop, block)
    row, day = np.nonzero(launched)
    yield pa.record_batch(
        {
            "product_id": _product_ids(shop, position[row]),
            "date": _dates(shop, day),
            "mean": pa.array(mean[row, day]),
        }
    )


def _preferences(shop: model.Shop, block: int, sample: int) -> pa.RecordBatch:
    users = model.make_users(shop, block)
    scores = model.preference_scores(shop, users, held_out_days(shop.days))
    kept = int((users.number < sample).sum())
    who = np.repeat(users.number[:kept], shop.products)
    position = np.tile(np.arange(shop.products), kept)
    return pa.record_batch(
        {
            "user_id": _user_ids(shop, who),
            "product_id": _product_ids(shop, position),
            "score": pa.array(scores[:kept].ravel(), pa.float32()),
        }
    )


def _stock(shop: model.Shop) -> dict[int, int]:
    """Pieces in stock at the end by product number: about two weeks of sales; none during a stock-out."""
    position = np.arange(shop.products)
    last = np.full(shop.products, shop.days - 1)
    pieces = 5 + np.ceil(14 * shop.level).astype(int)
    pieces = np.where(model.in_stock(shop, position, last), pieces, 0)
    return dict(zip(shop.number.tolist(), pieces.tolist(), strict=True))


if __name__ == "__main__":
    run_job(main, explain_spark_failure)
