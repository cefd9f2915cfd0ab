import json

import numpy as np
import pytest

from common.drift import Sample, has_drift, psi, reference

RNG = np.random.default_rng(3)


def of(values, units=None):
    values = np.asarray(values)
    return Sample({"x": values}, units or len(values))


def moved(then, now, units=None):
    value = psi(reference(of(then, units)), of(now, units))["x"]
    assert np.isfinite(value)
    assert value >= 0
    return value


def test_another_sample_of_the_same_has_hardly_moved_and_a_shifted_one_has():
    then, now = RNG.normal(size=2_000), RNG.normal(size=2_000)
    assert moved(then, now) < 0.03
    assert 0.1 < moved(then, now + 0.4) < 0.4
    assert moved(then, now + 2) > 1


def test_the_index_is_that_of_the_formula():
    # Shares 0.5 and 0.5 then, 0.9 and 0.1 now.
    expected = 0.4 * np.log(0.9 / 0.5) - 0.4 * np.log(0.1 / 0.5)
    assert moved([0.0] * 5_000 + [1.0] * 5_000, [0.0] * 9_000 + [1.0] * 1_000) == pytest.approx(
        expected, abs=0.01
    )


@pytest.mark.parametrize("now", [[2.0], [4.0], [np.nan], [np.inf]])
def test_a_constant_that_is_another_now_has_moved(now):
    assert moved([3.0] * 200, [3.0] * 200) == pytest.approx(0, abs=1e-9)
    assert moved([3.0] * 200, now * 200) > 1


def test_values_that_are_no_numbers_are_a_bucket_of_their_own():
    then = np.where(np.arange(1_000) % 2 == 0, np.nan, np.arange(1_000.0))
    assert moved(then, then) == pytest.approx(0, abs=1e-9)
    assert moved(then, np.arange(1_000.0)) > 1


def test_what_was_never_known_and_an_empty_sample_give_numbers_too():
    assert moved([np.nan] * 50, [np.nan] * 50) == pytest.approx(0, abs=1e-9)
    assert moved([np.nan] * 50, [1.0] * 50) > 1
    moved([1.0, 2.0], [], units=50)
    moved([], [1.0], units=50)


@pytest.mark.parametrize("users", [200, 400, 1_000])
def test_a_small_shop_is_not_said_to_have_moved_by_chance(users):
    """A feature of the user, a hundred rows each: the users differ, the population is the same."""
    rng, values = np.random.default_rng(users), []
    for _ in range(200):
        then, now = (np.repeat(rng.lognormal(size=users), 100) for _ in range(2))
        values.append(moved(then, now, users))
    assert np.quantile(values, 0.95) < 0.12
    assert np.quantile(values, 0.99) < 0.2
    assert moved(then, then * 3, users) > 0.3


def test_far_fewer_users_than_there_were_are_too_little_to_compare():
    then = reference(of(RNG.normal(size=500)))
    assert psi(then, of(RNG.normal(size=200))) is None
    assert psi(then, of(RNG.normal(size=250))) is not None


def test_a_histogram_is_small_and_plain_json():
    kept = json.dumps(reference(of(RNG.normal(size=100_000).astype(np.float32))), allow_nan=False)
    assert len(kept) < 1_000
    assert json.loads(kept)["x"]["shares"][0] == 0


def test_a_feature_that_only_one_side_has_is_left_out():
    then = reference(Sample({"x": np.ones(50), "gone": np.ones(50)}, 50))
    assert psi(then, Sample({"x": np.ones(50), "new": np.ones(50)}, 50)).keys() == {"x"}


def test_a_model_without_features_has_no_drift():
    assert [name for name in ("recommender", "forecaster", "summarizer") if has_drift(name)] == [
        "recommender",
        "forecaster",
    ]
