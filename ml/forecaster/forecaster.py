"""From the trees' outputs to a forecast in units: blend, interval, order. Mirrored by subgraphs/forecast/forecaster.ts.

How serving computes the forecast of one series, `step` periods after its last known period, from the bundle:

1. Level and features of the row as features.py defines them; float32, in the order of features.json's `features`.
   The level is the scale: units over level is a *share*. It is computed in float64 and not rounded.
2. <granularity>.onnx: input `features` float32 [rows, features], output `shares` float32 [rows, 4], the columns named
   by `outputs`: mean, median, lower, upper. The log link of the mean is undone inside the graph.
3. Six members in units, `max(share, 0) * level`: the trees' mean and median, then the features aligned_mean,
   mean_<spec.level>, mean_<last of spec.windows> and median_long, taken as float32 as the trees saw them.
4. Point forecast: the members times `weights`, summed. It is not rounded.
5. Raw interval: `max(share, 0) * level` of the columns lower and upper, swapped where they cross.
6. Margin: `margins.margins[i][j]`, i the first of `margins.levels` that is >= the level, j the first of
   `margins.steps` that is >= the step; past the last edge, the last bucket.
7. Interval: lower - margin * spread and upper + margin * spread, where spread = (upper - lower) + 0.1 * sqrt(level);
   if `whole`, both ends to floor(x + 0.5); then lower into 0..units and upper to at least units.

Every forecast is direct: no step reads another step's forecast. Categories and the shop are series of their own (sums
of their products), forecast in the same way and not made to add up.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from forecaster import calibrate, features
from forecaster.calibrate import Margins
from forecaster.features import Spec
from forecaster.model import OUTPUTS, Rows, examples
from forecaster.panel import Panel

Trees = Callable[[np.ndarray], np.ndarray]
"""Features float32 [rows, features] → shares of the level [rows, len(OUTPUTS)]: fitted models or an ONNX session."""

MEMBERS = ("mean", "median", "aligned", "average", "average_long", "median_long")
"""Members of the blend: the two tree models, then features that are forecasts by themselves."""


@dataclass(frozen=True)
class Calibration:
    """What is fitted after the trees, on a window that they have not seen."""

    weights: list[float]
    """Of MEMBERS, summing to 1."""
    margins: Margins
    whole: bool
    """Whether all units are whole numbers, so that the interval's ends are too."""


@dataclass(frozen=True)
class Forecast:
    """Units float64, [series, horizon]; 0 <= lower <= units <= upper."""

    units: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


def members(spec: Spec, rows: Rows, shares: np.ndarray) -> np.ndarray:
    """The blend's members in units, [rows, len(MEMBERS)], never negative."""
    column = {name: i for i, name in enumerate(features.names(spec))}
    simple = ["aligned_mean", f"mean_{spec.level}", f"mean_{spec.windows[-1]}", "median_long"]
    chosen = np.column_stack([shares[:, :2], *(rows.features[:, column[name]] for name in simple)])
    return np.maximum(chosen.astype(np.float64), 0.0) * rows.level[:, None]


def raw_interval(rows: Rows, shares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The quantile models' interval in units, before its margins."""
    ends = np.maximum(shares[:, OUTPUTS.index("lower") :], 0.0) * rows.level[:, None]
    return ends.min(axis=1), ends.max(axis=1)


def calibration(spec: Spec, rows: Rows | None, trees: Trees) -> Calibration:
    """Fits weights and margins on rows that the trees have not seen; neutral ones without rows."""
    steps = [max(1, spec.horizon // 4), spec.horizon]
    if rows is None:
        equal = [1.0 / len(MEMBERS)] * len(MEMBERS)
        return Calibration(equal, Margins([], steps, [[0.0] * (len(steps) + 1)]), whole=False)
    shares = trees(rows.features)
    blended = members(spec, rows, shares)
    weights = calibrate.fit_weights(blended, rows.units, rows.weight / rows.level)
    whole = bool((rows.units == np.floor(rows.units)).all())
    lower, upper = raw_interval(rows, shares)
    margins = calibrate.fit_margins(
        rows.units, blended @ np.array(weights), lower, upper, rows.level, rows.step, steps, whole
    )
    return Calibration(weights, margins, whole)


def combine(
    spec: Spec, fitted: Calibration, rows: Rows, shares: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Units, lower and upper of each row."""
    units = members(spec, rows, shares) @ np.array(fitted.weights)
    lower, upper = raw_interval(rows, shares)
    margin = fitted.margins.of(rows.level, rows.step)
    return units, *calibrate.interval(units, lower, upper, rows.level, margin, fitted.whole)


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
    parts = combine(spec, fitted, rows, trees(rows.features))
    return Forecast(*(part.reshape(len(series), horizon) for part in parts))
