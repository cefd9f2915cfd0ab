"""What is fitted after the trees, on the validation window: the blend of the point forecast and the interval's margins."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

COVERAGE = 0.82
"""Aimed at on validation for an interval called 80 %: over many windows of real and synthetic sales, what comes
next lay outside about two points more often than what the margins were fitted on."""
MIN_BUCKET = 200
"""A margin needs this many validation rows to be a quantile rather than noise; else it is that of all rows."""


GRID = np.round(np.concatenate([np.arange(-0.4, 1.0, 0.02), np.arange(1.0, 5.01, 0.1)]), 2)
"""Margins that are tried."""


@dataclass(frozen=True)
class Margins:
    """Conformal margins by (level bucket, step bucket), in multiples of `spread`."""

    levels: list[float]
    """Upper edges of the level buckets but the last, in units per period."""
    steps: list[int]
    """Last steps of the step buckets but the last."""
    margins: list[list[float]]

    def of(self, level: np.ndarray, step: np.ndarray) -> np.ndarray:
        return np.array(self.margins)[
            np.searchsorted(self.levels, level, side="left"), np.searchsorted(self.steps, step, side="left")
        ]


def fit_weights(members: np.ndarray, units: np.ndarray, weight: np.ndarray, parts: int = 10) -> list[float]:
    """Weights of `members` [rows, members], non-negative and summing to 1, with the least weighted absolute error.

    All multiples of 1 / parts are tried: few enough for six members, and nothing to diverge. Of equals, the one that
    leans most on the first members.
    """
    best, best_error = [1.0] + [0.0] * (members.shape[1] - 1), np.inf
    for counts in _compositions(parts, members.shape[1]):
        weights = np.array(counts) / parts
        error = float(np.mean(weight * np.abs(units - members @ weights)))
        if error < best_error - 1e-12:
            best, best_error = weights.tolist(), error
    return best


def _compositions(total: int, count: int) -> Iterator[tuple[int, ...]]:
    """All ways to write `total` as a sum of `count` non-negative integers, the largest heads first."""
    if count == 1:
        yield (total,)
        return
    for head in range(total, -1, -1):
        for tail in _compositions(total - head, count - 1):
            yield (head, *tail)


def spread(level: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """The unit of a margin: the raw interval's width plus a tenth of a Poisson deviation, so that it is never zero."""
    return np.maximum(upper - lower, 0.0) + 0.1 * np.sqrt(level)


def interval(
    units: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
    level: np.ndarray,
    margin: np.ndarray | float,
    whole: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """The interval that is served, from the raw one: widened by `margin` spreads (narrowed by a negative margin), to
    whole units where the data are counts, holding the point forecast `units` and not below zero.

    Whole ends matter: a raw lower end of 0.001 would otherwise miss every period without a sale.
    """
    extra = margin * spread(level, lower, upper)
    low, high = lower - extra, upper + extra
    if whole:
        low, high = np.floor(low + 0.5), np.floor(high + 0.5)
    return np.clip(low, 0.0, units), np.maximum(high, units)


def fit_margins(
    actual: np.ndarray,
    units: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
    level: np.ndarray,
    step: np.ndarray,
    steps: list[int],
    whole: bool,
) -> Margins:
    """Split conformal margins (Romano, Patterson, Candès 2019) per bucket, found on a grid because whole ends leave no
    closed form: the margin whose interval covers nearest to COVERAGE of the actual units."""
    levels: list[float] = []
    if len(level) >= 10 * MIN_BUCKET:
        levels = sorted(set(np.quantile(level, [0.2, 0.4, 0.6, 0.8]).tolist()))
    covered = np.empty((len(GRID), len(actual)), dtype=bool)
    for i, margin in enumerate(GRID):
        low, high = interval(units, lower, upper, level, margin, whole)
        covered[i] = (actual >= low) & (actual <= high)
    level_bucket = np.searchsorted(levels, level, side="left")
    step_bucket = np.searchsorted(steps, step, side="left")
    overall = _nearest(covered)
    margins = []
    for i in range(len(levels) + 1):
        row = []
        for j in range(len(steps) + 1):
            inside = covered[:, (level_bucket == i) & (step_bucket == j)]
            row.append(_nearest(inside) if inside.shape[1] >= MIN_BUCKET else overall)
        margins.append(row)
    return Margins(levels, list(steps), margins)


def _nearest(covered: np.ndarray) -> float:
    """The margin of GRID whose share of covered rows is nearest to COVERAGE; of equals the one nearest to zero."""
    if covered.shape[1] == 0:
        return 0.0
    miss = np.abs(covered.mean(axis=1) - COVERAGE)
    best = np.flatnonzero(miss <= miss.min() + 1e-12)
    return float(GRID[best[np.argmin(np.abs(GRID[best]))]])
