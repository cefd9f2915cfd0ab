"""The blend and the interval's margins."""

import numpy as np
import pytest

from forecaster import calibrate


def test_the_blend_finds_the_mixture_that_made_the_units():
    members = np.random.default_rng(0).random((200, 3)) * 10
    units = members @ np.array([0.3, 0.0, 0.7])
    assert calibrate.fit_weights(members, units, np.ones(200)) == pytest.approx([0.3, 0.0, 0.7])


def test_of_equal_members_the_first_takes_all():
    same = np.ones((10, 3))
    assert calibrate.fit_weights(same, np.ones(10), np.ones(10)) == [1.0, 0.0, 0.0]


def test_an_interval_holds_its_forecast_and_is_never_negative():
    units, lower, upper = np.array([0.2, 5.0]), np.array([0.4, 4.0]), np.array([0.5, 4.5])
    low, high = calibrate.interval(units, lower, upper, np.array([1.0, 5.0]), 2.0, whole=False)
    assert (low >= 0).all()
    assert (low <= units).all()
    assert (high >= units).all()


def test_counts_get_whole_ends_so_that_zero_sales_can_lie_inside():
    one = np.ones(1)
    low, high = calibrate.interval(0.4 * one, 0.01 * one, 1.2 * one, one, 0.0, whole=True)
    assert (low[0], high[0]) == (0.0, 1.0)


@pytest.mark.parametrize("raw", [0.3, 3.0])
def test_margins_bring_too_narrow_and_too_wide_intervals_to_the_coverage_aimed_at(raw: float):
    rng = np.random.default_rng(1)
    level = np.repeat([20.0, 100.0], 3_000)
    step = np.tile(np.arange(1, 9), 750)
    actual = level + rng.normal(size=6_000) * np.sqrt(level)
    lower, upper = level - raw * np.sqrt(level), level + raw * np.sqrt(level)
    fitted = calibrate.fit_margins(actual, level, lower, upper, level, step, [2, 8], whole=False)
    low, high = calibrate.interval(level, lower, upper, level, fitted.of(level, step), whole=False)
    assert np.mean((actual >= low) & (actual <= high)) == pytest.approx(calibrate.COVERAGE, abs=0.01)


def test_a_margin_is_that_of_the_level_and_step_at_or_below_the_buckets_edge():
    margins = calibrate.Margins([1.0], [7], [[1.0, 2.0], [3.0, 4.0]])
    level, step = np.array([1.0, 1.0, 1.1, 1.1]), np.array([7, 8, 7, 99])
    assert margins.of(level, step).tolist() == [1.0, 2.0, 3.0, 4.0]
