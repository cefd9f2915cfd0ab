"""Forecast accuracy, per Hyndman and Koehler (2006) and the M4 and M5 competitions."""

import numpy as np

SEASON = {"day": 7, "week": 1}
"""Lag of the naive forecast that scales MASE: last week's day; the week before (a year of weeks is rarely in sample)."""


def naive_scale(history: np.ndarray, season: int) -> np.ndarray:
    """Mean absolute error in sample of the seasonal naive forecast of each row of [series, period] (NaN: not yet
    sold). NaN where no pair of values a season apart exists, or where they never differ."""
    if history.shape[1] <= season:
        return np.full(len(history), np.nan)
    difference = np.abs(history[:, season:] - history[:, :-season])
    count = (~np.isnan(difference)).sum(axis=1)
    total = np.nansum(difference, axis=1)
    return np.where((count > 0) & (total > 0), total / np.maximum(count, 1), np.nan)


def mase(actual: np.ndarray, forecast: np.ndarray, scale: np.ndarray) -> float | None:
    """Mean over series of (mean absolute error / scale). Series without a scale, or with unknown values, are left
    out; None when none is left."""
    error = np.abs(actual - forecast).mean(axis=1) / scale
    return _number(error[~np.isnan(error)])


def wape(actual: np.ndarray, forecast: np.ndarray) -> float | None:
    """Sum of absolute errors over the sum of units; None without units."""
    known = ~(np.isnan(actual) | np.isnan(forecast))
    total = actual[known].sum()
    return float(np.abs(actual - forecast)[known].sum() / total) if total > 0 else None


def bias(actual: np.ndarray, forecast: np.ndarray) -> float | None:
    """(Forecast - actual) units over actual units: 0.1 is 10 % too much; None without units."""
    known = ~(np.isnan(actual) | np.isnan(forecast))
    total = actual[known].sum()
    return float((forecast - actual)[known].sum() / total) if total > 0 else None


def wmae(actual: np.ndarray, forecast: np.ndarray, special: np.ndarray) -> float | None:
    """Mean absolute error in units where `special` periods, of a holiday or promotion, weigh five times: the measure of
    Walmart's store sales competition (2014)."""
    weight = np.where(special, 5.0, 1.0)
    known = ~(np.isnan(actual) | np.isnan(forecast))
    if not known.any():
        return None
    return float((weight * np.abs(actual - forecast))[known].sum() / weight[known].sum())


def wrmsse(
    actual: np.ndarray, forecast: np.ndarray, history: np.ndarray, price: np.ndarray, level: np.ndarray
) -> float | None:
    """The M5 competition's measure over the levels that `level` [series] tells apart, each of which counts the same.

    A series' error is its root mean squared error over that of the naive forecast in sample; within a level it weighs by
    the turnover of the last 28 periods of `history`, units where no `price` is known (of sums: never). None unless all is
    forecast.
    """
    if np.isnan(forecast).any():
        return None
    square = np.diff(history, axis=1) ** 2
    count = (~np.isnan(square)).sum(axis=1)
    scale = np.sqrt(np.nansum(square, axis=1) / np.maximum(count, 1))
    error = np.sqrt(((actual - forecast) ** 2).mean(axis=1)) / np.where(scale > 0, scale, np.nan)
    recent = np.nan_to_num(history[:, -28:]) * np.where(np.isnan(price[:, -28:]), 1.0, price[:, -28:])
    weight = recent.sum(axis=1)
    totals = []
    for each in np.unique(level):
        known = (level == each) & ~np.isnan(error) & (weight > 0)
        if known.any():
            totals.append(np.average(error[known], weights=weight[known]))
    return _number(np.array(totals))


def coverage(actual: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> float | None:
    """Share of known values within lower..upper, both ends included."""
    known = ~(np.isnan(actual) | np.isnan(lower))
    return _number(((actual >= lower) & (actual <= upper))[known])


def _number(values: np.ndarray) -> float | None:
    return float(values.mean()) if len(values) else None
