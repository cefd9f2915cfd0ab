"""Reads a prepared dataset into arrays: users and items are numbered, one row per user and item."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import scipy.sparse as sp

MICROSECONDS_PER_DAY = 86_400_000_000
SPLITS = ("train", "valid", "test")
COUNTS = ("views", "carts", "purchases", "weight")


@dataclass(frozen=True)
class Interactions:
    """What users did, at most one row per (user, item), sorted by user, then item.

    `weight` is the dataset's log-scaled mix of the counts, log(1 + points); `day` the last interaction
    in days since 1970 (NaN: unknown).
    """

    shape: tuple[int, int]
    """(users, items)"""
    user: np.ndarray
    item: np.ndarray
    views: np.ndarray
    carts: np.ndarray
    purchases: np.ndarray
    weight: np.ndarray
    day: np.ndarray

    def __len__(self) -> int:
        return len(self.user)

    @cached_property
    def indptr(self) -> np.ndarray:
        """Rows of user u are indptr[u]:indptr[u + 1]."""
        return np.searchsorted(self.user, np.arange(self.shape[0] + 1))

    def matrix(self, values: np.ndarray | None = None) -> sp.csr_matrix:
        """Users x items, float64; ones where `values` is None, explicit zeros removed."""
        data = np.ones(len(self)) if values is None else np.asarray(values, dtype=np.float64)
        # Copied, because eliminate_zeros works in place.
        matrix = sp.csr_matrix((data, self.item, self.indptr), shape=self.shape, copy=True)
        if values is not None:
            matrix.eliminate_zeros()
        return matrix

    def take(self, rows: np.ndarray) -> "Interactions":
        """The given rows (a mask, or indices in ascending order)."""
        columns = {name: getattr(self, name)[rows] for name in ("user", "item", *COUNTS, "day")}
        return Interactions(self.shape, **columns)

    def of_users(self, users: np.ndarray) -> "Interactions":
        """Rows of the given users (ascending), renumbered 0..len(users)."""
        starts, ends = self.indptr[users], self.indptr[users + 1]
        rows = concatenated_ranges(starts, ends)
        part = self.take(rows)
        local = np.repeat(np.arange(len(users), dtype=np.int32), ends - starts)
        columns = {name: getattr(part, name) for name in ("item", *COUNTS, "day")}
        return Interactions((len(users), self.shape[1]), user=local, **columns)

    def newest_first(self) -> np.ndarray:
        """Row numbers by user, then last interaction (unknown ones last), then weight, then item number."""
        day = np.where(np.isnan(self.day), -np.inf, self.day)
        return np.lexsort((self.item, -self.weight, -day, self.user))

    def limited(self, most: int) -> "Interactions":
        """The newest (without times: heaviest) `most` rows of every user: the history that serving keeps."""
        order = self.newest_first()
        position = np.arange(len(self)) - self.indptr[self.user[order]]
        return self.take(np.sort(order[position < most]))


@dataclass(frozen=True)
class Items:
    """The catalogue, ids sorted; an item's number is its place in `ids`."""

    ids: list[str]
    categories: list[str]
    category: np.ndarray
    """number in `categories`, -1: none"""
    log_price: np.ndarray
    """natural logarithm, NaN: unknown"""
    created_day: np.ndarray
    """days since 1970, NaN: unknown"""
    tokens: sp.csr_matrix
    """items x attribute values ("steel=tamahagane") and categories, ones"""

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Dataset:
    users: list[str]
    items: Items
    splits: dict[str, Interactions]
    manifest: dict = field(default_factory=dict)

    def merged(self, *names: str) -> Interactions:
        """Several splits as one history: counts add up, the last interaction is the latest."""
        parts = [self.splits[name] for name in names]
        if len(parts) == 1:
            return parts[0]
        columns = {
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in ("user", "item", *COUNTS, "day")
        }
        return _unique_rows(parts[0].shape, columns)


def load_dataset(data_dir: str | Path) -> Dataset:
    """Reads interactions/, products/ (optional) and manifest.json (optional) of a dataset folder."""
    root = Path(data_dir)
    manifest_file = root / "manifest.json"
    manifest = json.loads(manifest_file.read_text()) if manifest_file.exists() else {}
    columns = ["user_id", "product_id", "split", "views", "carts", "purchases", "weight", "last_at"]
    table = read_folder(root / "interactions", columns)
    products = read_folder(root / "products") if (root / "products").exists() else None

    users, user = _numbered(table["user_id"])
    known = [] if products is None else products["product_id"].to_pylist()
    ids, item = _numbered(table["product_id"], known)
    values = {name: table[name].cast(pa.float64()).to_numpy() for name in COUNTS} | {
        "user": user,
        "item": item,
        "day": _days(table["last_at"]),
    }
    split = table["split"].to_numpy(zero_copy_only=False)
    shape = (len(users), len(ids))
    splits = {}
    for name in SPLITS:
        rows = split == name
        splits[name] = _unique_rows(shape, {key: value[rows] for key, value in values.items()})
    return Dataset(users, _items(ids, products), splits, manifest)


