"""What is fitted after the trees, on past windows that they have not seen: the blend and the interval's margins."""

from dataclasses import dataclass

import numpy as np

COVERAGE = 0.81
"""Aimed at on past windows for an interval called 80 %: on real and synthetic sales, what comes next lay outside about
a point more often than what the margins were fitted on."""
MIN_BUCKET = 200
"""A margin needs this many validation rows to be a quantile rather than noise; else it is that of all rows."""


PARTS = 10
"""A member's weight is a multiple of 1 / PARTS."""
ROUNDS = (1 / 3, 0.4, 0.5)
"""What may be added before a blend of counts is rounded down: a third makes the median of a Poisson distribution of its
mean, a half leaves a median a median."""
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


@dataclass(frozen=True)
class Bands:
    """Ends of an interval as multiples of the forecast units, by buckets as in Margins."""

    levels: list[float]
    steps: list[int]
    lower: list[list[float]]
    upper: list[list[float]]

    def of(self, level: np.ndarray, step: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        at = np.searchsorted(self.levels, level, side="left"), np.searchsorted(self.steps, step, side="left")
        return np.array(self.lower)[at], np.array(self.upper)[at]


def fit_blend(
    members: np.ndarray, units: np.ndarray, weight: np.ndarray, rounds: tuple[float, ...] | None = None
) -> tuple[list[float], float]:
    """Weights of `members` [rows, members], non-negative and summing to 1, with the least weighted absolute error, and
    which of `rounds`, added before rounding down, goes with them (None: not rounded).

    A descent from the best half-and-half of two members: a part at a time goes from one to another while that helps.
    """
    count = members.shape[1]

    def error(parts: tuple[int, ...], offset: float | None) -> float:
        blend = members @ (np.array(parts) / PARTS)
        return float(
            np.mean(weight * np.abs(units - (blend if offset is None else np.floor(blend + offset))))
        )

    best: tuple[float, tuple[int, ...], float | None] = (np.inf, (), None)
    for offset in rounds or (None,):
        halves = [
            tuple(PARTS // 2 * ((k == i) + (k == j)) for k in range(count))
            for i in range(count)
            for j in range(i, count)
        ]
        reached, at = min(((error(half, offset), half) for half in halves), key=lambda found: found[0])
        while True:
            moves = [
                tuple(part - (k == i) + (k == j) for k, part in enumerate(at))
                for i in range(count)
                for j in range(count)
                if i != j and at[i] > 0
            ]
            tried = ((error(move, offset), move) for move in moves)
            then, move = min(tried, key=lambda found: found[0], default=(np.inf, at))
            if then >= reached - 1e-12:
                break
            at, reached = move, then
        best = min(best, (reached, at, offset), key=lambda found: found[0])
    return [part / PARTS for part in best[1]], 0.5 if best[2] is None else best[2]


def spread(level: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """The unit of a margin: the raw interval's width plus a part of a Poisson deviation, so that it is never zero."""
    return np.maximum(upper - lower, 0.0) + 0.1 * np.sqrt(level)


def ends(
    units: np.ndarray, lower: np.ndarray, upper: np.ndarray, whole: bool
) -> tuple[np.ndarray, np.ndarray]:
    """The interval that is served: with whole ends where the data are counts, holding the point forecast `units` and
    not below zero.

    Whole ends matter: a raw lower end of 0.001 would otherwise miss every period without a sale.
    """
    if whole:
        lower, upper = np.floor(lower + 0.5), np.floor(upper + 0.5)
    return np.clip(lower, 0.0, units), np.maximum(upper, units)


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
    levels = _edges(level)
    covered = np.empty((len(GRID), len(actual)), dtype=bool)
    width = spread(level, lower, upper)
    for i, margin in enumerate(GRID):
        low, high = ends(units, lower - margin * width, upper + margin * width, whole)
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


def fit_bands(
    actual: np.ndarray, units: np.ndarray, level: np.ndarray, step: np.ndarray, steps: list[int]
) -> Bands:
    """Quantiles of actual over forecast units, per bucket."""
    ratio = actual / np.maximum(units, 1e-9)
    levels = _edges(level)
    level_bucket = np.searchsorted(levels, level, side="left")
    step_bucket = np.searchsorted(steps, step, side="left")
    wanted = [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2]
    found = np.empty((2, len(levels) + 1, len(steps) + 1))
    for i in range(len(levels) + 1):
        for j in range(len(steps) + 1):
            inside = ratio[(level_bucket == i) & (step_bucket == j)]
            found[:, i, j] = np.quantile(inside if len(inside) >= MIN_BUCKET else ratio, wanted)
    return Bands(levels, list(steps), found[0].tolist(), found[1].tolist())


def _edges(level: np.ndarray) -> list[float]:
    """Upper edges of the level buckets but the last; none where rows are few."""
    if len(level) < 10 * MIN_BUCKET:
        return []
    return sorted(set(np.quantile(level, [0.2, 0.4, 0.6, 0.8]).tolist()))


def _nearest(covered: np.ndarray) -> float:
    """The margin of GRID whose share of covered rows is nearest to COVERAGE; of equals the one nearest to zero."""
    if covered.shape[1] == 0:
        return 0.0
    miss = np.abs(covered.mean(axis=1) - COVERAGE)
    best = np.flatnonzero(miss <= miss.min() + 1e-12)
    return float(GRID[best[np.argmin(np.abs(GRID[best]))]])
