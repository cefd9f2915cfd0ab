"""The best possible forecast, where the data is synthetic and its process is known.

`truth_demand` holds the true expected units. MASE rewards the median, so the ceiling is the median of the
Poisson distribution with that mean: the unbeatable point forecast of a count under absolute error.
"""

from pathlib import Path

import numpy as np
from scipy.stats import poisson

from forecaster.panel import Panel, read_table


def forecast(
    panel: Panel, series: np.ndarray, origin: int, horizon: int, truth: np.ndarray | None = None
) -> np.ndarray:
    """`truth`: expected units [series, period], from `load`; NaN where the process is not known."""
    if truth is None:
        return np.full((len(series), horizon), np.nan)
    mean = truth[np.ix_(series, np.arange(origin + 1, origin + 1 + horizon))]
    return np.where(np.isnan(mean), np.nan, poisson.median(np.nan_to_num(mean)))


def load(data_dir: Path, panel: Panel) -> np.ndarray | None:
    """Expected units on the panel's grid, or None without a truth table."""
    table = read_table(Path(data_dir) / "truth_demand", ["date", "product_id", "mean"])
    if table is None or table.empty:
        return None
    truth = np.full(panel.units.shape, np.nan)
    rows = {key: i for i, (kind, key) in enumerate(panel.keys) if kind == "product"}
    step = panel.step_days
    row = table["product_id"].map(rows)
    column = np.floor((table["date"] - panel.start).dt.days / step)
    inside = row.notna() & (column >= 0) & (column < panel.periods)
    grid = np.zeros(panel.units.shape)
    count = np.zeros(panel.units.shape)
    at = (row[inside].astype(int).to_numpy(), column[inside].astype(int).to_numpy())
    np.add.at(grid, at, table["mean"].to_numpy(float)[inside.to_numpy()])
    np.add.at(count, at, 1)
    complete = count >= step if panel.granularity == "week" and count.max() > 1 else count > 0
    truth[complete] = grid[complete]
    return truth
