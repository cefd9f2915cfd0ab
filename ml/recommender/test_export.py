import lightgbm as lgb
import numpy as np
import pytest

from recommender import export


@pytest.fixture(scope="module")
def trained() -> tuple[lgb.Booster, np.ndarray]:
    """A ranker on values with few float32 neighbours between them, where rounded thresholds change sides."""
    rng = np.random.default_rng(0)
    rows = np.round(rng.random((4_000, 6)), 2).astype(np.float32)
    labels = (rows @ rng.random(6) + 0.3 * rng.random(4_000) > 1.8).astype(int)
    data = lgb.Dataset(rows, labels, group=[20] * 200)
    params = {"objective": "lambdarank", "verbosity": -1, "num_leaves": 31, "seed": 1, "num_threads": 1}
    return lgb.train(params, data, num_boost_round=60), rows


def test_the_exported_model_scores_as_the_trained_one(trained):
    booster, rows = trained
    base = np.linspace(0, 1, rows.shape[1], dtype=np.float32)
    content = export.to_onnx(booster, base, rows)
    assert np.abs(export.score(content, rows) - booster.predict(rows) - rows @ base).max() < export.TOLERANCE


def test_thresholds_become_float32_without_changing_a_score(trained):
    booster, rows = trained
    safe = export.float32_thresholds(booster)
    assert np.array_equal(safe.predict(rows), booster.predict(rows))
    for line in safe.model_to_string().splitlines():
        if line.startswith("threshold="):
            values = [float(value) for value in line.removeprefix("threshold=").split()]
            assert all(float(np.float32(value)) == value for value in values)


def test_a_model_that_scores_differently_is_refused(trained, monkeypatch):
    booster, rows = trained
    monkeypatch.setattr(
        export,
        "float32_thresholds",
        lambda booster: lgb.Booster(model_str=booster.model_to_string(num_iteration=30)),
    )
    with pytest.raises(export.ParityError):
        export.to_onnx(booster, np.zeros(rows.shape[1], np.float32), rows)
