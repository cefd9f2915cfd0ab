import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import importer
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq
import pytest
from common.protocol import JobError


class Shop:
    """A folder of input files and the lake they are imported into."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.lake, self.capsys = folder, folder / "lake", capsys
        self.lines: list[str] = []

    def file(self, name: str, content: str | bytes | pa.Table) -> str:
        path = self.folder / name
        if isinstance(content, pa.Table):
            pq.write_table(content, path)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    def run(self, *arguments: str) -> dict[str, Any]:
        self.capsys.readouterr()
        try:
            importer.main(["--lake", str(self.lake), *arguments])
        finally:
            self.lines = self.capsys.readouterr().out.splitlines()
        return json.loads(self.lines[-1].removeprefix("@result "))

    def batches(self) -> list[str]:
        return sorted(path.name for path in (self.lake / "raw").glob("*"))

    def table(self, name: str) -> pd.DataFrame:
        return read(self.lake / "raw" / self.batches()[0] / name)


def read(folder: Path) -> pd.DataFrame:
    # No type is guessed from a folder's name: the day stays text.
    hive = pads.partitioning(pa.schema([("date", pa.string())]), flavor="hive")
    return pads.dataset(folder, partitioning=hive).to_table().to_pandas()


@pytest.fixture
def shop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shop:
    return Shop(tmp_path, capsys)


@pytest.mark.parametrize(
    ("header", "first"),
    [
        ("userID\tartistID\tweight", "7\t51\t3"),
        ("user_id,movieId,rating", "7,51,3.4"),
        ("Customer;SKU;Qty", "7;51;3"),
        ("product code|visitor_id|count", "51|7|3"),
        ('"User ID","thing_id","plays"', '"7","51","3"'),
    ],
)
def test_common_column_names_and_delimiters_are_recognised(shop: Shop, header: str, first: str) -> None:
    shop.run("--events", shop.file("events.csv", f"{header}\r\n{first}\r\n"))
    row = shop.table("events").iloc[0]
    assert (row["user_id"], row["product_id"], row["quantity"], row["type"]) == ("7", "51", 3, "VIEW")
    assert pd.isna(row["occurred_at"])
    assert list(shop.table("products")["name"]) == ["51"]


@pytest.mark.parametrize(
    "written", ["1767323045", "1767323045000", "2026-01-02T03:04:05Z", "2026-01-02T04:04:05+01:00"]
)
def test_times_are_read_as_epoch_or_iso_and_events_are_filed_by_day(shop: Shop, written: str) -> None:
    text = f"user,item,action,ts\nu1,p1,add_to_cart,{written}\nu1,p1,buy,{written}\n"
    shop.run("--events", shop.file("events.csv", text))
    events = shop.table("events")
    assert set(events["occurred_at"]) == {pd.Timestamp("2026-01-02T03:04:05Z")}
    assert set(events["type"]) == {"ADD_TO_CART", "PURCHASE"}
    assert set(events["date"]) == {"2026-01-02"}


def test_a_time_without_a_zone_is_utc_whatever_zones_are_written_around_it(shop: Shop) -> None:
    times = [
        "2026-01-02T10:00:00-05:00",
        "2026-01-02 10:00",
        "2026-01-02T10:00:00+0900",
        "2026-01-02 10:00:00.5",
        "2026-01-02T10:00Z",
    ]
    rows = "".join(f"u1,p{n},{time}\n" for n, time in enumerate(times))
    shop.run("--events", shop.file("events.csv", f"user,item,ts\n{rows}"))
    events = shop.table("events").sort_values("product_id")
    assert list(events["occurred_at"].dt.strftime("%H:%M:%S")) == [
        "15:00:00",
        "10:00:00",
        "01:00:00",
        "10:00:00",
        "10:00:00",
    ]


def test_bad_rows_are_told_by_their_number_in_the_file_and_kept_in_quarantine(shop: Shop) -> None:
    text = (
        "user,product,quantity,time\n"
        "u1,p1,1,2026-01-02\n"
        "u1,,1,2026-01-02\n"
        "\n"
        "u1,p1,many,2026-01-02\n"
        'u2,"a, ""quoted"" one",2,2026-01-03\n'
        "u1,p1\n"
        "u1,p1,1,someday\n"
    )
    made = shop.run("--events", shop.file("events.csv", text))
    assert made["counts"]["events"] == 2
    assert [line for line in shop.lines if " row " in line] == [
        "events.csv row 3: no product",
        "events.csv row 5: quantity is not a number above 0",
        "events.csv row 7: has 2 cells instead of 4",
        "events.csv row 8: unreadable time",
    ]
    assert sum(made["problems"].values()) == 4
    assert 'a, "quoted" one' in set(shop.table("events")["product_id"])
    kept = read(shop.lake / "quarantine" / "events" / made["batch"])
    assert list(kept["row_number"]) == [3, 5, 7, 8]
    assert json.loads(kept["row"][1])["quantity"] == "many"


def test_only_the_first_twenty_problems_are_printed_but_all_are_counted(shop: Shop) -> None:
    text = "user,product\n" + "u1,p1\n" + "u1,\n" * 50
    made = shop.run("--events", shop.file("events.csv", text))
    assert sum("events.csv row" in line for line in shop.lines) == 20
    assert made["problems"] == {"events: no product": 50}


def test_a_few_bad_bytes_do_not_spoil_the_other_names_of_a_file(shop: Shop) -> None:
    names = "id\tname\n1\tSigur Rós\n2\tMötley Crüe\n3\tBj".encode() + b"\xf6rk\n"
    events = shop.file("plays.dat", "userID\tartistID\r\n9\t1\r\n")
    shop.run("--events", events, "--products", shop.file("artists.dat", names))
    assert list(shop.table("products")["name"]) == ["Sigur Rós", "Mötley Crüe", "Bj\ufffdrk"]

    latin = "id\tname\n1\tBjörk\n".encode("cp1252")
    shop.run("--events", events, "--products", shop.file("artists.dat", latin))
    assert list(shop.table("products")["name"]) == ["Björk"]


def test_products_keep_their_category_and_further_columns_as_attributes(shop: Shop) -> None:
    text = 'Article,Title,Price,Genre,Colour\nx1,Blade,"1,250.50",Swords|Long,red\nx2,Whetstone,,,\n'
    shop.run("--products", shop.file("products.csv", text), "--currency", "eur")
    first, second = shop.table("products").to_dict("records")
    assert (first["name"], first["price"], first["currency"]) == ("Blade", 1250.5, "EUR")
    assert dict(first["attributes"]) == {"Colour": "red"}
    categories = shop.table("categories").set_index("id")["name"]
    assert categories[first["category_id"]] == "Swords"
    assert categories[second["category_id"]] == "General"


def test_a_column_per_week_becomes_weeks_that_end_before_today(shop: Shop) -> None:
    weeks = ",".join(f"W{i}" for i in range(52))
    rows = ["P1," + ",".join(str(i) for i in range(52)) + ",0.5", "P2," + ",".join(["1"] * 51 + ["x"]) + ",1"]
    text = f"Product_Code,{weeks},Normalized 0\n" + "\n".join(rows)
    path = shop.file("weekly.csv", text)
    made = shop.run("--sales", path)
    sales = shop.table("sales").sort_values("date")
    days = [datetime.fromisoformat(day).date() for day in sales["date"]]
    today = datetime.now(UTC).date()
    assert all(day.weekday() == 0 for day in days)
    assert timedelta(days=7) <= today - days[-1] <= timedelta(days=13)
    assert list(sales["units"]) == [float(i) for i in range(52)]
    assert "weekly.csv row 3: W51 is not a number of 0 or more" in shop.lines
    assert made["counts"] == {"sales": 52, "products": 1, "categories": 1}

    shop.run("--sales", path, "--start-date", "2025-01-06")
    assert min(shop.table("sales")["date"]) == "2025-01-06"
    assert max(shop.table("sales")["date"]) == "2025-12-29"


def test_a_column_can_be_named_where_its_name_does_not_tell(shop: Shop) -> None:
    path = shop.file("events.csv", "who,what\nu1,p1\n")
    with pytest.raises(JobError) as caught:
        shop.run("--events", path)
    assert caught.value.code == "IMPORT_COLUMNS"
    assert "events.csv" in caught.value.message
    assert "who, what" in caught.value.message
    assert "user_id and product_id" in caught.value.message
    shop.run("--events", path, "--column", "user_id=who", "--column", "product_id=what")
    assert shop.table("events").iloc[0][["user_id", "product_id"]].tolist() == ["u1", "p1"]


def test_an_import_replaces_what_was_imported_or_generated_and_its_repetition_changes_nothing(
    shop: Shop,
) -> None:
    for name in ("generated-1", "tracked-1", "imported-crashed"):
        (shop.lake / "raw" / name).mkdir(parents=True)
    (shop.lake / "raw" / "generated-1" / "_SUCCESS").touch()
    path = shop.file("a.csv", "user,product\nu1,p1\nu1,\n")
    first = shop.run("--events", path)
    assert shop.batches() == [first["batch"], "tracked-1"]
    folder = shop.lake / "raw" / first["batch"]
    assert json.loads((folder / "batch.json").read_text())["kind"] == "imported"
    written = {file: file.stat().st_mtime_ns for file in folder.rglob("*")}
    assert shop.run("--events", path) == first
    assert {file: file.stat().st_mtime_ns for file in folder.rglob("*")} == written

    second = shop.run("--events", shop.file("a.csv", "user,product\nu1,p2\n"))
    assert shop.batches() == [second["batch"], "tracked-1"]
    assert not (shop.lake / "quarantine" / "events" / first["batch"]).exists()


def test_parquet_keeps_its_types_and_counts_rows_from_one(shop: Shop) -> None:
    at = datetime(2026, 1, 2, tzinfo=UTC)
    table = pa.table({"userId": [1, 2, 3], "itemId": [10.0, None, 12.0], "timestamp": [at, at, at]})
    made = shop.run("--events", shop.file("events.parquet", table))
    assert "events.parquet row 2: no product" in shop.lines
    assert made["counts"]["events"] == 2
    assert set(shop.table("events")["product_id"]) == {"10", "12"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("events.parquet", b"PAR1 this is not Parquet"),
        ("torn.parquet", b"no mark at all"),
        ("events.xlsx", b"PK\x03\x04" + b"\x00" * 100),
        ("events.csv", b""),
        ("events.json", b'[{"user": 1, "product": 2}]'),
        ("image.csv", b"\x89PNG\r\n\x1a\n\x00\x00"),
        ("packed.csv", bytes(1 + 37 * n % 255 for n in range(600))),
    ],
)
def test_a_file_of_the_wrong_kind_is_named_and_leaves_the_lake_as_it_was(
    shop: Shop, name: str, content: bytes
) -> None:
    before = shop.run("--events", shop.file("good.csv", "user,product\nu1,p1\n"))
    with pytest.raises(JobError) as caught:
        shop.run("--events", shop.file(name, content))
    assert caught.value.code == "IMPORT_FILE"
    assert caught.value.message.startswith(name)
    assert shop.batches() == [before["batch"]]


def test_parquet_damaged_after_its_beginning_leaves_nothing_behind(shop: Shop) -> None:
    # Random-looking ids, so that the damage hits data of a column and not only its end.
    table = pa.table({"user": [f"u{i * 7919 % 5003}" for i in range(5000)], "product": ["p1"] * 5000})
    path = Path(shop.file("events.parquet", table))
    content = bytearray(path.read_bytes())
    content[40:2000] = b"\xff" * 1960
    path.write_bytes(content)
    with pytest.raises(JobError) as caught:
        shop.run("--events", str(path))
    assert caught.value.code == "IMPORT_FILE"
    assert shop.batches() == []


def test_the_process_reports_a_missing_file_and_fails(tmp_path: Path) -> None:
    command = [
        sys.executable,
        importer.__file__,
        "--lake",
        str(tmp_path / "lake"),
        "--sales",
        "nowhere/ledger.csv",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    reported = json.loads(done.stdout.splitlines()[-1].removeprefix("@error "))
    assert reported == {"code": "IMPORT_FILE", "message": "There is no file ledger.csv."}
    assert not (tmp_path / "lake" / "raw").exists()


def test_lines_of_receipts_add_up_to_one_row_per_product_and_day(shop):
    lines = "sku,date,qty,price,promo\nA,2026-01-01,2,10,0\nB,2026-01-01,1,5,0\nA,2026-01-01 18:30,3,20,1\nA,2026-01-02,1,,0\n"
    made = shop.run("--sales", shop.file("receipts.csv", lines))
    sales = shop.table("sales").sort_values(["date", "product_id"])
    assert sales[["product_id", "date", "units"]].values.tolist() == [
        ["A", "2026-01-01", 5.0],
        ["B", "2026-01-01", 1.0],
        ["A", "2026-01-02", 1.0],
    ]
    assert sales["price"].tolist()[:2] == [15.0, 5.0]
    assert sales["price"].isna().tolist() == [False, False, True]
    assert sales["promotion"].tolist() == [True, False, False]
    assert made["counts"]["sales"] == 3
    assert any("4 lines added up to 3 rows" in line for line in shop.lines)


WALMART = """Store,Dept,Date,Weekly_Sales,IsHoliday
1,1,2010-02-05,24924.5,FALSE
1,1,2010-02-12,46039.49,TRUE
1,2,2010-02-05,50605.27,FALSE
1,2,2010-02-12,-12.5,TRUE
2,1,2010-02-05,35034.06,FALSE
2,1,2010-02-12,60483.7,TRUE
"""


def test_sales_by_store_and_department_are_one_series_each_below_their_store(shop: Shop):
    result = shop.run("--sales", shop.file("walmart.csv", WALMART))
    assert result["counts"] == {"sales": 5, "products": 3, "categories": 2}
    sales = shop.table("sales").set_index(["product_id", "date"])
    assert sales.loc[("1/1", "2010-02-12"), "units"] == 46039.49
    assert sales.loc[("1/1", "2010-02-12"), "promotion"]
    assert not sales.loc[("2/1", "2010-02-05"), "promotion"]
    products = shop.table("products").set_index("id")["category_id"].to_dict()
    assert products == {"1/1": "c-store-1", "1/2": "c-store-1", "2/1": "c-store-2"}
    # More came back than was sold: the week is left out, with its row number.
    assert result["problems"] == {"sales: units are not a number of 0 or more": 1}
    assert any("row 5" in line for line in shop.lines)


def test_the_stores_of_a_catalogues_products_are_added_up(shop: Shop):
    sales = "store,sku,date,units\nA,x,2026-01-05,2\nB,x,2026-01-05,3\n"
    shop.run("--sales", shop.file("s.csv", sales), "--products", shop.file("p.csv", "id,name\nx,Katana\n"))
    assert shop.table("sales")[["product_id", "units"]].values.tolist() == [["x", 5.0]]
