"""From the trees' outputs to a forecast in units: blend, interval, order. Mirrored by subgraphs/forecast/forecaster.ts.

How serving computes the forecast of one series, `step` periods after its last known period, from the bundle:

1. Features and scale of the row as features.py defines them; features float32, in the order of features.json's
   `features`. Units over scale is a *share*. The scale is computed in float64 and not rounded.
2. <granularity>.onnx: input `features` float32 [rows, features], output `shares` float32 [rows, 4], the columns named
   by `outputs`: mean, median, lower, upper. The log link of the mean is undone inside the graph.
3. Members in units: `max(share, 0) * scale` of the trees' mean and median, then the scale itself, then, taken as float32
   as the trees saw them, the features pace, median_<h> of all but the first of `spec.half_lives`, aligned_mean and year_exact.
4. Blend: the members times `weights`, summed. Products: the point forecast is the blend, and if `whole` it is
   floor(blend + round): a median of counts is a count. Categories and the shop have `weights` of their own, and their
   blend is not rounded.
5. Interval of a product: `max(share, 0) * scale` of lower and upper, swapped where they cross; the margin
   `margins.margins[i][j]`, i the first of `margins.levels` that is >= the scale, j the first of `margins.steps` that is
   >= the step, past the last edge the last bucket; lower - margin * spread and upper + margin * spread, where spread =
   (upper - lower) + 0.1 * sqrt(scale).
6. Interval of a category or the shop: blend * `bands.lower[i][j]` and blend * `bands.upper[i][j]`, buckets as above. Their
   relative errors are few and shared by their parts, so they are measured, not learned by trees.
7. If `whole`, both ends to floor(x + 0.5); then lower into 0..units and upper to at least units.

Every forecast is direct: no step reads another step's forecast.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from forecaster import calibrate, features
from forecaster.calibrate import Bands, Margins
from forecaster.features import Spec
from forecaster.model import OUTPUTS, Rows, examples, joined, pick
from forecaster.panel import Panel

Trees = Callable[[np.ndarray], np.ndarray]
"""Features float32 [rows, features] → shares of the scale [rows, len(OUTPUTS)]: fitted models or an ONNX session."""

KINDS = ("product", "category", "shop")
MEMBERS = ("mean", "median", "level", "paced", "typical", "typical_long", "aligned", "year")
"""Members of the blend: the two tree models, then simple forecasts."""


@dataclass(frozen=True)
class Calibration:
    """What is fitted after the trees."""

    weights: dict[str, list[float]]
    """By kind, of MEMBERS, summing to 1."""
    round: float
    """Added before a product's blend of counts is rounded down."""
    margins: Margins
    """Of products."""
    bands: dict[str, Bands]
    """Of categories and the shop."""
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
    kinds = np.array([kind for kind, _ in panel.keys])
    weights, bands = {}, {}
    offset, margins, whole = 0.5, Margins([], steps, [[0.0] * (len(steps) + 1)]), False
    for kind in KINDS:
        chosen = [(pick(rows, kinds[rows.series] == kind), trees) for rows, trees in parts]
        chosen = [(rows, trees(rows.features)) for rows, trees in chosen if len(rows.units)]
        if not chosen:
            weights[kind] = [1.0 / len(MEMBERS)] * len(MEMBERS)
            if kind != "product":
                bands[kind] = Bands([], steps, [[0.8] * (len(steps) + 1)], [[1.2] * (len(steps) + 1)])
            continue
        rows = joined([rows for rows, _ in chosen])
        shares = np.concatenate([shares for _, shares in chosen])
        blended = members(spec, rows, shares)
        whole = bool((rows.units == np.floor(rows.units)).all()) if kind == "product" else whole
        rounds = calibrate.ROUNDS if whole and kind == "product" else None
        weights[kind], fitted_round = calibrate.fit_blend(
            blended, rows.units, rows.weight / rows.scale, rounds
        )
        units = blended @ np.array(weights[kind])
        if kind == "product":
            offset = fitted_round
            units = point(units, offset, whole)
            lower, upper = raw_interval(rows, shares)
            margins = calibrate.fit_margins(
                rows.units, units, lower, upper, rows.scale, rows.step, steps, whole
            )
        else:
            bands[kind] = calibrate.fit_bands(rows.units, units, rows.scale, rows.step, steps)
    return Calibration(weights, offset, margins, bands, whole)


def point(blend: np.ndarray, offset: float, whole: bool) -> np.ndarray:
    """The point forecast of products: a median, which is whole where the units are."""
    return np.floor(blend + offset) if whole else blend


def combine(
    spec: Spec, fitted: Calibration, panel: Panel, rows: Rows, shares: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Units, lower and upper of each row."""
    kinds = np.array([kind for kind, _ in panel.keys])[rows.series]
    blended = members(spec, rows, shares)
    units, lower, upper = (np.empty(len(rows.series)) for _ in range(3))
    for kind in KINDS:
        at = kinds == kind
        some = pick(rows, at)
        blend = blended[at] @ np.array(fitted.weights[kind])
        if kind == "product":
            blend = point(blend, fitted.round, fitted.whole)
            low, high = raw_interval(some, shares[at])
            extra = fitted.margins.of(some.scale, some.step) * calibrate.spread(some.scale, low, high)
            low, high = low - extra, high + extra
        else:
            low, high = fitted.bands[kind].of(some.scale, some.step)
            low, high = blend * low, blend * high
        units[at] = blend
        lower[at], upper[at] = calibrate.ends(blend, low, high, fitted.whole)
    return units, lower, upper


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
