"""The features of the forecaster: the one definition, mirrored by subgraphs/forecast/features.ts.

A row is (series, origin, step): what is known at the end of period `origin` about period `origin + step`. Nothing
after the origin is read. Amounts are divided by the series' own recent `level`, so that one model serves a product
that sells once a month and the whole shop. No feature is ever NaN: what is not known takes its neutral value.
Nothing tells the date itself (day of the year, the shop's momentum): with a year or two of data such a feature names
the one time it was seen at, and the trees learn that time's accidents by heart.
All is computed in float64 and rounded to float32 at the end. A window reaches back from the origin and skips periods
before the series began; means, medians and shares are over what is left. `category_*` and `shop_*` are the same
features of the series' category (of a category: its parent; without one: the shop) and of the whole shop, over their
own levels. What comes after the features: forecaster.py.
Both sides are checked against golden/; change VERSION when any value changes.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecaster.panel import STEP_DAYS, Panel

VERSION = 1


@dataclass(frozen=True)
class Spec:
    """Lags and windows of one granularity, in periods."""

    granularity: str
    season: int
    """Aligned lags are whole seasons before the target: the same weekday for days, plain lags for weeks."""
    windows: tuple[int, ...]
    """Rolling means end at the origin; the last is also the window of the long statistics."""
    level: int
    """The level is the mean of this many last periods."""
    aligned: int
    """How many aligned lags are averaged; the first four are also features of their own."""
    year: int
    """Periods in a year of whole weeks."""
    year_reach: int
    """Last year's value is the mean of this many periods on either side."""
    horizon: int
    """Default forecast horizon, and the length of the test window."""
    max_horizon: int
    """The longest horizon the model is trained and served for."""

    @property
    def span(self) -> int:
        """Periods of history that the features read, counting the origin."""
        return self.year + self.level


SPECS = {
    "day": Spec("day", 7, (7, 14, 28, 56, 91), 28, 8, 364, 3, 28, 56),
    "week": Spec("week", 1, (2, 4, 8, 13, 26), 13, 8, 52, 1, 8, 26),
}


def names(spec: Spec) -> list[str]:
    """Feature names in the order of the columns."""
    origin = [
        "level",
        *(f"mean_{w}" for w in spec.windows),
        "median",
        "median_long",
        "deviation",
        "zeros",
        "zeros_long",
        "last",
        "base",
        "age",
        "promotion",
        "promotion_share",
        "price_ratio",
        "stock",
        "stock_share",
    ]
    own = ["lag_1", "lag_2", "lag_3", "lag_4", "aligned_mean", "aligned_median", "year"]
    parents = [f"{who}_{what}" for who in ("category", "shop") for what in ("aligned_mean", "year")]
    return [*origin, "step", *own, *parents, "weekday"]


