"""Imports a shop's own files into the lake: `python spark/importer.py --lake URI --events F --sales F --products F --users F`.

CSV or Parquet, any may be missing; `columns.py` says how columns are recognised, `readers.py` what is read. Each row is
checked; one that cannot be right goes to `<lake>/quarantine/<table>/<batch>/` with its reason and number, and the first of
them are printed. What is good becomes one batch, `imported-<hash of the files>`: importing the same files again changes
nothing, and importing others replaces what was imported or generated before. Products and users that no file describes are
made from their ids. Reads in batches, so that memory does not grow with the files, but for the ids of products and users.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parent.parent / "ml"))

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads
import pyarrow.parquet as pq
import values
from columns import NEEDED, Roles, recognise
from common.protocol import JobError, log, progress, result, run_job
from lake import commit_batch
from ledger import Ledger
from readers import Rows, TableFile, open_table
from storage import LocalStorage, open_storage

SHOWN_PROBLEMS = 20
ROWS_PER_FILE = 1_000_000
MOST_ATTRIBUTES = 30
NO_CATEGORY = "General"
TABLES = ("products", "users", "events", "sales")
TIMESTAMP = pa.timestamp("us", tz="UTC")
ATTRIBUTES = pa.map_(pa.string(), pa.string())


@dataclass
class Import:
    """One run: where it writes, and what it has found so far."""

    batch: str
    folder: Path
    quarantine: Path
    start_date: date | None
    currency: str
    counts: Counter[str] = field(default_factory=Counter)
    problems: Counter[str] = field(default_factory=Counter)
    shown: int = 0
    parts: Counter[str] = field(default_factory=Counter)
    waiting: dict[tuple[str, bool], list[pa.Table]] = field(default_factory=dict)
    product_ids: set[str] = field(default_factory=set)
    user_ids: set[str] = field(default_factory=set)
    categories: dict[str, str] = field(default_factory=dict)
    # Of products that are a department of a store: the store.
    stores: dict[str, str] = field(default_factory=dict)
    by_store: bool = False

    def write(self, table: str, rows: pa.Table, by_date: bool = False) -> None:
        """Adds rows to a table of the batch; `by_date` partitions them by their column `date`."""
        if rows.num_rows == 0:
            return
        self.counts[table] += rows.num_rows
        waiting = self.waiting.setdefault((table, by_date), [])
        waiting.append(rows)
        if sum(part.num_rows for part in waiting) >= ROWS_PER_FILE:
            self.flush()

    def flush(self) -> None:
        """Writes what waits: a batch of rows spreads over many dates, and a file for each would be tiny."""
        for (table, by_date), parts in self.waiting.items():
            self._save(table, pa.concat_tables(parts), by_date)
        self.waiting.clear()

    def _save(self, table: str, rows: pa.Table, by_date: bool) -> None:
        self.parts[table] += 1
        name = f"part-{self.parts[table]:05d}"
        if not by_date:
            (self.folder / table).mkdir(parents=True, exist_ok=True)
            pq.write_table(rows, self.folder / table / f"{name}.parquet", compression="snappy")
            return
        pads.write_dataset(
            rows,
            self.folder / table,
            format="parquet",
            partitioning=pads.partitioning(pa.schema([("date", pa.string())]), flavor="hive"),
            basename_template=f"{name}-{{i}}.parquet",
            existing_data_behavior="overwrite_or_ignore",
            max_partitions=100_000,
            max_open_files=512,
        )

    def reject(self, table: str, file: str, bad: list[tuple[int, str, Any]]) -> None:
        """Puts rows, given as (number, reason, cells), into quarantine and tells of the first."""
        if not bad:
            return
        for number, reason, _ in bad:
            self.problems[f"{table}: {reason}"] += 1
            if self.shown < SHOWN_PROBLEMS:
                self.shown += 1
                log(f"{file} row {number}: {reason}")
        self.parts["quarantine"] += 1
        folder = self.quarantine / table / self.batch
        folder.mkdir(parents=True, exist_ok=True)
        rows = {
            "reason": [reason for _, reason, _ in bad],
            "batch": [self.batch] * len(bad),
            "row_number": [number for number, _, _ in bad],
            "row": [json.dumps(cells, default=str, ensure_ascii=False) for _, _, cells in bad],
        }
        pq.write_table(pa.table(rows), folder / f"part-{self.parts['quarantine']:05d}.parquet")


def _split(
    run: Import, table: str, file: TableFile, rows: Rows, checks: list[tuple[str, pa.Array]]
) -> np.ndarray:
    """Rejects each row that fails a check (reason, whether a row is bad); returns the indices of the good ones."""
    reasons = np.full(len(rows.numbers), "", dtype=object)
    for reason, bad in reversed(checks):
        reasons[np.asarray(pc.fill_null(bad, True))] = reason
    wrong = np.flatnonzero(reasons != "")
    names = list(rows.columns)
    rejected = [
        (rows.numbers[i], reasons[i], {name: rows.columns[name][int(i)].as_py() for name in names})
        for i in wrong
    ]
    run.reject(table, file.name, sorted(rows.broken + rejected, key=lambda row: row[0]))
    return np.flatnonzero(reasons == "")


def _nulls(count: int, kind: pa.DataType) -> pa.Array:
    return pa.nulls(count, kind)


def _column(rows: Rows, roles: Roles, role: str) -> pa.Array | None:
    name = roles.columns.get(role)
    if name is None:
        return None
    column = rows.columns[name]
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _ids(rows: Rows, roles: Roles, role: str) -> pa.Array:
    column = _column(rows, roles, role)
    return _nulls(len(rows.numbers), pa.string()) if column is None else values.text(column)


def _unreadable(column: pa.Array | None, read: pa.Array) -> pa.Array:
    """Whether a cell says something, and that could not be read."""
    if column is None:
        return pa.array(np.zeros(len(read), dtype=bool))
    return pc.and_(pc.is_valid(values.text(column)), pc.is_null(read))


def import_events(run: Import, file: TableFile, roles: Roles) -> None:
    times = values.Times()
    for rows in file.batches():
        count = len(rows.numbers)
        user, product = _ids(rows, roles, "user_id"), _ids(rows, roles, "product_id")
        kind_column = _column(rows, roles, "type")
        kind = pa.array(["VIEW"] * count) if kind_column is None else values.event_type(kind_column)
        time_column = _column(rows, roles, "occurred_at")
        time = _nulls(count, TIMESTAMP) if time_column is None else times.read(time_column)
        quantity_column = _column(rows, roles, "quantity")
        quantity = pa.array(np.ones(count)) if quantity_column is None else values.number(quantity_column)
        given = pa.array(np.ones(count, dtype=bool)) if quantity_column is None else _said(quantity_column)
        quantity = pc.if_else(given, quantity, 1.0)
        price_column = _column(rows, roles, "price")
        price = _nulls(count, pa.float64()) if price_column is None else values.number(price_column)
        good = _split(
            run,
            "events",
            file,
            rows,
            [
                ("no product", pc.is_null(product)),
                ("unknown event type", pc.is_null(kind)),
                ("quantity is not a number above 0", pc.less_equal(quantity, 0)),
                ("quantity is too large", pc.greater(quantity, 10_000_000)),
                ("unreadable time", _unreadable(time_column, time)),
                ("price is not a number of 0 or more", pc.fill_null(pc.less(price, 0), False)),
            ],
        )
        event_id = _ids(rows, roles, "event_id")
        made = pa.array([f"{run.batch}-{number}" for number in rows.numbers])
        table = pa.table(
            {
                "event_id": pc.coalesce(event_id, made),
                "user_id": user,
                "product_id": product,
                "type": kind,
                "quantity": pc.cast(pc.max_element_wise(pc.round(quantity), 1.0), pa.int32(), safe=False),
                "occurred_at": time,
                "price": price,
                "date": pc.strftime(time, "%Y-%m-%d"),
            }
        ).take(good)
        run.write("events", table, by_date=True)
        run.product_ids.update(table["product_id"].unique().to_pylist())
        run.user_ids.update(user for user in table["user_id"].unique().to_pylist() if user is not None)


def _said(column: pa.Array) -> pa.Array:
    return pc.is_valid(values.text(column))


def import_sales(run: Import, file: TableFile, roles: Roles) -> None:
    times = values.Times()
    start = _first_period(run, roles)
    ledger = Ledger()
    for rows in file.batches():
        product = _sold(run, rows, roles)
        if roles.wide:
            good = _import_periods(run, file, roles, rows, product, start)
        else:
            time = times.read(_column(rows, roles, "date"))
            units = values.number(_column(rows, roles, "units"))
            price_column = _column(rows, roles, "price")
            price = None if price_column is None else values.number(price_column)
            promotion, stock = _column(rows, roles, "promotion"), _column(rows, roles, "in_stock")
            good = _split(
                run,
                "sales",
                file,
                rows,
                [
                    ("no product", pc.is_null(product)),
                    ("unreadable date", pc.is_null(time)),
                    ("units are not a number of 0 or more", pc.less(units, 0)),
                ],
            )
            table = _ledger(
                product,
                units,
                pc.strftime(time, "%Y-%m-%d"),
                price,
                None if promotion is None else values.flag(promotion),
                None if stock is None else values.flag(stock),
            ).take(good)
            ledger.add(table)
        run.product_ids.update(product.take(pa.array(good)).unique().to_pylist())
    sales = ledger.rows()
    if sales.num_rows < ledger.lines:
        log(f"{file.name}: {ledger.lines} lines added up to {sales.num_rows} rows, one per product and day")
    run.write("sales", sales, by_date=True)


def _sold(run: Import, rows: Rows, roles: Roles) -> pa.Array:
    """The ids of what was sold: without a file of products, each store's own, `store/product`."""
    product = _ids(rows, roles, "product_id")
    if not run.by_store:
        return product
    store = pc.coalesce(_ids(rows, roles, "store_id"), pa.scalar("?"))
    sold = pc.binary_join_element_wise(store, product, "/")
    run.stores.update(zip(sold.to_pylist(), store.to_pylist(), strict=True))
    return sold


