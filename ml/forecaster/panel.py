"""A dataset's sales as one dense grid of series × periods: products, categories with their descendants, the shop."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.dataset as pads

STEP_DAYS = {"day": 1, "week": 7}
FOLDER = {"day": "sales", "week": "sales_weekly"}


@dataclass(frozen=True)
class Panel:
    """All arrays are [series, period]. The order of series: products, then categories, then the shop (last)."""

    granularity: str
    start: pd.Timestamp
    """First day of column 0; column c starts `c * step_days` days later."""
    keys: list[tuple[str, str]]
    """(kind, id) of each row; kind is product, category or shop."""
    units: np.ndarray
    """float64; NaN before a series' first period, never after it."""
    price: np.ndarray
    """float64; NaN where unknown, and for categories and the shop."""
    promotion: np.ndarray
    """float64 0 or 1; 0 for categories and the shop."""
    in_stock: np.ndarray
    """float64 0 or 1; 1 for categories and the shop."""
    category: np.ndarray
    """int: the row of the series' category; a category's is its parent's; without one, the shop's row."""

    @property
    def step_days(self) -> int:
        return STEP_DAYS[self.granularity]

    @property
    def periods(self) -> int:
        return self.units.shape[1]

    @property
    def shop(self) -> int:
        return len(self.keys) - 1

    @property
    def products(self) -> np.ndarray:
        """Rows that are products."""
        return np.array([i for i, (kind, _) in enumerate(self.keys) if kind == "product"], dtype=int)

    @property
    def first(self) -> np.ndarray:
        """Column of each series' first observation."""
        return np.argmax(~np.isnan(self.units), axis=1)

    def date(self, column: int) -> pd.Timestamp:
        """First day of a period; columns past the end are the future."""
        return self.start + pd.Timedelta(days=int(column) * self.step_days)

    def until(self, end: int) -> "Panel":
        """The panel as it was known when only columns before `end` existed; series that began later are all NaN."""
        return Panel(
            self.granularity,
            self.start,
            self.keys,
            self.units[:, :end],
            self.price[:, :end],
            self.promotion[:, :end],
            self.in_stock[:, :end],
            self.category,
        )


def read_table(folder: Path, columns: list[str]) -> pd.DataFrame | None:
    """A Parquet folder (plain or `key=value` partitioned); None when it is missing or empty. Adds absent columns as None."""
    folder = Path(folder)
    if not any(folder.rglob("*.parquet")):
        return None
    source = pads.dataset(folder, format="parquet", partitioning="hive")
    table = source.to_table(columns=[c for c in columns if c in source.schema.names]).to_pandas()
    for column in columns:
        if column not in table:
            table[column] = None
    if "date" in table:
        table["date"] = pd.to_datetime(table["date"]).dt.tz_localize(None).dt.normalize()
    return table[columns]


def load(data_dir: Path, granularity: str) -> Panel | None:
    """The panel of a dataset folder, or None when it has no sales of this granularity."""
    data_dir = Path(data_dir)
    sales = read_table(
        data_dir / FOLDER[granularity], ["date", "product_id", "units", "price", "promotion", "in_stock"]
    )
    if sales is None or sales.empty:
        return None
    products = read_table(data_dir / "products", ["product_id", "category_id"])
    categories = read_table(data_dir / "categories", ["id", "parent_id"])
    category_of = (
        {} if products is None else dict(zip(products.product_id, products.category_id, strict=True))
    )
    parent_of = {} if categories is None else dict(zip(categories.id, categories.parent_id, strict=True))
    return build(sales, granularity, category_of, parent_of)


def build(
    sales: pd.DataFrame,
    granularity: str,
    category_of: dict[str, str | None],
    parent_of: dict[str, str | None],
) -> Panel:
    """The panel of a table (date, product_id, units, and nullable price, promotion, in_stock)."""
    step = STEP_DAYS[granularity]
    start = sales["date"].min()
    column = ((sales["date"] - start).dt.days // step).to_numpy()
    ids, row = np.unique(sales["product_id"].astype(str).to_numpy(), return_inverse=True)
    periods = int(column.max()) + 1
    units = np.full((len(ids), periods), np.nan)
    units[row, column] = np.maximum(sales["units"].to_numpy(float), 0.0)
    # A period without a row inside a series' life sold nothing.
    alive = np.maximum.accumulate(~np.isnan(units), axis=1)
    units[alive & np.isnan(units)] = 0.0
    price = np.full(units.shape, np.nan)
    price[row, column] = pd.to_numeric(sales["price"], errors="coerce").to_numpy(float)
    promotion = np.zeros(units.shape)
    promotion[row, column] = _flag(sales["promotion"], missing=0.0)
    in_stock = np.ones(units.shape)
    in_stock[row, column] = _flag(sales["in_stock"], missing=1.0)

    members = _descendants(ids, category_of, parent_of)
    category_ids = sorted(members)
    shop = len(ids) + len(category_ids)
    rows = {key: len(ids) + i for i, key in enumerate(category_ids)}
    sums = [_sum(units[products]) for _, products in sorted(members.items())] + [_sum(units)]
    extra = len(sums)
    keys = [("product", str(i)) for i in ids] + [("category", c) for c in category_ids] + [("shop", "shop")]
    category = [rows.get(_text(category_of.get(i)), shop) for i in ids]
    category += [rows.get(_text(parent_of.get(c)), shop) for c in category_ids] + [shop]
    return Panel(
        granularity,
        start,
        keys,
        np.vstack([units, *sums]),
        np.vstack([price, np.full((extra, periods), np.nan)]),
        np.vstack([promotion, np.zeros((extra, periods))]),
        np.vstack([in_stock, np.ones((extra, periods))]),
        np.array(category, dtype=int),
    )


def _flag(column: pd.Series, missing: float) -> np.ndarray:
    return pd.to_numeric(column.map({True: 1.0, False: 0.0}), errors="coerce").fillna(missing).to_numpy(float)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _sum(units: np.ndarray) -> np.ndarray:
    """Total of the series that exist; NaN before the first of them."""
    return np.where(np.isnan(units).all(axis=0), np.nan, np.nan_to_num(units).sum(axis=0))


def _descendants(
    ids: np.ndarray, category_of: dict[str, str | None], parent_of: dict[str, str | None]
) -> dict[str, list[int]]:
    """Category → rows of the products in it or below it. A cycle of parents is walked once."""
    members: dict[str, list[int]] = {}
    for i, product in enumerate(ids):
        seen: set[str] = set()
        current = _text(category_of.get(product))
        while current and current not in seen:
            seen.add(current)
            members.setdefault(current, []).append(i)
            current = _text(parent_of.get(current))
    return members
