"""Where train ends and the test begins."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, timedelta

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from windows import held_out_days

# The windows grow until each holds this share of all events: a shop that pauses must not be judged on a few.
_LEAST_SHARE = 0.01
# Without times: this share of each user's products is the test, and of the rest the validation.
_RANDOM_SHARE = 0.2


@dataclass(frozen=True)
class Split:
    """kind "time": the dates are the last day (UTC, inclusive) of each part. kind "random": no dates."""

    kind: str
    trainEnd: str | None = None
    validEnd: str | None = None
    testEnd: str | None = None

    def manifest(self) -> dict[str, str | None]:
        return asdict(self)


def time_split(rows_per_day: dict[date, int], last: date | None = None) -> Split:
    """The last 28 days are the test and the 28 before the validation, shorter when the history is short and
    longer when they would be nearly empty. `last` is the end of the data when it is after the last row."""
    first = min(rows_per_day)
    last = max(max(rows_per_day), last or first)
    days = (last - first).days + 1
    window = held_out_days(days)
    least = _LEAST_SHARE * sum(rows_per_day.values())

    def start_of(end: date) -> date:
        start = end - timedelta(days=window - 1)
        held = sum(count for day, count in rows_per_day.items() if start <= day <= end)
        while held < least and start > first + timedelta(days=window):
            start -= timedelta(days=1)
            held += rows_per_day.get(start, 0)
        return start

    valid_end = start_of(last) - timedelta(days=1)
    train_end = start_of(valid_end) - timedelta(days=1)
    return Split("time", train_end.isoformat(), valid_end.isoformat(), last.isoformat())


def by_time(split: Split, time: str) -> Column:
    """train, valid or test by the UTC day of column `time`."""
    day = F.to_date(time)
    return (
        F.when(day <= F.lit(split.trainEnd).cast("date"), "train")
        .when(day <= F.lit(split.validEnd).cast("date"), "valid")
        .otherwise("test")
    )


def at_random(pairs: DataFrame, seed: int) -> DataFrame:
    """Adds `split` to rows of one per user and product, by a hash of seed, user and product."""
    mine = Window.partitionBy("user_id")
    order = mine.orderBy(F.xxhash64(F.lit(seed), "user_id", "product_id"), "product_id")
    test = F.round(F.col("_of") * _RANDOM_SHARE)
    valid = F.round((F.col("_of") - test) * _RANDOM_SHARE)
    return (
        pairs.withColumn("_of", F.count(F.lit(1)).over(mine))
        .withColumn("_at", F.row_number().over(order))
        .withColumn(
            "split",
            F.when(F.col("_at") <= test, "test")
            .when(F.col("_at") <= test + valid, "valid")
            .otherwise("train"),
        )
        .drop("_of", "_at")
    )
