"""Metrics and baselines against values worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from forecaster import metrics, panel
from forecaster.baselines import moving_average, naive, seasonal_naive

ACTUAL = np.array([[2.0, 4.0], [10.0, 0.0]])
FORECAST = np.array([[3.0, 4.0], [6.0, 2.0]])


def sales(units: list[float], granularity: str = "day") -> panel.Panel:
    """One product without categories."""
    step = panel.STEP_DAYS[granularity]
    table = pd.DataFrame({"date": pd.date_range("2026-01-05", periods=len(units), freq=f"{step}D")})
    table = table.assign(product_id="p", units=units, price=None, promotion=None, in_stock=None)
    return panel.build(table, granularity, {}, {})


def test_mase_is_the_mean_over_series_of_error_over_the_naive_error_in_sample():
    # Steps of 2 and 4: scale 3; steps of 5 and 5: scale 5. Errors: (1 + 0) / 2 and (4 + 2) / 2.
    scale = metrics.naive_scale(np.array([[1.0, 3.0, 7.0], [5.0, 10.0, 5.0]]), season=1)
    assert scale.tolist() == [3.0, 5.0]
    assert metrics.mase(ACTUAL, FORECAST, scale) == pytest.approx((0.5 / 3 + 3 / 5) / 2)


def test_the_naive_scale_compares_values_a_season_apart_and_skips_what_was_not_yet_sold():
    history = np.array([[np.nan, 1.0, 5.0, 4.0]])
    assert metrics.naive_scale(history, season=2).tolist() == [3.0]


def test_series_that_never_vary_have_no_scale_and_are_left_out_of_mase():
    scale = metrics.naive_scale(np.array([[2.0, 2.0, 2.0], [5.0, 10.0, 5.0]]), season=1)
    assert np.isnan(scale[0])
    assert metrics.mase(ACTUAL, FORECAST, scale) == pytest.approx(3 / 5)
    assert metrics.mase(ACTUAL, FORECAST, np.full(2, np.nan)) is None


def test_wape_and_bias_are_relative_to_all_units():
    assert metrics.wape(ACTUAL, FORECAST) == pytest.approx(7 / 16)
    assert metrics.bias(ACTUAL, FORECAST) == pytest.approx(-1 / 16)
    assert metrics.wape(np.zeros((1, 2)), np.ones((1, 2))) is None


def test_coverage_counts_both_ends_of_the_interval():
    lower, upper = np.array([[2.0, 5.0], [0.0, 0.0]]), np.array([[2.0, 6.0], [9.0, 0.0]])
    assert metrics.coverage(ACTUAL, lower, upper) == pytest.approx(0.5)


def test_naive_repeats_the_last_day_and_seasonal_naive_the_last_week():
    history = sales([float(day) for day in range(1, 15)])
    assert naive.forecast(history, np.array([0]), 13, 3).tolist() == [[14.0, 14.0, 14.0]]
    expected = [8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 8.0]
    assert seasonal_naive.forecast(history, np.array([0]), 13, 8).tolist() == [expected]


def test_seasonal_naive_of_weeks_repeats_last_year_or_else_the_last_week():
    long = sales([float(week) for week in range(60)], "week")
    assert seasonal_naive.forecast(long, np.array([0]), 59, 2).tolist() == [[8.0, 9.0]]
    short = sales([3.0, 4.0], "week")
    assert seasonal_naive.forecast(short, np.array([0]), 1, 2).tolist() == [[4.0, 4.0]]


def test_the_moving_average_of_days_is_the_weekdays_own_mean_of_four_weeks():
    history = sales([100.0] * 7 + [float(7 * week + day) for week in range(4) for day in range(7)])
    forecast = moving_average.forecast(history, np.array([0]), 34, 8)
    assert forecast.tolist() == [[10.5, 11.5, 12.5, 13.5, 14.5, 15.5, 16.5, 10.5]]


def test_baselines_do_not_read_past_the_origin():
    known, more = sales([1.0, 2.0, 3.0] * 12), sales([1.0, 2.0, 3.0] * 12 + [900.0] * 5)
    for baseline in (naive, seasonal_naive, moving_average):
        expected = baseline.forecast(known, np.array([0]), 35, 9)
        np.testing.assert_array_equal(baseline.forecast(more, np.array([0]), 35, 9), expected)


def test_errors_on_special_periods_weigh_five_times():
    actual, forecast = np.array([[1.0, 1.0]]), np.array([[1.0, 4.0]])
    assert metrics.wmae(actual, forecast, np.array([[False, True]])) == pytest.approx(15 / 6)
    assert metrics.wmae(actual, forecast, np.array([[True, False]])) == pytest.approx(3 / 6)


def test_levels_of_the_hierarchy_count_the_same_and_series_by_their_turnover():
    history = np.array([[0.0, 2.0, 0.0], [0.0, 4.0, 0.0], [0.0, 6.0, 0.0]])  # scales 2, 4 and 6
    actual, forecast = np.ones((3, 1)), np.array([[3.0], [5.0], [4.0]])  # scaled errors 1, 1 and a half
    price = np.array([[10.0] * 3, [1.0] * 3, [np.nan] * 3])
    level = np.array(["product", "product", "shop"])
    assert metrics.wrmsse(actual, forecast, history, price, level) == pytest.approx((1 + 0.5) / 2)
    forecast[1] = 1.0
    assert metrics.wrmsse(actual, forecast, history, price, level) == pytest.approx((20 / 24 + 0.5) / 2)
    forecast[2] = np.nan
    assert metrics.wrmsse(actual, forecast, history, price, level) is None
