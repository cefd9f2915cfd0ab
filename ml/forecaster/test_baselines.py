"""Baselines on series whose best forecast is known."""

import numpy as np
import pandas as pd
import pytest

from forecaster import panel
from forecaster.baselines import ets


def sales(units: list[list[float]], granularity: str) -> panel.Panel:
    periods = len(units[0])
    dates = pd.date_range("2026-01-05", periods=periods, freq=f"{panel.STEP_DAYS[granularity]}D")
    tables = [
        pd.DataFrame({"date": dates, "product_id": f"p{i}", "units": values})[np.isfinite(values)]
        for i, values in enumerate(units)
    ]
    table = pd.concat(tables).assign(price=None, promotion=None, in_stock=None)
    return panel.build(table, granularity, {}, {})


def test_smoothing_finds_a_level_under_noise_and_follows_one_that_moved():
    rng = np.random.default_rng(0)
    noisy = rng.poisson(20, 200).astype(float)
    moved = np.concatenate([np.full(100, 5.0), np.full(100, 50.0)])
    found = ets.forecast(sales([noisy.tolist(), moved.tolist()], "week"), np.array([0, 1]), 199, 3)
    assert found[0] == pytest.approx([20] * 3, rel=0.15)
    assert found[1] == pytest.approx([50] * 3, rel=0.01)


def test_smoothing_of_days_repeats_the_week_from_the_right_day_on():
    week = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    late = [np.nan] * 10 + (week * 30)[10:]
    found = ets.forecast(sales([week * 30, late], "day"), np.array([0, 1]), 207, 4)
    for row in found:  # column 208 is a Saturday
        assert row == pytest.approx([6.0, 7.0, 1.0, 2.0], abs=0.3)