def _import_periods(
    run: Import, file: TableFile, roles: Roles, rows: Rows, product: pa.Array, start: date
) -> np.ndarray:
    """Turns one column per period into one row per product and period; empty cells are left out."""
    units = {name: values.number(rows.columns[name]) for name, _ in roles.wide}
    checks = [("no product", pc.is_null(product))]
    for name, read in units.items():
        bad = pc.or_(_unreadable(rows.columns[name], read), pc.fill_null(pc.less(read, 0), False))
        checks.append((f"{name} is not a number of 0 or more", bad))
    good = _split(run, "sales", file, rows, checks)
    for name, period in roles.wide:
        day = (start + timedelta(days=period * roles.wide_days)).isoformat()
        table = _ledger(product, units[name], [day] * len(product)).take(good)
        run.write("sales", table.filter(pc.is_valid(table["units"])), by_date=True)
    return good


def _first_period(run: Import, roles: Roles) -> date:
    """First day of the first column of a wide ledger; without --start-date the last one ended just before today."""
    if run.start_date:
        return run.start_date
    if not roles.wide:
        return date.min
    today = datetime.now(UTC).date()
    last = today - timedelta(days=today.weekday() + 7) if roles.wide_days == 7 else today - timedelta(days=1)
    return last - timedelta(days=roles.wide[-1][1] * roles.wide_days)


