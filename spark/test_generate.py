from __future__ import annotations

import glob
from datetime import date

import pandas as pd
import pyarrow.dataset as pads
import pytest
from conftest import LAST_DAY
from generate import generate
from lake import committed_batches
from storage import LocalStorage

TABLES = ("events", "sales", "products", "users", "categories", "truth/preferences", "truth/demand")


def rows(lake: LocalStorage, batch: str, table: str) -> pd.DataFrame:
    """All rows of a table in an order that files do not decide."""
    data = pads.dataset(lake.path(f"raw/{batch}/{table}"), partitioning="hive").to_table().to_pandas()
    data = data.astype({name: str for name in data.columns if data[name].dtype == object})
    return data.sort_values(list(data.columns)).reset_index(drop=True)


def test_the_same_seed_gives_the_same_rows_on_any_number_of_cores(spark, shop, tmp_path, monkeypatch):
    lake, report = shop
    other = LocalStorage(str(tmp_path))
    monkeypatch.setattr(type(spark.sparkContext), "defaultParallelism", property(lambda _: 5))
    again = generate(spark, other, 40, 30, 42, 6000, 7, LAST_DAY)
    assert again["counts"] == report["counts"]
    for table in TABLES:
        pd.testing.assert_frame_equal(rows(lake, report["batch"], table), rows(other, again["batch"], table))


def test_the_batch_has_what_was_asked_for(shop):
    lake, report = shop
    assert report["counts"]["users"] == 40
    assert len(rows(lake, report["batch"], "products")) == 30
    events = rows(lake, report["batch"], "events")
    assert events["event_id"].nunique() >= 6000
    assert len(events) == report["counts"]["events"]
    assert set(events["type"]) == {"VIEW", "ADD_TO_CART", "PURCHASE"}
    sales = rows(lake, report["batch"], "sales")
    assert len(sales) == report["counts"]["sales"]
    assert max(pd.to_datetime(sales["date"]).dt.date) == LAST_DAY
    assert (sales.loc[~sales["in_stock"], "units"] == 0).all()
    preferences = rows(lake, report["batch"], "truth/preferences")
    assert len(preferences) == 40 * 30


def test_files_lie_in_one_folder_a_day(shop):
    lake, report = shop
    days = glob.glob(lake.path(f"raw/{report['batch']}/events/date=*"))
    assert len(days) == 42
    for day in days[:5]:
        assert len(glob.glob(f"{day}/*.parquet")) == 1


def test_a_new_shop_replaces_the_generated_one_and_leaves_other_batches(spark, tmp_path, write_batch):
    lake = write_batch("tracked-1", events=[{"event_id": "a", "date": "2026-01-01"}])
    first = generate(spark, lake, 5, 5, 7, 50, 1, date(2026, 1, 31))["batch"]
    second = generate(spark, lake, 5, 5, 7, 50, 2, date(2026, 1, 31))["batch"]
    assert first != second
    assert [batch.name for batch in committed_batches(lake)] == ["tracked-1", second]
    assert lake.names("raw") == sorted([second, "tracked-1"])


def test_a_failure_leaves_no_batch_behind(spark, tmp_path, monkeypatch):
    import generate as job

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(job._Writer, "sales", full)
    lake = LocalStorage(str(tmp_path))
    with pytest.raises(OSError, match="No space"):
        generate(spark, lake, 5, 5, 7, 50, 1, date(2026, 1, 31))
    assert lake.names("raw") == []
