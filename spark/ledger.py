"""Adds up sales lines: a ledger has one row per product and day, a till's export one per line of a receipt."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

# So many lines are held before they are added up; after it, memory grows with products and days only.
_LINES_HELD = 1_000_000
_KEYS = ["product_id", "date"]


class Ledger:
    """Takes tables of lines (product_id, date, units, price, promotion, in_stock) and adds them up by product and date.

    units: the sum. price: the mean of the prices known. promotion, in_stock: true if any line says so.
    """

    def __init__(self) -> None:
        self.lines = 0
        self._sums: list[pa.Table] = []

    def add(self, lines: pa.Table) -> None:
        self.lines += lines.num_rows
        known = pc.is_valid(lines["price"])
        sums = {
            "product_id": lines["product_id"],
            "date": lines["date"],
            "units": lines["units"],
            "prices": lines["price"],
            "priced": pc.cast(known, pa.int64()),
            "promotion": lines["promotion"],
            "in_stock": lines["in_stock"],
        }
        self._sums.append(pa.table(sums))
        if sum(part.num_rows for part in self._sums) > _LINES_HELD:
            self._sums = [self._added()]

    def rows(self) -> pa.Table:
        """One row per product and date, with the columns of the lines, ordered by both."""
        if not self._sums:
            return pa.table({})
        sums = self._added().sort_by([("date", "ascending"), ("product_id", "ascending")])
        price = pc.divide(sums["prices"], pc.cast(sums["priced"], pa.float64()))
        return pa.table(
            {
                "product_id": sums["product_id"],
                "units": sums["units"],
                "price": pc.if_else(pc.greater(sums["priced"], 0), pc.round(price, 4), None),
                "promotion": sums["promotion"],
                "in_stock": sums["in_stock"],
                "date": sums["date"],
            }
        )

    def _added(self) -> pa.Table:
        added = (
            pa.concat_tables(self._sums)
            .group_by(_KEYS, use_threads=False)
            .aggregate(
                [
                    ("units", "sum"),
                    ("prices", "sum"),
                    ("priced", "sum"),
                    ("promotion", "max"),
                    ("in_stock", "max"),
                ]
            )
        )
        names = {"units_sum": "units", "prices_sum": "prices", "priced_sum": "priced"}
        names |= {"promotion_max": "promotion", "in_stock_max": "in_stock"}
        return added.rename_columns([names.get(name, name) for name in added.column_names])