def _ledger(
    product: pa.Array,
    units: pa.Array,
    day: Any,
    price: pa.Array | None = None,
    promotion: pa.Array | None = None,
    in_stock: pa.Array | None = None,
) -> pa.Table:
    count = len(product)
    return pa.table(
        {
            "product_id": product,
            "units": units,
            "price": _nulls(count, pa.float64()) if price is None else price,
            "promotion": _nulls(count, pa.bool_()) if promotion is None else promotion,
            "in_stock": _nulls(count, pa.bool_()) if in_stock is None else in_stock,
            "date": pa.array(day) if isinstance(day, list) else day,
        }
    )


def import_products(run: Import, file: TableFile, roles: Roles) -> None:
    times = values.Times()
    seen: set[str] = set()
    extra = roles.rest[:MOST_ATTRIBUTES]
    for rows in file.batches():
        count = len(rows.numbers)
        ids = _ids(rows, roles, "id")
        again = []
        for value in ids.to_pylist():
            again.append(value is not None and value in seen)
            seen.add(value)
        price_column = _column(rows, roles, "price")
        price = pa.array(np.zeros(count)) if price_column is None else values.number(price_column)
        price = price if price_column is None else pc.if_else(_said(price_column), price, 0.0)
        good = _split(
            run,
            "products",
            file,
            rows,
            [
                ("no id", pc.is_null(ids)),
                ("the id is in the file twice", pa.array(again)),
                ("price is not a number of 0 or more", pc.less(price, 0)),
            ],
        )
        texts = {
            role: _ids(rows, roles, role)
            for role in ("name", "sku", "description", "currency", "category", "image_url")
        }
        stock_column, created_column = _column(rows, roles, "stock"), _column(rows, roles, "created_at")
        stock = _nulls(count, pa.float64()) if stock_column is None else values.number(stock_column)
        attributes = {name: values.text(rows.columns[name]).to_pylist() for name in extra}
        table = pa.table(
            {
                "id": ids,
                "sku": pc.coalesce(texts["sku"], ids),
                "name": pc.coalesce(texts["name"], ids),
                "description": pc.coalesce(texts["description"], pa.scalar("")),
                "price": price,
                "currency": pc.coalesce(pc.utf8_upper(texts["currency"]), pa.scalar(run.currency)),
                "category_id": pa.array([_category(run, name) for name in texts["category"].to_pylist()]),
                "attributes": pa.array(
                    [
                        [(name, cells[i]) for name, cells in attributes.items() if cells[i]]
                        for i in range(count)
                    ],
                    ATTRIBUTES,
                ),
                "stock": pc.cast(pc.floor(stock), pa.int32(), safe=False),
                "image_url": texts["image_url"],
                "created_at": _nulls(count, TIMESTAMP)
                if created_column is None
                else times.read(created_column),
            }
        ).take(good)
        run.write("products", table)


