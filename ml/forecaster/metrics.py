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


def coverage(actual: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> float | None:
    """Share of known values within lower..upper, both ends included."""
    known = ~(np.isnan(actual) | np.isnan(lower))
    return _number(((actual >= lower) & (actual <= upper))[known])


def _number(values: np.ndarray) -> float | None:
    return float(values.mean()) if len(values) else None
