from __future__ import annotations

import json
import os
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb_prepare
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq
import pytest
from common.protocol import JobError
from compare import compare
from prepare import prepare
from session import explain_spark_failure
from storage import LocalStorage

AS_OF = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def prepared(spark, shop, tmp_path_factory) -> tuple[LocalStorage, LocalStorage, dict[str, Any]]:
    """The generated shop's lake, a store with its dataset, and the manifest."""
    lake, _ = shop
    store = LocalStorage(str(tmp_path_factory.mktemp("store")))
    return lake, store, prepare(spark, lake, store, AS_OF, 42)


def table(store: LocalStorage, manifest: dict[str, Any], name: str) -> pd.DataFrame:
    return pads.dataset(store.path(f"datasets/{manifest['dataVersion']}/{name}")).to_table().to_pandas()


def raw(lake: LocalStorage, name: str) -> pd.DataFrame:
    (batch,) = lake.names("raw")
    return pads.dataset(lake.path(f"raw/{batch}/{name}"), partitioning="hive").to_table().to_pandas()


def quarantine(lake: LocalStorage, name: str) -> list[dict[str, Any]]:
    folder = lake.path(f"quarantine/{name}/prepare")
    return pads.dataset(folder).to_table().to_pylist() if os.path.isdir(folder) else []


def event(
    number: int, user: str | None, product: str | None, when: str | None, **other: Any
) -> dict[str, Any]:
    """A good view, but for what `other` says; `when` is an ISO time, and its day the partition."""
    time = datetime.fromisoformat(when).replace(tzinfo=UTC) if when else None
    row = {"event_id": f"e{number}", "user_id": user, "product_id": product, "type": "VIEW", "quantity": 1}
    return {**row, "occurred_at": time, "date": when[:10] if when else None, **other}


def clean_events(lake: LocalStorage) -> pd.DataFrame:
    """What pandas makes of the generated events, independently of the code under test."""
    events = raw(lake, "events").drop_duplicates("event_id")
    shift = (
        pd.to_datetime(events["date"]).dt.tz_localize("UTC") - events["occurred_at"].dt.floor("D")
    ).dt.days
    return events[shift.between(-1, 30)]


def test_every_event_is_either_counted_or_in_quarantine(prepared):
    lake, _, manifest = prepared
    events = raw(lake, "events")
    bad = quarantine(lake, "events")
    assert manifest["counts"]["events"] + len(bad) == len(events)
    assert manifest["counts"]["events"] == len(clean_events(lake)) == 6000
    by_reason = pd.Series([row["reason"] for row in bad]).value_counts().to_dict()
    assert by_reason == manifest["quarantine"]
    assert by_reason["duplicate_event"] == int(events["event_id"].duplicated().sum()) > 0
    assert json.loads(bad[0]["row"])["event_id"]


def test_no_event_of_the_test_window_is_in_the_training_rows(prepared):
    lake, store, manifest = prepared
    events = clean_events(lake).dropna(subset="user_id")
    split = manifest["split"]
    assert split == {
        "kind": "time",
        "trainEnd": "2026-06-10",
        "validEnd": "2026-06-20",
        "testEnd": "2026-06-30",
    }
    day = events["occurred_at"].dt.strftime("%Y-%m-%d")
    part = (
        pd.Series("test", events.index)
        .mask(day <= split["validEnd"], "valid")
        .mask(day <= split["trainEnd"], "train")
    )
    expected = events.assign(
        split=part,
        views=events["type"] == "VIEW",
        carts=events["type"] == "ADD_TO_CART",
        purchases=events["type"] == "PURCHASE",
    )
    keys = ["user_id", "product_id", "split"]
    expected = expected.groupby(keys).agg(
        views=("views", "sum"),
        carts=("carts", "sum"),
        purchases=("purchases", "sum"),
        quantity=("quantity", "sum"),
        first_at=("occurred_at", "min"),
        last_at=("occurred_at", "max"),
    )
    found = table(store, manifest, "interactions").set_index(keys).sort_index()
    pd.testing.assert_frame_equal(found[expected.columns], expected.sort_index(), check_dtype=False)
    assert found.loc[(slice(None), slice(None), "train"), "last_at"].max() < pd.Timestamp(
        "2026-06-11", tz="UTC"
    )


