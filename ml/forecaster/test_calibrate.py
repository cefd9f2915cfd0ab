"""The blend and the interval's margins."""

import numpy as np
import pytest

from forecaster import calibrate


def test_the_blend_finds_the_mixture_that_made_the_units():
    members = np.random.default_rng(0).random((200, 3)) * 10
    units = members @ np.array([0.3, 0.0, 0.7])
    assert calibrate.fit_blend(members, units, np.ones(200))[0] == pytest.approx([0.3, 0.0, 0.7])


def test_of_equal_members_the_first_takes_all():
    same = np.ones((10, 3))
    assert calibrate.fit_blend(same, np.ones(10), np.ones(10))[0] == [1.0, 0.0, 0.0]


def test_a_blend_of_means_of_counts_is_rounded_to_their_median():
    means = np.random.default_rng(0).uniform(0.1, 4, (20_000, 1))
    units = np.random.default_rng(1).poisson(means[:, 0])
    assert calibrate.fit_blend(means, units, np.ones(20_000), calibrate.ROUNDS)[1] == pytest.approx(1 / 3)


def test_an_interval_holds_its_forecast_and_is_never_negative():
    units, lower, upper = np.array([0.2, 5.0]), np.array([-0.4, 5.5]), np.array([0.1, 6.5])
    low, high = calibrate.ends(units, lower, upper, whole=False)
    assert low.tolist() == [0.0, 5.0]
    assert high.tolist() == [0.2, 6.5]


def test_counts_get_whole_ends_so_that_zero_sales_can_lie_inside():
    one = np.ones(1)
    low, high = calibrate.ends(0.4 * one, 0.01 * one, 1.2 * one, whole=True)
    assert (low[0], high[0]) == (0.0, 1.0)


def test_the_band_of_a_sum_is_as_narrow_as_its_relative_error():
    rng = np.random.default_rng(2)
    level, step = np.repeat([100.0, 900.0], 2_000), np.ones(4_000)
    actual = level * rng.normal(1.0, np.where(level > 500, 0.02, 0.2))
    bands = calibrate.fit_bands(actual, level, level, step, [1])
    low, high = bands.of(np.array([100.0, 900.0]), np.ones(2))
    assert high - low == pytest.approx([0.2 * 2.68, 0.02 * 2.68], rel=0.1)


@pytest.mark.parametrize("raw", [0.3, 3.0])
def test_margins_bring_too_narrow_and_too_wide_intervals_to_the_coverage_aimed_at(raw: float):
    rng = np.random.default_rng(1)
    level = np.repeat([20.0, 100.0], 3_000)
    step = np.tile(np.arange(1, 9), 750)
    actual = level + rng.normal(size=6_000) * np.sqrt(level)
    lower, upper = level - raw * np.sqrt(level), level + raw * np.sqrt(level)
    fitted = calibrate.fit_margins(actual, level, lower, upper, level, step, [2, 8], whole=False)
    extra = fitted.of(level, step) * calibrate.spread(level, lower, upper)
    low, high = calibrate.ends(level, lower - extra, upper + extra, whole=False)
    assert np.mean((actual >= low) & (actual <= high)) == pytest.approx(calibrate.COVERAGE, abs=0.01)


def test_a_margin_is_that_of_the_level_and_step_at_or_below_the_buckets_edge():
    margins = calibrate.Margins([1.0], [7], [[1.0, 2.0], [3.0, 4.0]])
    level, step = np.array([1.0, 1.0, 1.1, 1.1]), np.array([7, 8, 7, 99])
    assert margins.of(level, step).tolist() == [1.0, 2.0, 3.0, 4.0]
