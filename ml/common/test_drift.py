import json
from pathlib import Path

import numpy as np
import pytest

from common.drift import psi, reference

RNG = np.random.default_rng(3)


def moved(then, now):
    value = psi(reference({"x": np.asarray(then)}), {"x": np.asarray(now)})["x"]
    assert np.isfinite(value)
    assert value >= 0
    return value


def test_another_sample_of_the_same_has_hardly_moved_and_a_shifted_one_has():
    then, now = RNG.normal(size=2_000), RNG.normal(size=2_000)
    assert moved(then, now) < 0.03
    assert 0.1 < moved(then, now + 0.4) < 0.4
    assert moved(then, now + 2) > 1


def test_the_index_is_that_of_the_formula():
    # Shares 0.5 and 0.5 then, 0.9 and 0.1 now: 0.4 ln 1.8 + 0.4 ln 5, less what is counted to every bucket.
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
    moved([1.0, 2.0], [])
    moved([], [1.0])


def test_a_histogram_is_small_and_plain_json():
    kept = json.dumps(reference({"x": RNG.normal(size=100_000).astype(np.float32)}), allow_nan=False)
    assert len(kept) < 1_000
    assert json.loads(kept)["x"]["counts"][0] == 0


def test_a_feature_that_only_one_side_has_is_left_out():
    assert psi(
        reference({"x": np.ones(5), "gone": np.ones(5)}), {"x": np.ones(5), "new": np.ones(5)}
    ).keys() == {"x"}


def test_a_model_without_features_has_no_drift():
    from common.drift import has_drift

    assert has_drift("recommender")
    assert has_drift("forecaster")
    assert not has_drift("summarizer")
    assert not Path(__file__).parents[1].joinpath("summarizer/drift.py").exists()
