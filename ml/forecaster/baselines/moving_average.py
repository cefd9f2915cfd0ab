"""The mean of the last 28 days or 26 weeks, repeated; days follow the weekday's own mean of those four weeks."""

import numpy as np

from forecaster.panel import Panel

WINDOW = {"day": 28, "week": 26}
SEASON = {"day": 7, "week": 1}


def forecast(panel: Panel, series: np.ndarray, origin: int, horizon: int) -> np.ndarray:
    window, season = WINDOW[panel.granularity], SEASON[panel.granularity]
    recent = panel.units[series, max(0, origin + 1 - window) : origin + 1]
    overall = _mean(recent)
    if season == 1:
        return np.repeat(overall[:, None], horizon, axis=1)
    # Counted back from the origin, so that column k of `by_phase` is the k-th day after it.
    by_phase = np.stack([_mean(recent[:, ::-1][:, season - 1 - k :: season]) for k in range(season)], axis=1)
    by_phase = np.where(np.isnan(by_phase), overall[:, None], by_phase)
    return by_phase[:, np.arange(horizon) % season]


def _mean(values: np.ndarray) -> np.ndarray:
    """Mean over the last axis without the NaN before a series starts; NaN where nothing is left."""
    known = ~np.isnan(values)
    count = known.sum(axis=-1)
    return np.where(count > 0, np.nan_to_num(values).sum(axis=-1) / np.maximum(count, 1), np.nan)