def test_histories_sum_up_all_splits(prepared):
    _, store, manifest = prepared
    counted, history = table(store, manifest, "interactions"), table(store, manifest, "histories")
    sums = counted.groupby(["user_id", "product_id"])[["views", "carts", "purchases", "quantity"]].sum()
    pd.testing.assert_frame_equal(
        history.set_index(["user_id", "product_id"]).sort_index()[sums.columns], sums, check_dtype=False
    )


def test_sales_are_a_complete_panel_and_weeks_are_whole(prepared):
    lake, store, manifest = prepared
    ledger, daily, weekly = (
        raw(lake, "sales"),
        table(store, manifest, "sales"),
        table(store, manifest, "sales_weekly"),
    )
    assert len(daily) == len(ledger)
    assert daily["units"].sum() == ledger["units"].sum()
    daily["date"] = pd.to_datetime(daily["date"])
    span = daily.groupby("product_id")["date"].agg(["min", "max", "count"])
    assert ((span["max"] - span["min"]).dt.days + 1 == span["count"]).all()
    for row in weekly.sample(10, random_state=0).itertuples():
        start = pd.Timestamp(row.date)
        days = daily[
            (daily["product_id"] == row.product_id) & daily["date"].between(start, start + timedelta(days=6))
        ]
        assert start.weekday() == 0
        assert len(days) == 7
        assert row.units == days["units"].sum()


def test_the_truth_travels_with_a_generated_shop(prepared):
    _, store, manifest = prepared
    assert manifest["synthetic"]
    assert (
        table(store, manifest, "truth_preferences")
        .groupby("user_id")["score"]
        .sum()
        .between(0.999, 1.001)
        .all()
    )
    assert len(table(store, manifest, "truth_demand")) == len(table(store, manifest, "sales"))


def test_another_engine_makes_the_same_tables_of_the_same_lake(prepared, tmp_path):
    lake, store, manifest = prepared
    out = str(tmp_path / "duckdb")
    report = duckdb_prepare.prepare(lake, out, AS_OF, "500MB")
    assert report["quarantine"] == manifest["quarantine"]
    compared = compare(store.path(f"datasets/{manifest['dataVersion']}"), out)
    assert compared["different"] == 0
    assert compared["rows"] == sum(report["rows"].values())


def test_the_version_follows_the_content_not_the_files(spark, prepared, tmp_path):
    lake, store, manifest = prepared
    copy = LocalStorage(str(tmp_path / "lake"))
    shutil.copytree(lake.path("raw"), copy.path("raw"))
    (batch,) = copy.names("raw")
    before = Path(store.path(f"datasets/{manifest['dataVersion']}/_SUCCESS")).stat().st_mtime_ns

    # The same rows, shuffled into other files.
    files = sorted(Path(copy.path(f"raw/{batch}/events")).glob("*/*.parquet"))
    for file in files:
        rows = pq.read_table(file)
        middle = rows.num_rows // 3
        pq.write_table(rows.slice(middle), file.with_name("a.parquet"))
        pq.write_table(rows.slice(0, middle), file.with_name("b.parquet"))
        file.unlink()
    again = prepare(spark, copy, store, AS_OF, 42)
    assert again["dataVersion"] == manifest["dataVersion"]
    assert not again["fresh"]
    assert Path(store.path(f"datasets/{manifest['dataVersion']}/_SUCCESS")).stat().st_mtime_ns == before

    # One piece more of one product.
    file = next(Path(copy.path(f"raw/{batch}/events")).glob("*/a.parquet"))
    rows = pq.read_table(file)
    quantity = pa.array([rows["quantity"][0].as_py() + 1, *rows["quantity"].to_pylist()[1:]], pa.int32())
    pq.write_table(rows.set_column(rows.schema.get_field_index("quantity"), "quantity", quantity), file)
    changed = prepare(spark, copy, store, AS_OF, 42)
    assert changed["dataVersion"] != manifest["dataVersion"]
    assert store.read_text("datasets/LATEST").strip() == changed["dataVersion"]
    assert sorted(store.names("datasets")) == sorted(
        ["LATEST", manifest["dataVersion"], changed["dataVersion"]]
    )
    shutil.rmtree(store.path(f"datasets/{changed['dataVersion']}"))