def build(
    spec: Spec, panel: Panel, series: np.ndarray, origin: np.ndarray, step: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Features float32 [rows, features] and levels float64 [rows] of rows given as three int arrays of one length."""
    features = np.empty((len(series), len(names(spec))), dtype=np.float32)
    levels = np.empty(len(series))
    for rows in _chunks(len(series), 20_000):
        features[rows], levels[rows] = _build(spec, panel, series[rows], origin[rows], step[rows])
    return features, levels


def _build(
    spec: Spec, panel: Panel, series: np.ndarray, origin: np.ndarray, step: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    # What depends on the origin alone is computed once for all its steps.
    pairs, at = np.unique(np.stack([series, origin]), axis=1, return_inverse=True)
    at = at.reshape(-1)
    own = _Series(spec, panel, pairs[0], pairs[1])
    category = _Series(spec, panel, panel.category[pairs[0]], pairs[1])
    shop = _Series(spec, panel, np.full(len(pairs[0]), panel.shop), pairs[1])
    date = panel.start + pd.to_timedelta((origin + step) * STEP_DAYS[spec.granularity], unit="D")
    weekday = np.asarray(date.dayofweek if spec.granularity == "day" else np.zeros(len(date)))
    columns = [
        own.origin_features(panel)[at],
        step[:, None],
        own.target_features(at, step),
        category.parent_features(at, step),
        shop.parent_features(at, step),
        weekday[:, None],
    ]
    return np.concatenate(columns, axis=1).astype(np.float32), own.level[at]


class _Series:
    """The histories behind some (series, origin) pairs; `window(k)` is their last k values, NaN before the start."""

    def __init__(self, spec: Spec, panel: Panel, series: np.ndarray, origin: np.ndarray) -> None:
        self.spec, self.series, self.origin = spec, series, origin
        self.units = panel.units
        self.level = level(spec, self.window(max(spec.level, spec.windows[-1])))

    def window(self, length: int, values: np.ndarray | None = None) -> np.ndarray:
        return take(
            self.units if values is None else values,
            self.series,
            self.origin[:, None] + np.arange(1 - length, 1),
        )

    def origin_features(self, panel: Panel) -> np.ndarray:
        spec, level = self.spec, self.level
        long = self.window(spec.windows[-1])
        recent = long[:, -spec.level :] if spec.level <= long.shape[1] else self.window(spec.level)
        promotion = self.window(spec.level, panel.promotion)
        stock = self.window(spec.level, panel.in_stock)
        known = ~np.isnan(recent)
        ordinary = np.where((promotion > 0) | (stock == 0), np.nan, recent)
        price = self.window(spec.windows[-1], panel.price)
        average = mean(recent, np.zeros(len(recent)))
        deviation = np.sqrt(mean((recent - average[:, None]) ** 2, np.zeros(len(recent))))
        age = np.clip(self.origin - panel.first[self.series] + 1, 0, spec.year)
        return np.column_stack(
            [
                np.log1p(level),
                *(mean(long[:, -w:], level) / level for w in spec.windows),
                median(recent, level) / level,
                median(long, level) / level,
                deviation / level,
                share(recent == 0, known),
                share(long == 0, ~np.isnan(long)),
                recent[:, -1] / level,
                mean(ordinary, level) / level,
                np.log1p(age),
                promotion[:, -1],
                share(promotion > 0, known),
                price_ratio(price),
                stock[:, -1],
                share(stock > 0, known),
            ]
        )

    def target_features(self, at: np.ndarray, step: np.ndarray) -> np.ndarray:
        level = self.level[at]
        aligned = self._aligned(at, step)
        lags = np.where(np.isnan(aligned[:, :4]), level[:, None], aligned[:, :4]) / level[:, None]
        return np.column_stack(
            [lags, mean(aligned, level) / level, median(aligned, level) / level, self._year(at, step)]
        )

    def parent_features(self, at: np.ndarray, step: np.ndarray) -> np.ndarray:
        level = self.level[at]
        return np.column_stack([mean(self._aligned(at, step), level) / level, self._year(at, step)])

    def _aligned(self, at: np.ndarray, step: np.ndarray) -> np.ndarray:
        """Values 1, 2, … seasons before the target, starting with the last season that the origin has seen."""
        season = self.spec.season
        first = step - season * -(-step // season)  # the target's phase at or before the origin: ≤ 0
        columns = self.origin[at] + first
        return take(self.units, self.series[at], columns[:, None] - season * np.arange(self.spec.aligned))

    def _year(self, at: np.ndarray, step: np.ndarray) -> np.ndarray:
        """Last year's units around the target over last year's level at the origin; 1 without a full year."""
        spec = self.spec
        reach = np.arange(-spec.year_reach, spec.year_reach + 1)
        target = self.origin[at] + step - spec.year
        # A target more than a year less `reach` ahead would look past the origin: never, as horizons are far shorter.
        around = take(self.units, self.series[at], target[:, None] + reach)
        before = take(
            self.units,
            self.series[at],
            (self.origin[at] - spec.year)[:, None] + np.arange(1 - spec.level, 1),
        )
        level = mean(before, np.zeros(len(at)))
        known = ~(np.isnan(around).any(axis=1) | np.isnan(before).any(axis=1)) & (level > 0)
        ratio = mean(around, np.zeros(len(at))) / np.where(known, level, 1.0)
        return np.where(known, np.clip(ratio, 0.0, 10.0), 1.0)


def level(spec: Spec, history: np.ndarray) -> np.ndarray:
    """The scale of a series: the mean of its last `spec.level` values, but at least half the mean of all of `history`
    and at least one unit per that window, so that a series at rest is not scaled by nothing."""
    zero = np.zeros(len(history))
    floor = np.maximum(0.5 * mean(history, zero), 1.0 / history.shape[1])
    return np.maximum(mean(history[:, -spec.level :], zero), floor)


def level_at(spec: Spec, panel: Panel, series: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """Levels alone, without the features."""
    length = max(spec.level, spec.windows[-1])
    parts = [
        level(spec, take(panel.units, series[rows], origin[rows, None] + np.arange(1 - length, 1)))
        for rows in _chunks(len(series), 20_000)
    ]
    return np.concatenate(parts)


def take(values: np.ndarray, series: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """`values[series, columns]` with NaN for columns before the first; [rows, k] for columns [rows, k]."""
    found = values[series[:, None], np.maximum(columns, 0)]
    return np.where(columns < 0, np.nan, found)


def mean(values: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """Row means without NaN; `missing` where nothing is left."""
    known = ~np.isnan(values)
    count = known.sum(axis=1)
    return np.where(count > 0, np.where(known, values, 0.0).sum(axis=1) / np.maximum(count, 1), missing)


def median(values: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """Row medians without NaN; `missing` where nothing is left."""
    count = (~np.isnan(values)).sum(axis=1)
    ordered = np.sort(values, axis=1)  # NaN sort last
    rows = np.arange(len(values))
    low, high = np.maximum(count - 1, 0) // 2, np.minimum(count // 2, values.shape[1] - 1)
    return np.where(count > 0, (ordered[rows, low] + ordered[rows, high]) / 2, missing)


def share(hits: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Fraction of the known values that are hits."""
    return (hits & known).sum(axis=1) / np.maximum(known.sum(axis=1), 1)


def price_ratio(price: np.ndarray) -> np.ndarray:
    """Last price over the mean price of the window, within 0.2..5; 1 where either is unknown."""
    average = mean(price, np.zeros(len(price)))
    last = price[:, -1]
    known = ~np.isnan(last) & (average > 0)
    return np.where(known, np.clip(np.where(known, last, 1.0) / np.where(known, average, 1.0), 0.2, 5.0), 1.0)


def _chunks(total: int, size: int) -> Iterator[slice]:
    for begin in range(0, total, size):
        yield slice(begin, min(begin + size, total))
