"""Scores the forecaster and its baselines on the test window, which is forecast whole from the period before it."""

import json
from pathlib import Path

import numpy as np

from forecaster import metrics, panel
from forecaster.baselines import ceiling, moving_average, naive, seasonal_naive

Scores = dict[str, dict[str, float | None] | None]


def evaluate(data_dir: Path, out_dir: Path) -> Scores:
    """Metrics over the products, at the dataset's own granularity: mase (scaled in sample before the test window), wape,
    bias, and coverage of the interval for ours. The ceiling is null where the true demand is not known."""
    granularity = json.loads((Path(data_dir) / "manifest.json").read_text())["granularity"]
    sales = panel.load(data_dir, granularity)
    if sales is None:
        raise ValueError("the dataset has no sales")
    with np.load(Path(out_dir) / f"test_{granularity}.npz") as saved:
        series, ours, lower, upper = (saved[name] for name in ("series", "units", "lower", "upper"))
    horizon = ours.shape[1]
    origin = sales.periods - horizon - 1
    actual = sales.units[series, origin + 1 :]
    history = sales.until(origin + 1)
    scale = metrics.naive_scale(history.units[series], metrics.SEASON[granularity])

    def score(forecast: np.ndarray) -> dict[str, float | None]:
        return {
            "mase": metrics.mase(actual, forecast, scale),
            "wape": metrics.wape(actual, forecast),
            "bias": metrics.bias(actual, forecast),
        }

    baselines = {"seasonalNaive": seasonal_naive, "naive": naive, "movingAverage": moving_average}
    scores: Scores = {"ours": {**score(ours), "coverage": metrics.coverage(actual, lower, upper)}}
    for name, baseline in baselines.items():
        scores[name] = score(baseline.forecast(history, series, origin, horizon))
    truth = ceiling.load(data_dir, sales)
    scores["ceiling"] = (
        None if truth is None else score(ceiling.forecast(sales, series, origin, horizon, truth))
    )
    return scores
