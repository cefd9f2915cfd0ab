from pathlib import Path

import numpy as np
import pytest
from common.drift import psi, reference

from forecaster import features
from forecaster.drift import LEFT_OUT, sample
from forecaster.features import SPECS
from forecaster.test_train import SMALL, run, weekday_sales, write_dataset


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    workspace = tmp_path_factory.mktemp("workspace")
    write_dataset(workspace / "data", weekday_sales(40, 182))
    run(workspace, {"models": ["forecaster"], "forecaster": SMALL, "seed": 7})
    return workspace / "out/forecaster/bundle"


def test_the_same_sales_have_not_moved_and_a_boom_shows(bundle: Path, tmp_path: Path):
    units = weekday_sales(40, 182)
    then = sample(bundle, write_dataset(tmp_path / "same", units))
    names = {name for name in features.names(SPECS["day"]) if not LEFT_OUT.fullmatch(name)}
    assert len(names) > 15
    assert set(then.columns) == {*names, "prediction"}
    assert max(psi(reference(then), then).values()) == pytest.approx(0, abs=1e-9)

    units[:, -40:] *= 5
    values = psi(reference(then), sample(bundle, write_dataset(tmp_path / "boom", units)))
    assert max(values.values()) > 0.2
    assert all(np.isfinite(value) for value in values.values())


def test_time_that_passes_is_no_drift(bundle: Path, tmp_path: Path):
    units = weekday_sales(40, 182)
    then = sample(bundle, write_dataset(tmp_path / "then", units[:, :140]))
    values = psi(reference(then), sample(bundle, write_dataset(tmp_path / "now", units)))
    assert max(values.values()) < 0.2, values


def test_dead_and_few_sales_are_no_failure(bundle: Path, tmp_path: Path):
    nothing = sample(bundle, write_dataset(tmp_path / "dead", np.zeros((40, 182))))
    assert nothing is None or all(np.isfinite(column).all() for column in nothing.columns.values())
    assert sample(bundle, write_dataset(tmp_path / "few", weekday_sales(3, 182))) is None
    assert sample(bundle, write_dataset(tmp_path / "none", weekday_sales(3, 182), sales=False)) is None
