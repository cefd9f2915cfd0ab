"""The features of the forecaster: the one definition, mirrored by subgraphs/forecast/features.ts.

A row is (series, origin, step): what is known at the end of period `origin` about period `origin + step`. Nothing
after the origin is read.

A series has a `level`, its units per period by a weighted mean of the plain periods, those without promotion and in stock;
and a `profile`, the factors of the season's places (weekdays), which leans on that of the category, and this on that of
the shop, while little was sold. Level times the target's factor is the row's *scale*: a forecast by itself, and what
amounts are divided by, so that one model serves a product that sells once a month and the whole shop.

No feature is ever NaN: what is not known takes its neutral value. Nothing tells the date itself (the day of the year):
with a year or two of data such a feature names the one time it was seen at, and the trees learn that time's accidents by
heart. All is computed in float64 and rounded to float32 at the end. A window reaches back from the origin and skips
periods before the series began; means, medians and shares are over what is left. `category_*`, `shop_*` and `pace` are
features of the series' category (of a category: its parent; without one: the shop) and of the whole shop, over their own
scales. What comes after the features: forecaster.py.
Both sides are checked against golden/; change VERSION when any value changes.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecaster.panel import STEP_DAYS, Panel

VERSION = 2


@dataclass(frozen=True)
class Spec:
    """Lags and windows of one granularity, in periods."""

    granularity: str
    season: int
    """Aligned lags are whole seasons before the target: the same weekday for days, plain lags for weeks."""
    memory: int
    """How far back the levels, medians and the season's profile look."""
    half_lives: tuple[float, ...]
    """Of the weighted means and medians; `half_lives[1]` is that of the level."""
    windows: tuple[int, ...]
    """Rolling means end at the origin."""
    aligned: int
    """How many aligned lags are averaged; the first four are also features of their own."""
    year: int
    """Periods in a year of whole weeks."""
    year_level: int
    """Last year's level is the mean of this many periods up to a year before the origin."""
    year_reach: int
    """Last year's value is the mean of this many periods on either side."""
    horizon: int
    """Default forecast horizon, and the length of the test window."""
    max_horizon: int
    """The longest horizon the model is trained and served for."""

    @property
    def span(self) -> int:
        """Periods of history that the features read, counting the origin."""
        return self.year + self.year_level


SPECS = {
    "day": Spec("day", 7, 182, (7, 28, 91), (7, 28, 91), 8, 364, 28, 3, 28, 56),
    "week": Spec("week", 1, 52, (2, 6, 18), (2, 8, 26), 8, 52, 8, 1, 8, 26),
}
PRIOR_UNITS = 50.0
"""A season's profile counts as much as its parent's from this many units sold on."""


def names(spec: Spec) -> list[str]:
    """Feature names in the order of the columns."""
    origin = [
        "level",
        *(f"mean_{w}" for w in spec.windows),
        *(f"level_{h:g}" for h in spec.half_lives),
        *(f"median_{h:g}" for h in spec.half_lives),
        "pace",
        "deviation",
        "zeros",
        "zeros_long",
        "last",
        "age",
        "promotion",
        "promotion_share",
        "price_ratio",
        "out",
        "out_share",
    ]
    own = [
        "profile",
        "lag_1",
        "lag_2",
        "lag_3",
        "lag_4",
        "aligned_mean",
        "aligned_median",
        "year",
        "year_exact",
    ]
    parents = [f"{who}_{what}" for who in ("category", "shop") for what in ("aligned_mean", "year")]
    return [*origin, "step", *own, *parents, "weekday"]


