"""From the trees' outputs to a forecast in units: blend, interval, order. Mirrored by subgraphs/forecast/forecaster.ts.

How serving computes the forecast of one series, `step` periods after its last known period, from the bundle:

1. Features and scale of the row as features.py defines them; features float32, in the order of features.json's
   `features`. Units over scale is a *share*. The scale is computed in float64 and not rounded.
2. <granularity>.onnx: input `features` float32 [rows, features], output `shares` float32 [rows, 4], the columns named
   by `outputs`: mean, median, lower, upper. The log link of the mean is undone inside the graph.
3. Members in units: `max(share, 0) * scale` of the trees' mean and median, then the scale itself, then, taken as float32
   as the trees saw them, the features pace, median_<h> of all but the first of `spec.half_lives`, aligned_mean and year_exact.
4. Blend: the members times `weights.product`, or `weights.sum` for a category or the shop, summed. A product's point
   forecast is the blend, and if `whole` floor(blend + round): a median of counts is a count. That of a sum is its blend.
5. Interval of a product: `max(share, 0) * scale` of lower and upper, swapped where they cross; the margin
   `margins.margins[i][j]`, i the first of `margins.levels` that is >= the scale, j the first of `margins.steps` that is
   >= the step, past the last edge the last bucket; lower - margin * spread and upper + margin * spread, where spread =
   (upper - lower) + 0.1 * sqrt(scale).
6. Interval of a sum: blend * `bands.lower[i][j]` and blend * `bands.upper[i][j]`, buckets as above. Their
   relative errors are few and shared by their parts, so they are measured, not learned by trees.
7. If `whole`, both ends to floor(x + 0.5); then lower into 0..units and upper to at least units.

Every forecast is direct: no step reads another step's forecast. A category and the shop are forecast from their own sales:
medians of products do not add up to a median of their sum, and the less, the rarer they sell.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from forecaster import calibrate, features
from forecaster.calibrate import Bands, Margins
from forecaster.features import Spec
from forecaster.model import OUTPUTS, Rows, examples, joined
from forecaster.panel import Panel

Trees = Callable[[np.ndarray], np.ndarray]
"""Features float32 [rows, features] → shares of the scale [rows, len(OUTPUTS)]: fitted models or an ONNX session."""

MEMBERS = ("mean", "median", "level", "paced", "typical", "typical_long", "aligned", "year")
"""Members of the blend: the two tree models, then simple forecasts."""
TREES = 2
"""How many members are the trees'."""
LEAST_SUMS = 10
"""Of fewer categories the trees learn nothing that holds for sums, and these blend the other members."""


@dataclass(frozen=True)
class Calibration:
    """What is fitted after the trees."""

    weights: dict[str, list[float]]
    """Of MEMBERS, summing to 1: for a `product`, and for a `sum`, which is a category or the shop."""
    round: float
    """Added before a product's blend of counts is rounded down."""
    margins: Margins
    """Of products."""
    bands: Bands
    """Of sums."""
    whole: bool
    """Whether all units are whole numbers, so that forecasts of products and the interval's ends are too."""


@dataclass(frozen=True)
class Forecast:
    """Units float64, [series, horizon]; 0 <= lower <= units <= upper."""

    units: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


def members(spec: Spec, rows: Rows, shares: np.ndarray) -> np.ndarray:
    """The blend's members in units, [rows, len(MEMBERS)], never negative."""
    column = {name: i for i, name in enumerate(features.names(spec))}

    def feature(name: str) -> np.ndarray:
        return rows.features[:, column[name]].astype(np.float64)

    # A median is a share of the level, and has no rhythm of its own.
    medians = [feature(f"median_{half_life:g}") for half_life in spec.half_lives[1:]]
    chosen = [
        shares[:, 0],
        shares[:, 1],
        np.ones(len(shares)),
        feature("pace"),
        *medians,
        feature("aligned_mean"),
    ]
    return np.maximum(np.column_stack([*chosen, feature("year_exact")]), 0.0) * rows.scale[:, None]