def _category(run: Import, name: str | None) -> str:
    """The id of a category by its name; of several, separated by | or >, the first."""
    name = re.split(r"[|>]", name)[0].strip() if name else ""
    name = name or NO_CATEGORY
    slug = (
        re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or hashlib.sha256(name.encode()).hexdigest()[:12]
    )
    run.categories.setdefault(f"c-{slug}", name)
    return f"c-{slug}"


def import_users(run: Import, file: TableFile, roles: Roles) -> None:
    seen: set[str] = set()
    for rows in file.batches():
        ids = _ids(rows, roles, "id")
        again = []
        for value in ids.to_pylist():
            again.append(value is not None and value in seen)
            seen.add(value)
        good = _split(
            run,
            "users",
            file,
            rows,
            [("no id", pc.is_null(ids)), ("the id is in the file twice", pa.array(again))],
        )
        name = pc.coalesce(_ids(rows, roles, "name"), ids)
        run.write("users", pa.table({"id": ids, "name": name}).take(good))


def _describe_the_rest(run: Import, given: set[str]) -> None:
    """Products and users that no file describes, from the ids met; and the categories."""
    if "products" not in given and run.product_ids:
        ids = pa.array(sorted(run.product_ids))
        count = len(ids)
        columns = {
            "id": ids,
            "sku": ids,
            "name": ids,
            "description": pa.array([""] * count),
            "price": pa.array(np.zeros(count)),
            "currency": pa.array([run.currency] * count),
            "category_id": pa.array(
                [
                    _category(run, f"Store {run.stores[i]}" if i in run.stores else None)
                    for i in ids.to_pylist()
                ]
            ),
            "attributes": pa.array([[]] * count, ATTRIBUTES),
            "stock": _nulls(count, pa.int32()),
            "image_url": _nulls(count, pa.string()),
            "created_at": _nulls(count, TIMESTAMP),
        }
        run.write("products", pa.table(columns))
    if "users" not in given and run.user_ids:
        ids = pa.array(sorted(run.user_ids))
        run.write("users", pa.table({"id": ids, "name": ids}))
    if run.categories:
        ids, names = list(run.categories), list(run.categories.values())
        run.write(
            "categories", pa.table({"id": ids, "name": names, "parent_id": _nulls(len(ids), pa.string())})
        )


IMPORTERS = {
    "products": import_products,
    "users": import_users,
    "events": import_events,
    "sales": import_sales,
}