def build(
    spec: Spec, panel: Panel, series: np.ndarray, origin: np.ndarray, step: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Features float32 [rows, features] and scales float64 [rows] of rows given as three int arrays of one length."""
    features = np.empty((len(series), len(names(spec))), dtype=np.float32)
    scales = np.empty(len(series))
    for rows in _chunks(len(series), 20_000):
        features[rows], scales[rows] = _build(spec, panel, series[rows], origin[rows], step[rows])
    return features, scales


def _build(
    spec: Spec, panel: Panel, series: np.ndarray, origin: np.ndarray, step: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    # What depends on the origin alone is computed once for all its steps, and what is above once for all below it.
    own, at = _Series.distinct(spec, panel, series, origin, above=2)
    category, shop = own.parent, own.parent.parent
    at_category = own.parent_at[at]
    at_shop = category.parent_at[at_category]
    date = panel.start + pd.to_timedelta((origin + step) * STEP_DAYS[spec.granularity], unit="D")
    weekday = np.asarray(date.dayofweek if spec.granularity == "day" else np.zeros(len(date)))
    columns = [
        own.origin_features()[at],
        step[:, None],
        own.target_features(at, step),
        category.parent_features(at_category, step),
        shop.parent_features(at_shop, step),
        weekday[:, None],
    ]
    return np.concatenate(columns, axis=1).astype(np.float32), own.scale(at, step)


class _Series:
    """The histories behind some (series, origin) pairs, as they and those below them see them. Column 0 of a window is
    the origin, column k the period k before it, NaN before the start."""

    @classmethod
    def distinct(
        cls, spec: Spec, panel: Panel, series: np.ndarray, origin: np.ndarray, above: int
    ) -> "tuple[_Series, np.ndarray]":
        """The distinct pairs, and where each given one is among them; `above` them the category, then the shop."""
        pairs, at = np.unique(np.stack([series, origin]), axis=1, return_inverse=True)
        return cls(spec, panel, pairs[0], pairs[1], above), at.reshape(-1)

    def __init__(self, spec: Spec, panel: Panel, series: np.ndarray, origin: np.ndarray, above: int) -> None:
        self.spec, self.panel, self.series, self.origin = spec, panel, series, origin
        prior = np.ones((len(series), spec.season))
        if above:
            higher = panel.category[series] if above == 2 else np.full(len(series), panel.shop)
            self.parent, self.parent_at = _Series.distinct(spec, panel, higher, origin, above - 1)
            prior = self.parent.profile[self.parent_at]
        self.past = self.window(panel.units)
        self.promotion = self.window(panel.promotion) > 0
        self.out = self.window(panel.in_stock) == 0
        plain = np.where(self.promotion | self.out, np.nan, self.past)
        # A series that was never without promotion or in stock has nothing plainer than what it sold.
        self.plain = np.where(np.isnan(plain).all(axis=1)[:, None], self.past, plain)
        self.profile = self._profile(prior)
        self.rhythm = self.profile[:, np.arange(spec.memory) % spec.season]
        known, place = ~np.isnan(self.plain), np.arange(spec.memory)
        self.sold = np.where(known, self.plain, 0.0)
        self.weights = [known * 0.5 ** (place / half_life) for half_life in spec.half_lives]
        self.levels = np.column_stack([self._level(weight) for weight in self.weights])
        zero = np.zeros(len(series))
        # A series at rest is not scaled by nothing.
        floor = np.maximum(0.5 * mean(self.past[:, : spec.windows[-1]], zero), 1.0 / spec.windows[-1])
        self.level = np.maximum(self.levels[:, 1], floor)

    def window(self, values: np.ndarray) -> np.ndarray:
        return take(values, self.series, self.origin[:, None] - np.arange(self.spec.memory))

    def _profile(self, prior: np.ndarray) -> np.ndarray:
        """Factor of each place in the season, [pairs, season], column 0 that of the origin; near the `prior`, which is
        the parent's, while little was sold."""
        spec = self.spec
        if spec.season == 1:
            return prior
        whole = spec.memory // spec.season * spec.season
        by_phase = self.plain[:, :whole].reshape(len(self.series), -1, spec.season)
        count = (~np.isnan(by_phase)).sum(axis=1)
        sold = np.nansum(by_phase, axis=1)
        average = sold.sum(axis=1) / np.maximum(count.sum(axis=1), 1)
        return (sold + PRIOR_UNITS * prior) / (count * average[:, None] + PRIOR_UNITS)

    def _level(self, weight: np.ndarray) -> np.ndarray:
        """Units per period at a place of factor 1: a weighted mean without the season's rhythm."""
        total = (weight * self.rhythm).sum(axis=1)
        return (weight * self.sold).sum(axis=1) / np.where(total > 0, total, 1.0)

    def _medians(self) -> np.ndarray:
        """As the levels, the lower weighted medians, [pairs, half-lives]."""
        value = np.where(np.isnan(self.plain), np.inf, self.plain / self.rhythm)
        order = np.argsort(value, axis=1, kind="stable")
        value = np.take_along_axis(value, order, axis=1)
        found = []
        for weight in self.weights:
            passed = np.cumsum(np.take_along_axis(weight, order, axis=1), axis=1)
            middle = (passed >= 0.5 * passed[:, -1:]).argmax(axis=1)
            found.append(np.where(passed[:, -1] > 0, value[np.arange(len(value)), middle], 0.0))
        return np.column_stack(found)

    def pace(self) -> np.ndarray:
        """Where sales are now relative to the level, by the shortest half-life; near 1 while little was sold. Of many
        products together it tells a turn before their own sales can."""
        weight = self.weights[0]
        expected = (weight * self.rhythm).sum(axis=1) * self.level
        sold = (weight * self.sold).sum(axis=1)
        return (sold + PRIOR_UNITS) / (expected + PRIOR_UNITS)

    def scale(self, at: np.ndarray, step: np.ndarray) -> np.ndarray:
        return self.level[at] * self.profile[at, -step % self.spec.season]

    def origin_features(self) -> np.ndarray:
        spec, level = self.spec, self.level
        long, recent = self.past[:, : spec.windows[-1]], self.past[:, : spec.windows[1]]
        known = ~np.isnan(recent)
        adjusted = self.plain[:, : spec.windows[-1]] / self.rhythm[:, : spec.windows[-1]]
        deviation = np.sqrt(mean((adjusted - level[:, None]) ** 2, np.zeros(len(recent))))
        age = np.clip(self.origin - self.panel.first[self.series] + 1, 0, spec.year)
        return np.column_stack(
            [
                np.log1p(level),
                *(mean(self.past[:, :w], level) / level for w in spec.windows),
                self.levels / level[:, None],
                self._medians() / level[:, None],
                self.parent.pace()[self.parent_at],
                deviation / level,
                share(recent == 0, known),
                share(long == 0, ~np.isnan(long)),
                recent[:, 0] / self.rhythm[:, 0] / level,
                np.log1p(age),
                run(self.promotion),
                share(self.promotion[:, : spec.windows[1]], known),
                price_ratio(self.window(self.panel.price)[:, : spec.windows[-1]]),
                run(self.out),
                share(self.out[:, : spec.windows[1]], known),
            ]
        )

    def target_features(self, at: np.ndarray, step: np.ndarray) -> np.ndarray:
        scale = self.scale(at, step)
        aligned = self._aligned(at, step)
        lags = np.where(np.isnan(aligned[:, :4]), scale[:, None], aligned[:, :4]) / scale[:, None]
        return np.column_stack(
            [
                self.profile[at, -step % self.spec.season],
                lags,
                mean(aligned, scale) / scale,
                median(aligned, scale) / scale,
                self._year(at, step, self.spec.year_reach),
                self._year(at, step, 0),
            ]
        )

    def parent_features(self, at: np.ndarray, step: np.ndarray) -> np.ndarray:
        scale = self.scale(at, step)
        return np.column_stack(
            [mean(self._aligned(at, step), scale) / scale, self._year(at, step, self.spec.year_reach)]
        )

    def _aligned(self, at: np.ndarray, step: np.ndarray) -> np.ndarray:
        """Values 1, 2, … seasons before the target, starting with the last season that the origin has seen."""
        season = self.spec.season
        first = step - season * -(-step // season)  # the target's phase at or before the origin: ≤ 0
        columns = self.origin[at] + first
        return take(
            self.panel.units, self.series[at], columns[:, None] - season * np.arange(self.spec.aligned)
        )

    def _year(self, at: np.ndarray, step: np.ndarray, reach: int) -> np.ndarray:
        """Last year's units around the target over last year's level at the origin; 1 without a full year."""
        spec, units = self.spec, self.panel.units
        target = self.origin[at] + step - spec.year
        # A target more than a year less `reach` ahead would look past the origin: never, as horizons are far shorter.
        around = take(units, self.series[at], target[:, None] + np.arange(-reach, reach + 1))
        before = take(
            units,
            self.series[at],
            (self.origin[at] - spec.year)[:, None] - np.arange(spec.year_level),
        )
        level = mean(before, np.zeros(len(at)))
        known = ~(np.isnan(around).any(axis=1) | np.isnan(before).any(axis=1)) & (level > 0)
        ratio = mean(around, np.zeros(len(at))) / np.where(known, level, 1.0)
        return np.where(known, np.clip(ratio, 0.0, 10.0), 1.0)


def level_at(spec: Spec, panel: Panel, series: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """The mean of the last periods, at least one unit per window: a cheap stand-in for the level, without the features."""
    length = spec.windows[-1]
    zero = np.zeros(len(series))
    parts = [
        mean(take(panel.units, series[rows], origin[rows, None] - np.arange(length)), zero[rows])
        for rows in _chunks(len(series), 20_000)
    ]
    return np.maximum(np.concatenate(parts), 1.0 / length)


def run(flags: np.ndarray) -> np.ndarray:
    """How many periods in a row up to the origin, column 0, have the flag."""
    return np.where(flags.all(axis=1), flags.shape[1], np.argmin(flags, axis=1)).astype(float)


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
    last = price[:, 0]
    known = ~np.isnan(last) & (average > 0)
    return np.where(known, np.clip(np.where(known, last, 1.0) / np.where(known, average, 1.0), 0.2, 5.0), 1.0)


def _chunks(total: int, size: int) -> Iterator[slice]:
    for begin in range(0, total, size):
        yield slice(begin, min(begin + size, total))
