"""One local Spark for all tests here, and lakes small enough to check by hand."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from lake import commit_batch
from pyspark.sql import SparkSession
from schemas import CATEGORIES, EVENTS, PRODUCTS, SALES
from storage import LocalStorage

LAST_DAY = date(2026, 6, 30)
TABLES = {"events": EVENTS, "sales": SALES, "products": PRODUCTS, "categories": CATEGORIES}


@pytest.fixture(scope="session")
def spark() -> SparkSession:
    os.environ.setdefault("SPARK_MASTER", "local[2]")
    os.environ.setdefault("SPARK_DRIVER_MEMORY", "1g")
    from session import make_session

    session = make_session("tests")
    # Compiling queries and planning them anew takes longer than running them on a few rows.
    session.conf.set("spark.sql.codegen.wholeStage", "false")
    session.conf.set("spark.sql.adaptive.enabled", "false")
    yield session
    session.stop()


@pytest.fixture(scope="session")
def shop(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory
) -> tuple[LocalStorage, dict[str, Any]]:
    """A generated shop of 40 users, 30 products and 42 days: its lake, and what generate reported."""
    from generate import generate

    lake = LocalStorage(str(tmp_path_factory.mktemp("shop")))
    report = generate(spark, lake, 40, 30, 42, 6000, 7, LAST_DAY)
    return lake, report


@pytest.fixture
def write_batch(tmp_path: Path) -> Callable[..., LocalStorage]:
    """`write_batch("imported-1", events=[{...}], sales=[{...}])` adds a batch to the test's lake; a missing
    key is null, and `date` (YYYY-MM-DD or None) says the partition."""

    def write(name: str, **tables: list[dict[str, Any]]) -> LocalStorage:
        lake = LocalStorage(str(tmp_path / "lake"))
        for table, rows in tables.items():
            for day in {row.get("date") for row in rows}:
                folder = Path(lake.path(f"raw/{name}/{table}"))
                if table in ("events", "sales"):
                    folder /= f"date={day or '__HIVE_DEFAULT_PARTITION__'}"
                mine = [row for row in rows if row.get("date") == day]
                write_parquet(folder / f"part-{len(mine)}.parquet", mine, TABLES[table])
        commit_batch(lake, name, {}, {})
        return lake

    return write


def write_parquet(file: Path, rows: list[dict[str, Any]], schema: Any) -> None:
    import pyarrow.parquet as pq
    from pyspark.sql.pandas.types import to_arrow_schema

    kinds = to_arrow_schema(schema, timezone="UTC")
    columns = {field.name: pa.array([row.get(field.name) for row in rows], field.type) for field in kinds}
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), file)
