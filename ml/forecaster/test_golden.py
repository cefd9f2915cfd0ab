"""golden/ is what this code writes; serving is tested against it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecaster import export, features, golden
from forecaster.calibrate import Bands, Margins
from forecaster.features import SPECS
from forecaster.forecaster import Calibration, combine
from forecaster.model import examples


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("golden")
    golden.write(folder)
    return folder


def close(actual: Any, expected: Any) -> None:
    """Equal but for the last digits of numbers, which differ from one processor to another."""
    assert type(actual) is type(expected)
    if isinstance(expected, dict):
        assert list(actual) == list(expected)
        for key in expected:
            close(actual[key], expected[key])
    elif isinstance(expected, list):
        assert len(actual) == len(expected)
        for one, other in zip(actual, expected, strict=True):
            close(one, other)
    elif isinstance(expected, float):
        assert actual == pytest.approx(expected, rel=1e-4, abs=1e-6)
    else:
        assert actual == expected


@pytest.mark.parametrize("name", [*golden.FILES.values(), "bundle/features.json"])
def test_golden_files_are_up_to_date(written: Path, name: str):
    close(json.loads((written / name).read_text()), json.loads((golden.FOLDER / name).read_text()))


@pytest.mark.parametrize("granularity", list(SPECS))
def test_the_bundle_alone_gives_the_golden_forecasts(granularity: str):
    """Nothing but the bundle's files and the definitions in code is needed to serve."""
    spec = SPECS[granularity]
    content = json.loads((golden.FOLDER / "bundle/features.json").read_text())
    assert content["version"] == features.VERSION
    part = content["granularities"][granularity]
    assert part["features"] == features.names(spec)
    margins, bands = Margins(**part["margins"]), Bands(**part["bands"])
    fitted = Calibration(part["weights"], part["round"], margins, bands, part["whole"])
    wanted = json.loads((golden.FOLDER / golden.FILES[granularity]).read_text())["rows"]
    sales = golden.shop(granularity)
    series, step = (np.array([row[key] for row in wanted]) for key in ("series", "step"))
    assert {sales.keys[i][0] for i in series} == {"product", "category", "shop"}
    rows = examples(spec, sales, series, np.full(len(series), sales.periods - 1), step)
    trees = export.trees((golden.FOLDER / "bundle" / part["model"]).read_bytes())
    forecast = combine(spec, fitted, sales, rows, trees(rows.features))
    for name, values in zip(("units", "lower", "upper"), forecast, strict=True):
        np.testing.assert_allclose(values, [row[name] for row in wanted], rtol=1e-4, atol=1e-6)