def raw_interval(rows: Rows, shares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The quantile models' interval in units, before its margins."""
    ends = np.maximum(shares[:, OUTPUTS.index("lower") :], 0.0) * rows.scale[:, None]
    return ends.min(axis=1), ends.max(axis=1)


def calibration(spec: Spec, panel: Panel, parts: list[tuple[Rows, Trees]]) -> Calibration:
    """Fits all on rows of the past, each part with trees that have not seen it; neutral without rows."""
    steps = [max(1, spec.horizon // 4), spec.horizon]
    simple = len(MEMBERS) - TREES
    weights = {"product": [1 / len(MEMBERS)] * len(MEMBERS), "sum": [0.0] * TREES + [1 / simple] * simple}
    offset, whole = 0.5, False
    margins = Margins([], steps, [[0.0] * (len(steps) + 1)])
    bands = Bands([], steps, [[0.8] * (len(steps) + 1)], [[1.2] * (len(steps) + 1)])
    if parts:
        rows = joined([rows for rows, _ in parts])
        shares = np.concatenate([trees(rows.features) for rows, trees in parts])
        blended = members(spec, rows, shares)
        cost = rows.weight / rows.scale
        whole = bool((rows.units == np.floor(rows.units)).all())
        is_product = products(panel, rows)
        at = is_product
        weights["product"], offset = calibrate.fit_blend(
            blended[at], rows.units[at], cost[at], calibrate.ROUNDS if whole else None
        )
        units = point(blended[at] @ np.array(weights["product"]), offset, whole)
        ends = (end[at] for end in raw_interval(rows, shares))
        margins = calibrate.fit_margins(
            rows.units[at], units, *ends, rows.scale[at], rows.step[at], steps, whole
        )
        at = ~is_product
        if at.any():
            skipped = 0 if len(np.unique(rows.series[at])) >= LEAST_SUMS else TREES
            fitted, _ = calibrate.fit_blend(blended[at, skipped:], rows.units[at], cost[at])
            weights["sum"] = [0.0] * skipped + fitted
            units = blended[at] @ np.array(weights["sum"])
            bands = calibrate.fit_bands(rows.units[at], units, rows.scale[at], rows.step[at], steps)
    return Calibration(weights, offset, margins, bands, whole)


def products(panel: Panel, rows: Rows) -> np.ndarray:
    """Which rows are a product's."""
    return np.isin(rows.series, panel.products)


def point(blend: np.ndarray, offset: float, whole: bool) -> np.ndarray:
    """The point forecast of products: a median, which is whole where the units are."""
    return np.floor(blend + offset) if whole else blend


def combine(
    spec: Spec, fitted: Calibration, panel: Panel, rows: Rows, shares: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Units, lower and upper of each row."""
    is_product = products(panel, rows)
    blended = members(spec, rows, shares)
    weights = np.where(is_product[:, None], fitted.weights["product"], fitted.weights["sum"])
    blend = (blended * weights).sum(axis=1)
    low, high = raw_interval(rows, shares)
    extra = fitted.margins.of(rows.scale, rows.step) * calibrate.spread(rows.scale, low, high)
    lowest, highest = fitted.bands.of(rows.scale, rows.step)
    units = np.where(is_product, point(blend, fitted.round, fitted.whole), blend)
    lower = np.where(is_product, low - extra, blend * lowest)
    upper = np.where(is_product, high + extra, blend * highest)
    return units, *calibrate.ends(units, lower, upper, fitted.whole)


def forecast(
    spec: Spec, fitted: Calibration, trees: Trees, panel: Panel, series: np.ndarray, origin: int, horizon: int
) -> Forecast:
    """The `horizon` periods after column `origin`, for the given rows of the panel."""
    step = np.arange(1, horizon + 1)
    rows = examples(
        spec,
        panel,
        np.repeat(series, horizon),
        np.full(len(series) * horizon, origin),
        np.tile(step, len(series)),
    )
    parts = combine(spec, fitted, panel, rows, trees(rows.features))
    return Forecast(*(part.reshape(len(series), horizon) for part in parts))
