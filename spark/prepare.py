"""Turns the lake's raw batches into a clean, versioned dataset in the store.

    python prepare.py --lake URI --store URI [--as-of RFC3339] [--seed 42]

Every raw row is checked (quality.py); bad ones go to the lake's quarantine with their reason. What is
missing is done without: no events, no sales, no catalogue, no times, weekly instead of daily sales.
The same content gives the same `dataVersion`, and is then not written again.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "ml"))

import quality
import schemas
import tables
from common.protocol import JobError, log, progress, result, run_job
from dataset import DatasetWriter
from lake import Batch, committed_batches
from outcome import keep_outcome
from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import DateType, StructField, StructType
from session import explain_spark_failure, make_session
from splits import Split, time_split
from storage import Storage, open_storage

# A task sorts about this many rows, which fits its memory: what does not, it would write to the disk and merge.
_ROWS_PER_TASK = 1_000_000

_DATED = StructType([StructField("date", DateType())])


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lake", required=True, help="the lake: a path or an address")
    parser.add_argument("--store", required=True, help="where datasets go: a path or an address")
    parser.add_argument(
        "--as-of", type=datetime.fromisoformat, help="events after it are in the future; default: now"
    )
    parser.add_argument(
        "--seed", type=int, default=42, help="of the random split, where events have no times"
    )
    return parser.parse_args(arguments)


def main() -> None:
    options = parse_arguments()
    as_of = options.as_of or datetime.now(UTC)
    as_of = as_of.astimezone(UTC) if as_of.tzinfo else as_of.replace(tzinfo=UTC)
    progress(0.0, "start Spark")
    spark = make_session("prepare")
    lake, store = open_storage(options.lake, spark), open_storage(options.store, spark)
    keep_outcome(lake)
    result(prepare(spark, lake, store, as_of, options.seed))


def prepare(spark: SparkSession, lake: Storage, store: Storage, as_of: datetime, seed: int) -> dict[str, Any]:
    """Writes the dataset and returns {dataVersion, fresh, counts, quarantine, split, ...}, the manifest."""
    batches = committed_batches(lake)
    if not any({"events", "sales"} & batch.tables for batch in batches):
        raise JobError("LAKE_EMPTY", "The lake holds no events and no sales; generate or import data first.")
    tasks = max(spark.sparkContext.defaultParallelism, sum(batch.rows for batch in batches) // _ROWS_PER_TASK)
    spark.conf.set("spark.sql.shuffle.partitions", str(tasks))
    writer = DatasetWriter(spark, store)
    job = _Preparation(spark, lake, writer, batches, as_of, seed)
    try:
        return job.run()
    except BaseException:
        writer.discard()
        raise
    finally:
        spark.catalog.clearCache()


@dataclass
class _Checked:
    """Checked rows of one table, and how many of them are bad, by reason."""

    rows: DataFrame
    bad: dict[str, int]

    @property
    def good(self) -> DataFrame:
        return self.rows.filter(F.col("reason").isNull())


class _Preparation:
    def __init__(
        self,
        spark: SparkSession,
        lake: Storage,
        writer: DatasetWriter,
        batches: list[Batch],
        as_of: datetime,
        seed: int,
    ) -> None:
        self.spark, self.lake, self.writer = spark, lake, writer
        self.batches, self.as_of, self.seed = batches, as_of, seed
        self.visitors = 0

    def run(self) -> dict[str, Any]:
        progress(0.15, "check the catalogue")
        catalogue = self._checked_products()
        known = tables.products(catalogue.good).cache() if catalogue else None
        known_ids = known.select("product_id") if known is not None else None

        progress(0.2, "check events")
        events, per_day, split = self._checked_events(known_ids)
        progress(0.4, "check sales")
        ledger = self._checked_sales(known_ids)
        for table, checked in (("products", catalogue), ("events", events), ("sales", ledger)):
            self._quarantine(table, checked)
        has_events = events is not None and split is not None
        bad = _merge(*[checked.bad for checked in (catalogue, events, ledger) if checked])

        clean_events = events.good if has_events else None
        sales, granularity, dates = self._sales(ledger, clean_events)
        if not has_events and sales is None:
            worst = max(bad, key=lambda reason: bad[reason]) if bad else "no rows"
            raise JobError(
                "NO_VALID_ROWS", f"No row of the lake passed the checks; the most common reason: {worst}."
            )
        if split is None:
            # The days of sales say where the test begins when nobody has looked at anything.
            split = time_split(
                dict.fromkeys(dates, 1), max(dates) + timedelta(days=6 if granularity == "week" else 0)
            )

        progress(0.5, "count interactions")
        users = 0
        if clean_events is not None:
            counted = self.writer.add(
                "interactions", tables.interactions(clean_events, split, self.seed), schemas.INTERACTIONS
            )
            history = self.writer.add("histories", tables.histories(counted), schemas.HISTORIES)
            users = history.select("user_id").distinct().count()
        progress(0.65, "add up sales")
        if sales is not None:
            step = 7 if granularity == "week" else 1
            whole = tables.panel(sales, max(dates).isoformat(), step)
            whole = self.writer.add("sales", whole, schemas.PANEL)
            self.writer.add("sales_weekly", whole if step == 7 else tables.weekly(whole), schemas.PANEL)
        progress(0.8, "write the catalogue")
        self._catalogue(known, clean_events, sales)
        synthetic = self._truth()

        rows = self.writer.rows
        every_day = [*per_day, *dates]
        manifest = {
            "createdAt": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "counts": {
                "events": sum(per_day.values()) if per_day else (events.good.count() if has_events else 0),
                "visitorEvents": self.visitors,
                "users": users,
                "products": rows["products"],
                "categories": rows["categories"],
                "interactions": rows.get("interactions", 0),
                "sales": rows.get("sales", 0),
            },
            "quarantine": bad,
            "split": split.manifest(),
            "hasEvents": has_events,
            "hasSales": sales is not None,
            "granularity": granularity,
            "synthetic": synthetic,
            "firstDate": min(every_day).isoformat() if every_day else None,
            "lastDate": max(every_day).isoformat() if every_day else None,
        }
        version = self.writer.version({"split": split.manifest(), "granularity": granularity})
        manifest = {"dataVersion": version, **manifest}
        progress(0.97, "publish")
        fresh = self.writer.publish(version, manifest)
        log(
            f"dataset {version} {'written' if fresh else 'unchanged'}; {manifest['counts']}; quarantine {bad}"
        )
        progress(1.0, "done")
        return {**manifest, "fresh": fresh}

    # ------------------------------------------------------------ reading

    def _read(self, table: str, schema: StructType, dated: bool = False) -> DataFrame | None:
        """All batches' rows of a table, with `batch` and `rank` (0: the strongest); None: no batch has it."""
        frames = []
        for rank, batch in enumerate(self.batches):
            if table not in batch.tables:
                continue
            columns = StructType([*schema.fields, *_DATED.fields]) if dated else schema
            frame = self.spark.read.schema(columns).parquet(self.lake.uri(f"{batch.path}/{table}"))
            frames.append(frame.withColumn("batch", F.lit(batch.name)).withColumn("rank", F.lit(rank)))
        whole = None
        for frame in frames:
            whole = frame if whole is None else whole.unionByName(frame)
        return whole

    def _checked_products(self) -> _Checked | None:
        raw = self._read("products", schemas.PRODUCTS)
        if raw is None:
            return None
        checked = quality.check_products(raw).cache()
        counts = _by_reason(checked)
        return _Checked(checked, counts.bad) if counts.good else None

    def _checked_events(
        self, known: DataFrame | None
    ) -> tuple[_Checked | None, dict[date, int], Split | None]:
        """The events, good ones per day (empty without times), and the split (None: no good one)."""
        raw = self._read("events", schemas.EVENTS, dated=True)
        if raw is None:
            return None, {}, None
        checked = quality.check_events(raw, known, self.as_of).persist(StorageLevel.MEMORY_AND_DISK)
        # One pass for all counts; it also fills the cache. The answer has one row per day and reason.
        summary = (
            checked.groupBy("reason", F.to_date("occurred_at").alias("day"))
            .agg(F.count(F.lit(1)).alias("rows"), F.count("user_id").alias("signed_in"))
            .collect()
        )
        good = [row for row in summary if row["reason"] is None]
        bad = _merge(*[{row["reason"]: row["rows"]} for row in summary if row["reason"] is not None])
        total = sum(row["rows"] for row in good)
        if not total:
            return _Checked(checked, bad), {}, None
        untimed = sum(row["rows"] for row in good if row["day"] is None)
        if untimed * 2 > total:
            self.visitors = sum(row["rows"] - row["signed_in"] for row in good)
            return _Checked(checked, bad), {}, Split("random")
        if untimed:
            # Most events have times, so one without cannot be placed before or after the test.
            reason = F.when(F.col("reason").isNull() & F.col("occurred_at").isNull(), "missing_time")
            checked = checked.withColumn("reason", F.coalesce(reason, F.col("reason")))
            bad = _merge(bad, {"missing_time": untimed})
        timed = [row for row in good if row["day"] is not None]
        self.visitors = sum(row["rows"] - row["signed_in"] for row in timed)
        per_day = {row["day"]: row["rows"] for row in timed}
        return _Checked(checked, bad), per_day, time_split(per_day)

    def _checked_sales(self, known: DataFrame | None) -> _Checked | None:
        raw = self._read("sales", schemas.SALES, dated=True)
        if raw is None:
            return None
        checked = quality.check_sales(raw, known, self.as_of).persist(StorageLevel.MEMORY_AND_DISK)
        return _Checked(checked, _by_reason(checked).bad)

    def _quarantine(self, table: str, checked: _Checked | None) -> None:
        path = f"quarantine/{table}/prepare"
        if checked is None or not checked.bad:
            self.lake.delete(path)
            return
        # The few are gathered after all have been looked at in parallel; coalesce would look at all in one task.
        files = 1 + sum(checked.bad.values()) // _ROWS_PER_TASK
        gathered = quality.quarantined(checked.rows).repartition(files)
        gathered.write.mode("overwrite").parquet(self.lake.uri(path))
        log(f"quarantine: {table}: {checked.bad}")

    # ------------------------------------------------------------ tables

    def _sales(
        self, ledger: _Checked | None, events: DataFrame | None
    ) -> tuple[DataFrame | None, str | None, list[date]]:
        """Sales per product and period (not yet a panel), their granularity and their dates."""
        sales = ledger.good.drop("batch", "reason") if ledger else None
        counted = sales is None
        if counted:
            if events is None:
                return None, None, []
            # The day that is not over yet would look like a slump.
            sales = tables.sales_of_events(events).filter(F.col("date") < F.lit(self.as_of.date())).cache()
        dates = sorted(row["date"] for row in sales.select("date").distinct().collect())
        if not dates:
            return None, None, []
        gaps = {(later - earlier).days for earlier, later in pairwise(dates)}
        weeks = not counted and bool(gaps) and all(gap % 7 == 0 for gap in gaps)
        return sales, "week" if weeks else "day", dates

    def _catalogue(self, known: DataFrame | None, events: DataFrame | None, sales: DataFrame | None) -> None:
        if known is None:
            ids = [frame.select("product_id") for frame in (events, sales) if frame is not None]
            known = tables.products_of_ids(ids[0] if len(ids) == 1 else ids[0].union(ids[1]))
        clean = self.writer.add("products", known.coalesce(1), schemas.DATASET_PRODUCTS)
        categories = tables.categories(self._read("categories", schemas.CATEGORIES), clean)
        self.writer.add("categories", categories.coalesce(1), schemas.CATEGORIES)

    def _truth(self) -> bool:
        """Copies the generator's truth; whether there is any."""
        found = False
        for table, schema in (("preferences", schemas.TRUTH_PREFERENCES), ("demand", schemas.TRUTH_DEMAND)):
            truth = self._read(f"truth/{table}", schema)
            if truth is not None:
                self.writer.add(f"truth_{table}", truth, schema)
                found = True
        return found


@dataclass(frozen=True)
class _Counts:
    good: int
    bad: dict[str, int]


def _by_reason(checked: DataFrame) -> _Counts:
    counts = {row["reason"]: row["count"] for row in checked.groupBy("reason").count().collect()}
    good = counts.pop(None, 0)
    return _Counts(good, dict(sorted(counts.items())))


def _merge(*counts: dict[str, int]) -> dict[str, int]:
    whole: dict[str, int] = {}
    for each in counts:
        for reason, count in each.items():
            whole[reason] = whole.get(reason, 0) + count
    return dict(sorted(whole.items()))


if __name__ == "__main__":
    run_job(main, explain_spark_failure)
