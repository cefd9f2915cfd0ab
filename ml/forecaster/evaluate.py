"""Scores the forecaster and its baselines on the test window, which is forecast whole from the period before it."""

import json
from pathlib import Path

import numpy as np

from forecaster import metrics, panel
from forecaster.baselines import ceiling, ets, moving_average, naive, seasonal_naive
from forecaster.panel import Panel

Scores = dict[str, dict[str, float | None] | None]
BASELINES = {"seasonalNaive": seasonal_naive, "naive": naive, "movingAverage": moving_average, "ets": ets}


def evaluate(data_dir: Path, out_dir: Path) -> dict[str, Scores]:
    """{scores}: metrics at the dataset's own granularity.

    Over the products: mase (scaled in sample before the test window), wape,
    wmae, bias, and coverage of the interval for ours; over products, categories and shop: wrmsse, and coverageOfSums of
    the interval for the latter two; mase of the whole backtest: backtestMase. The ceiling is null where the true demand
    is not known."""
    granularity = json.loads((Path(data_dir) / "manifest.json").read_text())["granularity"]
    sales = panel.load(data_dir, granularity)
    if sales is None:
        raise ValueError("the dataset has no sales")
    windows = sorted(Path(out_dir).glob(f"window_{granularity}_*.npz"))
    judged = [_judge(data_dir, sales, file) for file in windows]
    scores = judged[-1]
    for name, row in scores.items():
        if row is not None:
            known = [window[name]["mase"] for window in judged if window[name]["mase"] is not None]
            row["backtestMase"] = float(np.mean(known)) if known else None
    return {"scores": scores}


def _judge(data_dir: Path, sales: Panel, file: Path) -> Scores:
    """All scores of one window."""
    begin = int(file.stem.rsplit("_", 1)[1])
    with np.load(file) as saved:
        series, ours, lower, upper = (saved[name] for name in ("series", "units", "lower", "upper"))
    horizon = ours.shape[1]
    known = sales.until(begin)
    history = known.units[series]
    actual, special = (values[series, begin : begin + horizon] for values in (sales.units, sales.promotion))
    scale = metrics.naive_scale(history, metrics.SEASON[sales.granularity])
    kind = np.array([sales.keys[i][0] for i in series])
    product = kind == "product"

    def score(forecast: np.ndarray) -> dict[str, float | None]:
        return {
            "mase": metrics.mase(actual[product], forecast[product], scale[product]),
            "wape": metrics.wape(actual[product], forecast[product]),
            "wmae": metrics.wmae(actual[product], forecast[product], special[product] > 0),
            "wrmsse": metrics.wrmsse(actual, forecast, history, known.price[series], kind),
            "bias": metrics.bias(actual[product], forecast[product]),
        }

    scores: Scores = {
        "ours": {
            **score(ours),
            "coverage": metrics.coverage(actual[product], lower[product], upper[product]),
            "coverageOfSums": metrics.coverage(actual[~product], lower[~product], upper[~product]),
        }
    }
    for name, baseline in BASELINES.items():
        scores[name] = score(baseline.forecast(known, series, begin - 1, horizon))
    truth = ceiling.load(data_dir, sales)
    scores["ceiling"] = (
        None if truth is None else score(ceiling.forecast(sales, series, begin - 1, horizon, truth))
    )
    return scores