def test_each_bad_row_is_kept_with_its_reason(spark, tmp_path, write_batch):
    good = [event(n, "u", "p", f"2026-05-{n + 1:02d}T10:00:00") for n in range(20)]
    bad = {
        "missing_event_id": event(100, "u", "p", "2026-05-01T10:00:00", event_id=None),
        "missing_product": event(101, "u", " ", "2026-05-01T10:00:00"),
        "unknown_type": event(102, "u", "p", "2026-05-01T10:00:00", type="WISH"),
        "quantity_out_of_range": event(103, "u", "p", "2026-05-01T10:00:00", quantity=0),
        "price_out_of_range": event(104, "u", "p", "2026-05-01T10:00:00", price=-1.0),
        "unknown_product": event(105, "u", "ghost", "2026-05-01T10:00:00"),
        "future_event": event(106, "u", "p", "2026-07-01T12:10:00"),
        "late_event": event(107, "u", "p", "2026-03-01T10:00:00", date="2026-05-01"),
        "time_out_of_range": event(108, "u", "p", "1980-01-01T10:00:00"),
        "duplicate_event": event(3, "u", "p", "2026-05-04T11:00:00"),
        "missing_time": event(109, "u", "p", None),
    }
    sales = [
        {"product_id": "p", "units": 2.0, "date": "2026-05-01"},
        {"product_id": "p", "units": 3.0, "date": "2026-05-01"},
        {"product_id": "p", "units": -1.0, "date": "2026-05-02"},
        {"product_id": "p", "units": float("nan"), "date": "2026-05-03"},
        {"product_id": "p", "units": 1.0, "date": "2026-08-03"},
        {"product_id": "p", "units": 4.0, "date": "2026-05-04"},
    ]
    products = [{"id": "p", "name": "Product", "price": 1.0}, {"id": "q", "price": -1.0}, {"id": None}]
    write_batch("imported-1", events=good, products=products, sales=sales)
    lake = write_batch("imported-2", events=list(bad.values()))
    store = LocalStorage(str(tmp_path / "store"))
    manifest = prepare(spark, lake, store, AS_OF, 42)
    assert manifest["counts"]["events"] == 20
    found = {row["reason"]: json.loads(row["row"]) for row in quarantine(lake, "events")}
    assert set(found) == set(bad)
    for reason, row in bad.items():
        assert found[reason].get("event_id") == row["event_id"], reason
    # Of two deliveries the earlier stays.
    assert found["duplicate_event"]["occurred_at"].startswith("2026-05-04T11")
    assert {row["batch"] for row in quarantine(lake, "events")} == {"imported-2"}
    assert sorted(row["reason"] for row in quarantine(lake, "sales")) == [
        "duplicate_sales",
        "future_sales",
        "units_out_of_range",
        "units_out_of_range",
    ]
    assert len(quarantine(lake, "products")) == 2
    assert manifest["quarantine"]["units_out_of_range"] == 2
    # A price below 0 is counted once for the event and once for the product.
    assert manifest["quarantine"]["price_out_of_range"] == 2
    assert table(store, manifest, "sales")["units"].tolist() == [2.0, 0.0, 0.0, 4.0]


def test_a_damaged_file_is_named_and_nothing_is_published(spark, shop, tmp_path):
    lake, report = shop
    broken = LocalStorage(str(tmp_path / "lake"))
    shutil.copytree(lake.path("raw"), broken.path("raw"))
    file = next(Path(broken.path(f"raw/{report['batch']}/events")).glob("*/*.parquet"))
    file.write_bytes(file.read_bytes()[:200])
    store = LocalStorage(str(tmp_path / "store"))
    with pytest.raises(Exception, match=r"FAILED_READ_FILE|Parquet") as failure:
        prepare(spark, broken, store, AS_OF, 42)
    told = explain_spark_failure(failure.value)
    assert told.code == "LAKE_UNREADABLE"
    assert file.name in told.message
    assert str(tmp_path) not in told.message
    assert store.names("datasets") == []


def test_a_file_of_another_type_is_told_by_its_column(spark, tmp_path, write_batch):
    lake = write_batch("imported-1", events=[event(1, "u", "p", "2026-05-01T10:00:00")])
    (file,) = Path(lake.path("raw/imported-1/events")).glob("*/*.parquet")
    rows = pq.read_table(file)
    at = rows.schema.get_field_index("quantity")
    pq.write_table(rows.set_column(at, "quantity", pa.array(["many"])), file)
    with pytest.raises(Exception, match="quantity") as failure:
        prepare(spark, lake, LocalStorage(str(tmp_path / "store")), AS_OF, 42)
    told = explain_spark_failure(failure.value)
    assert told.code == "LAKE_UNREADABLE"
    assert "quantity" in told.message


