"""Turns a column of text (or of any Parquet type) into ids, numbers, times and yes/no; null where it cannot."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

_YES = {"1", "true", "t", "yes", "y"}
_NO = {"0", "false", "f", "no", "n"}
_EMPTY = ("", "null", "none", "nan", "na", "n/a", "\\n")


def text(column: pa.Array) -> pa.Array:
    """Trimmed strings; null for empty cells and the usual words for nothing. 12.0 becomes "12"."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_floating(column.type):
        # Ids that went through a tool with missing values come back as floats.
        whole = pc.cast(pc.if_else(pc.equal(pc.floor(column), column), column, None), pa.int64(), safe=False)
        column = pc.coalesce(pc.cast(whole, pa.string()), pc.cast(column, pa.string()))
    elif not pa.types.is_string(column.type):
        try:
            column = pc.cast(column, pa.string())
        except pa.ArrowNotImplementedError:
            column = pa.array(
                [None if value is None else str(value) for value in column.to_pylist()], pa.string()
            )
    column = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.is_in(pc.utf8_lower(column), pa.array(_EMPTY)), None, column)


def number(column: pa.Array) -> pa.Array:
    """Doubles. Understands 1,234.50 and 3,50 and a currency sign; null for what is no number."""
    if pa.types.is_boolean(column.type):
        return pc.cast(pc.cast(column, pa.int8()), pa.float64())
    if (
        pa.types.is_integer(column.type)
        or pa.types.is_floating(column.type)
        or pa.types.is_decimal(column.type)
    ):
        values = pc.cast(column, pa.float64(), safe=False)
        return pc.if_else(pc.is_finite(values), values, None)
    cells = pc.replace_substring_regex(text(column), r"^[$€£¥]\s*|\s*[$€£¥]$", "")
    cells = pc.if_else(
        pc.match_substring_regex(cells, r"^-?\d+,\d{1,2}$"), pc.replace_substring(cells, ",", "."), cells
    )
    thousands = pc.match_substring_regex(cells, r"^-?\d{1,3}(,\d{3})+(\.\d+)?$")
    cells = pc.if_else(thousands, pc.replace_substring(cells, ",", ""), cells)
    sound = pc.match_substring_regex(cells, r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$")
    cells = pc.if_else(sound, pc.replace_substring_regex(cells, r"^\+", ""), None)
    return pc.cast(cells, pa.float64())


def flag(column: pa.Array) -> pa.Array:
    """Booleans; any number above 0 is yes."""
    if pa.types.is_boolean(column.type):
        return column
    cells = pc.utf8_lower(text(column))
    yes = pc.or_kleene(pc.is_in(cells, pa.array(sorted(_YES))), pc.greater(number(cells), 0))
    no = pc.or_kleene(pc.is_in(cells, pa.array(sorted(_NO))), pc.less_equal(number(cells), 0))
    return pc.case_when(pc.make_struct(pc.fill_null(yes, False), pc.fill_null(no, False)), True, False)


_ZONE = r":\d\d.*(?:[Zz]|[+-]\d\d:?(?:\d\d)?)$"


class Times:
    """Reads times: epoch seconds, milliseconds or microseconds, ISO 8601, or day and month in either order.

    The order is decided once, from the first batch in which it shows, and kept for the file.
    """

    def __init__(self) -> None:
        self.day_first: bool | None = None

    def read(self, column: pa.Array) -> pa.Array:
        """Timestamps with microseconds, UTC; times without a zone are taken as UTC."""
        kind = pa.timestamp("us", tz="UTC")
        if pa.types.is_timestamp(column.type):
            return (
                pc.cast(column, kind, safe=False)
                if column.type.tz
                else pc.assume_timezone(pc.cast(column, pa.timestamp("us"), safe=False), "UTC")
            )
        if pa.types.is_date(column.type):
            return pc.assume_timezone(pc.cast(column, pa.timestamp("us")), "UTC")
        cells = text(column)
        epoch = pc.if_else(pc.match_substring_regex(cells, r"^\d{9,17}(\.\d+)?$"), cells, None)
        numbers = pc.cast(epoch, pa.float64()).to_numpy(zero_copy_only=False)
        scale = np.select([numbers < 1e11, numbers < 1e14], [1e6, 1e3], 1.0)
        micros = np.where(np.isnan(numbers), np.iinfo(np.int64).min, np.nan_to_num(numbers * scale)).astype(
            np.int64
        )
        series = pd.Series(micros.view("datetime64[us]")).dt.tz_localize("UTC")
        words = pc.if_else(pc.is_valid(epoch), None, cells).to_pandas()
        rest = words.notna()
        if rest.any():
            series = series.where(~rest, self._words(words[rest]).reindex(series.index))
        return pa.Array.from_pandas(series, type=kind)

    def _words(self, cells: pd.Series) -> pd.Series:
        # The same few dates come again and again: read each once.
        distinct = pd.Series(cells.unique())
        parsed = pd.Series(pd.NaT, index=distinct.index, dtype="datetime64[us, UTC]")
        # Apart, because pandas takes a time without a zone to be of the zone that was written before it.
        zoned = distinct.str.contains(_ZONE)
        for part in (distinct[zoned], distinct[~zoned]):
            parsed[part.index] = pd.to_datetime(part, format="ISO8601", utc=True, errors="coerce").dt.as_unit(
                "us"
            )
        missing = parsed.isna()
        if missing.any():
            parsed[missing] = self._other(distinct[missing])
        parsed = parsed.dt.as_unit("us")
        return cells.map(dict(zip(distinct, parsed, strict=True)))

    def _other(self, cells: pd.Series) -> pd.Series:
        compact = cells.where(cells.str.fullmatch(r"\d{8}"))
        parsed = pd.to_datetime(compact, format="%Y%m%d", utc=True, errors="coerce")
        if self.day_first is None:
            parts = cells.str.extract(r"^(\d{1,2})[./-](\d{1,2})[./-]\d{2,4}").astype(float)
            dotted = cells.str.contains(r"^\d{1,2}\.\d{1,2}\.").any()
            if (parts[0] > 12).any() or dotted:
                self.day_first = True
            elif (parts[1] > 12).any():
                self.day_first = False
        free = pd.to_datetime(
            cells.where(parsed.isna() & ~cells.str.fullmatch(r"[\d.]+")),
            format="mixed",
            dayfirst=bool(self.day_first),
            utc=True,
            errors="coerce",
        )
        return parsed.fillna(free)


_TYPES = {
    "VIEW": "view pv click clicked impression detail detailview productview viewed visit browse browsed open play played "
    "listen rating review read watch",
    "ADD_TO_CART": "addtocart cart addcart basket addtobasket added carted fav favorite favourite wishlist like liked "
    "addtowishlist begincheckout checkout",
    "PURCHASE": "purchase purchased buy bought order ordered transaction sale sold conversion payment paid",
}
_TYPE_OF = {name: kind for kind, names in _TYPES.items() for name in names.split()}


def event_type(column: pa.Array) -> pa.Array:
    """VIEW, ADD_TO_CART or PURCHASE from the many words shops use; null for another word."""
    cells = text(column)
    distinct = cells.unique()
    meaning = [_TYPE_OF.get(re.sub(r"[^a-z]", "", (name or "").lower())) for name in distinct.to_pylist()]
    return pa.array(meaning, pa.string()).take(pc.index_in(cells, distinct))