def read_folder(folder: Path, columns: list[str] | None = None) -> pa.Table:
    """All Parquet files of a folder as one table; an empty or missing folder is an empty table of strings."""
    files = sorted(folder.rglob("*.parquet")) if folder.exists() else []
    if not files:
        return pa.table({name: pa.array([], pa.null()) for name in columns or []})
    return pa.concat_tables(
        [pq.ParquetFile(file).read(columns=columns) for file in files], promote_options="permissive"
    )


def concatenated_ranges(starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """[starts[0]..ends[0]), [starts[1]..ends[1]), … as one array, without a loop."""
    lengths = ends - starts
    offsets = np.repeat(starts - np.concatenate(([0], np.cumsum(lengths)[:-1])), lengths)
    return np.arange(lengths.sum()) + offsets


def _numbered(column: pa.ChunkedArray, known: Iterable[str] = ()) -> tuple[list[str], np.ndarray]:
    """Sorted distinct values of a column and of `known`, and each row's number among them."""
    encoded = column.cast(pa.string()).combine_chunks().dictionary_encode()
    values = encoded.dictionary.to_pylist()
    names = sorted(set(values) | {str(value) for value in known})
    place = {name: number for number, name in enumerate(names)}
    number_of = np.array([place[value] for value in values], dtype=np.int32)
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    return names, number_of[codes] if len(values) else np.empty(0, dtype=np.int32)


def _days(column: pa.ChunkedArray) -> np.ndarray:
    """Timestamps as fractional days since 1970, null as NaN."""
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan)
    micros = column.cast(pa.timestamp("us", tz=column.type.tz)).cast(pa.int64())
    valid = pc.is_valid(micros).to_numpy()
    filled = pc.fill_null(micros, 0).to_numpy()
    return np.where(valid, filled / MICROSECONDS_PER_DAY, np.nan)


def _unique_rows(shape: tuple[int, int], columns: dict[str, np.ndarray]) -> Interactions:
    key = columns["user"].astype(np.int64) * shape[1] + columns["item"]
    order = np.argsort(key, kind="stable")
    key = key[order]
    first = np.flatnonzero(np.diff(key, prepend=-1))
    # reduceat refuses an empty list
    add, latest = (np.add.reduceat, np.fmax.reduceat) if len(first) else (np.take, np.take)
    values = {name: columns[name][order] for name in COUNTS}
    sums = {name: add(values[name], first) for name in ("views", "carts", "purchases")}
    # Points add up, not their logarithms. fmax ignores NaN: a row with a time wins over one without.
    weight = np.log1p(add(np.expm1(values["weight"]), first))
    day = latest(columns["day"][order], first)
    user, item = (columns[name][order][first].astype(np.int32) for name in ("user", "item"))
    return Interactions(shape, user=user, item=item, weight=weight, day=day, **sums)


def _items(ids: list[str], products: pa.Table | None) -> Items:
    category = np.full(len(ids), -1, dtype=np.int32)
    log_price = np.full(len(ids), np.nan)
    created = np.full(len(ids), np.nan)
    if products is None or products.num_rows == 0:
        return Items(ids, [], category, log_price, created, sp.csr_matrix((len(ids), 0)))
    place = {name: number for number, name in enumerate(ids)}
    rows = np.array([place[str(name)] for name in products["product_id"].to_pylist()])
    has = set(products.column_names)
    names = [None if name is None else str(name) for name in products["category_id"].to_pylist()]
    categories = sorted({name for name in names if name is not None})
    number = {name: index for index, name in enumerate(categories)}
    category[rows] = [-1 if name is None else number[name] for name in names]
    if "price" in has:
        price = products["price"].cast(pa.float64()).to_numpy(zero_copy_only=False)
        log_price[rows] = np.log(np.where(price > 0, price, np.nan))
    if "created_at" in has:
        created[rows] = _days(products["created_at"])
    pairs = [[f"category={name}"] if name is not None else [] for name in names]
    if "attributes" in has:
        for tokens, attributes in zip(pairs, products["attributes"].to_pylist(), strict=True):
            tokens.extend(f"{name}={value}" for name, value in sorted(dict(attributes or ()).items()))
    vocabulary = {token: number for number, token in enumerate(sorted(set().union(*pairs)))}
    columns = np.array([vocabulary[token] for row in pairs for token in row], dtype=np.int32)
    of_row = np.repeat(rows, [len(row) for row in pairs])
    tokens = sp.csr_matrix((np.ones(len(columns)), (of_row, columns)), shape=(len(ids), len(vocabulary)))
    return Items(ids, categories, category, log_price, created, tokens)