def _batch_name(paths: dict[str, str], options: list[Any]) -> str:
    digest = hashlib.sha256(json.dumps(options, default=str).encode())
    for table, path in sorted(paths.items()):
        digest.update(table.encode())
        with open(path, "rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return f"imported-{digest.hexdigest()[:16]}"


def _forget(lake: LocalStorage, batch: str) -> None:
    """Deletes a batch, and what its import put into quarantine."""
    lake.delete(f"raw/{batch}")
    for table in lake.names("quarantine"):
        lake.delete(f"quarantine/{table}/{batch}")


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="npm run import --",
        description="Imports your own data; it replaces what was imported or generated before.",
    )
    parser.add_argument("--lake", required=True, help=argparse.SUPPRESS)
    for table in TABLES:
        needed = ", ".join(NEEDED[table])
        parser.add_argument(
            f"--{table}", metavar="FILE", help=f"CSV or Parquet with columns for {needed}, and more"
        )
    parser.add_argument(
        "--column",
        metavar="ROLE=COLUMN",
        action="append",
        default=[],
        help="which column is what, where the name does not tell; for one file, TABLE.ROLE=COLUMN",
    )
    parser.add_argument(
        "--start-date",
        metavar="DAY",
        type=date.fromisoformat,
        help="first day of the first period of a ledger in columns",
    )
    parser.add_argument(
        "--currency", default="JPY", help="ISO 4217 code of prices without one (default: JPY)"
    )
    return parser.parse_args(arguments)


def _given_columns(assignments: list[str], table: str) -> dict[str, str]:
    given = {}
    for assignment in assignments:
        role, separator, source = assignment.partition("=")
        if not separator or not source:
            raise JobError("IMPORT_OPTIONS", f"--column {assignment} does not read like ROLE=COLUMN.")
        owner, dot, name = role.rpartition(".")
        if not dot or owner == table:
            given[name] = source
    return given


def main(arguments: list[str] | None = None) -> None:
    options = _arguments(arguments)
    paths = {table: getattr(options, table) for table in TABLES if getattr(options, table)}
    if not paths:
        raise JobError("IMPORT_OPTIONS", "Name at least one file: --events, --sales, --products or --users.")
    opened: dict[str, tuple[TableFile, Roles]] = {}
    for table, path in paths.items():
        file = open_table(path)
        roles = recognise(table, file.columns, _given_columns(options.column, table), file.name)
        opened[table] = (file, roles)
        for note in file.notes + roles.notes:
            log(f"{file.name}: {note}")
        chosen = ", ".join(f"{role} = {column}" for role, column in roles.columns.items())
        log(f"{file.name}: {chosen}")
        if roles.rest and table != "products":
            log(f"{file.name}: not used: {', '.join(roles.rest[:20])}{' …' if len(roles.rest) > 20 else ''}")

    lake = open_storage(options.lake)
    if not isinstance(lake, LocalStorage):
        raise JobError("LAKE_UNSUPPORTED", "Imports go to a lake that is a folder.")
    batch = _batch_name(paths, [options.column, options.start_date, options.currency])
    run = Import(
        batch,
        Path(lake.path(f"raw/{batch}")),
        Path(lake.path("quarantine")),
        options.start_date,
        options.currency.upper(),
    )
    if "sales" in opened and "store_id" in opened["sales"][1].columns:
        # A catalogue names products, not the products of a store: with one, the stores are added up.
        run.by_store = "products" not in paths
    if lake.committed(f"raw/{batch}"):
        about = lake.read_json(f"raw/{batch}/batch.json")
        counts, problems = about["counts"], about["inputs"].get("problems", {})
        log("These files were imported before; nothing has changed.")
    else:
        _forget(lake, batch)
        try:
            for index, (table, (file, roles)) in enumerate(opened.items()):
                progress(index / len(opened), f"import {table}")
                IMPORTERS[table](run, file, roles)
                if run.counts[table] == 0:
                    raise JobError("IMPORT_EMPTY", f"{file.name} has no row that can be used.")
            _describe_the_rest(run, set(paths))
            run.flush()
        except BaseException:
            _forget(lake, batch)
            raise
        counts, problems = dict(run.counts), dict(run.problems)
        files = {table: file.name for table, (file, _) in opened.items()}
        commit_batch(lake, batch, {"files": files, "currency": run.currency, "problems": problems}, counts)
    for old in lake.names("raw"):
        # Also those that a crash left without a mark.
        if old != batch and old.startswith(("generated-", "imported-")):
            _forget(lake, old)
    for problem, count in sorted(problems.items(), key=lambda item: -item[1]):
        log(f"{count} rows in quarantine: {problem}")
    log(", ".join(f"{count} {table}" for table, count in counts.items()) + " imported")
    progress(1, "done")
    result({"batch": batch, "counts": counts, "problems": problems})


if __name__ == "__main__":
    run_job(main)
