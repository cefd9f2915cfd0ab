"""Exponential smoothing without trend, ETS(A,N,A) of Hyndman et al. (2008); without a season it is SES(alpha).

Each series takes the alpha of ALPHAS with the least mean absolute error one step ahead.
"""

import numpy as np

from forecaster.panel import Panel

ALPHAS = np.array([0.05, 0.1, 0.2, 0.4])
GAMMA = 0.1
SEASON = {"day": 7, "week": 1}


def forecast(panel: Panel, series: np.ndarray, origin: int, horizon: int) -> np.ndarray:
    season = SEASON[panel.granularity]
    history = panel.units[series, : origin + 1]
    first = np.argmax(~np.isnan(history), axis=1)
    shape = (len(series), len(ALPHAS))
    level, error = np.zeros(shape), np.zeros(shape)
    offset = np.zeros((season, *shape))
    for period in range(history.shape[1]):
        units = history[:, period, None]
        known = ~np.isnan(units)
        young = period - first[:, None] < season
        expected = level + offset[period % season]
        miss = np.where(known & ~young, units - expected, 0.0)
        error += np.abs(miss)
        # The first season gives the level to begin with: the mean so far.
        begun = level + (units - level) / np.maximum(period - first[:, None] + 1, 1)
        level = np.where(known & young, begun, level + ALPHAS * miss)
        if season > 1:
            offset[period % season] += GAMMA * (1 - ALPHAS) * miss
    rows, best = np.arange(len(series)), error.argmin(axis=1)
    phases = (origin + 1 + np.arange(horizon)) % season
    found = level[rows, best, None] + offset[phases][:, rows, best].T
    # All NaN: not yet sold.
    return np.where(np.isnan(history).all(axis=1)[:, None], 0.0, np.maximum(found, 0.0))