def test_an_empty_lake_and_a_batch_without_its_mark_are_told_apart_from_data(spark, tmp_path, write_batch):
    store = LocalStorage(str(tmp_path / "store"))
    with pytest.raises(JobError) as failure:
        prepare(spark, LocalStorage(str(tmp_path / "nowhere")), store, AS_OF, 42)
    assert failure.value.code == "LAKE_EMPTY"
    lake = write_batch("imported-1", events=[event(1, "u", "p", "2026-05-01T10:00:00")])
    os.remove(lake.path("raw/imported-1/_SUCCESS"))
    with pytest.raises(JobError) as failure:
        prepare(spark, lake, store, AS_OF, 42)
    assert failure.value.code == "LAKE_EMPTY"
    assert store.names("datasets") == []


def test_events_without_times_or_catalogue_are_split_at_random_by_user(spark, tmp_path, write_batch):
    events = [
        event(100 * user + n, f"u{user}", f"p{n}", None, quantity=n + 1)
        for user in range(4)
        for n in range(10)
    ]
    events.append(event(9999, "alone", "p1", None))
    store = LocalStorage(str(tmp_path / "store"))
    manifest = prepare(spark, write_batch("imported-1", events=events), store, AS_OF, 42)
    assert manifest["split"] == {"kind": "random", "trainEnd": None, "validEnd": None, "testEnd": None}
    assert not manifest["hasSales"]
    counted = table(store, manifest, "interactions")
    parts = counted[counted["user_id"] != "alone"].groupby("user_id")["split"].value_counts().unstack()
    assert (parts["test"] == 2).all()
    assert (parts["valid"] == 2).all()
    assert (parts["train"] == 6).all()
    assert counted[counted["user_id"] == "alone"]["split"].tolist() == ["train"]
    assert sorted(table(store, manifest, "products")["name"]) == sorted(f"p{n}" for n in range(10))
    assert table(store, manifest, "categories")["id"].tolist() == ["c-general"]


def test_a_weekly_ledger_stays_weekly_and_keeps_its_weekday(spark, tmp_path, write_batch):
    first = date(2026, 1, 4)  # a Sunday
    sales = [
        {"product_id": product, "units": float(week), "date": (first + timedelta(weeks=week)).isoformat()}
        for product in ("p", "q")
        for week in range(12)
        if (product, week) != ("q", 5)
    ]
    store = LocalStorage(str(tmp_path / "store"))
    manifest = prepare(spark, write_batch("imported-1", sales=sales), store, AS_OF, 42)
    assert manifest["granularity"] == "week"
    assert not manifest["hasEvents"]
    found = table(store, manifest, "sales")
    assert len(found) == 24
    assert found[(found["product_id"] == "q")].sort_values("date")["units"].tolist()[5] == 0.0
    assert {day.weekday() for day in found["date"]} == {6}
    assert len(table(store, manifest, "sales_weekly")) == 24
    assert manifest["split"]["testEnd"] == (first + timedelta(weeks=11, days=6)).isoformat()


def test_without_a_ledger_purchases_are_the_sales(spark, tmp_path, write_batch):
    bought = [
        event(n, None, "p", f"2026-05-{n + 1:02d}T10:00:00", type="PURCHASE", quantity=3) for n in (0, 1, 4)
    ]
    # The day that is not over yet.
    bought.append(event(50, "u", "p", "2026-07-01T09:00:00", type="PURCHASE"))
    store = LocalStorage(str(tmp_path / "store"))
    manifest = prepare(spark, write_batch("imported-1", events=bought), store, AS_OF, 42)
    found = table(store, manifest, "sales").sort_values("date")
    assert found["units"].tolist() == [3, 3, 0, 0, 3]
    assert manifest["counts"]["visitorEvents"] == 3
    assert manifest["counts"]["users"] == 1


def test_an_api_product_wins_over_an_imported_one(spark, tmp_path, write_batch):
    views = [event(n, "u", "p", f"2026-05-{n + 1:02d}T10:00:00") for n in range(10)]
    write_batch("imported-1", events=views, products=[{"id": "p", "name": "old", "price": 1.0}])
    lake = write_batch("tracked-1", products=[{"id": "p", "name": "new", "price": 2.0, "category_id": "c-x"}])
    store = LocalStorage(str(tmp_path / "store"))
    manifest = prepare(spark, lake, store, AS_OF, 42)
    assert table(store, manifest, "products")[["name", "price"]].values.tolist() == [["new", 2.0]]
    assert table(store, manifest, "categories")["id"].tolist() == ["c-x"]
