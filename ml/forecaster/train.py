"""Train stage: data/ → out/forecaster/ with the bundle and the test forecasts, or skipped.json where there are no sales.

The periods of a granularity are cut into training, validation and test. One set of trees learns from training alone; blend and
margins are fitted on validation; both forecast the test window, which is what `evaluate.py` judges. What is shipped is
made in the same way with the windows moved to the end: trees that learned from everything, blend and margins fitted on
validation and test with the first trees, which have seen neither.

The bundle:
    features.json           {version, outputs, members, granularities: {day?, week?: {model, spec, features, weights,
                            margins, whole}}}
    day.onnx, week.onnx     input `features` float32 [rows, features], output `shares` float32 [rows, outputs]
"""

import json
import shutil
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from common.probe import write_probe
from common.protocol import log, progress, run_job

from forecaster import features, forecaster, model, panel
from forecaster.export import to_onnx
from forecaster.features import SPECS, Spec
from forecaster.forecaster import MEMBERS, Calibration, Forecast
from forecaster.model import OUTPUTS, Settings
from forecaster.panel import Panel

DATA = Path("data")
OUT = Path("out/forecaster")
# Fewer periods than this teach nothing: a season to look back on, and windows to judge by.
LEAST_PERIODS = {"day": 42, "week": 16}
VALIDATION_ROWS = 30_000
PARITY_ROWS = 5_000


class Skipped(Exception):
    """Why there is no model; a sentence for a person."""


@dataclass(frozen=True)
class Windows:
    """First columns of the validation and the test window, and the number of periods."""

    valid: int
    test: int
    end: int


@dataclass(frozen=True)
class Trained:
    """What is served, and what the honest one said about the test window."""

    onnx: bytes
    calibration: Calibration
    test: Forecast
    series: np.ndarray
    """Rows of the panel that `test` is about: products that had begun."""
    probe: tuple[np.ndarray, np.ndarray]
    """Feature rows and what the trees that are shipped say of them."""


def windows(spec: Spec, periods: int) -> Windows:
    """The last horizon is the test window, and as much before it validation; at most a quarter of the data each."""
    length = max(1, min(spec.horizon, periods // 4))
    return Windows(periods - 2 * length, periods - length, periods)


def train_granularity(spec: Spec, whole: Panel, settings: Settings, seed: int) -> Trained:
    """@raises Skipped when there is too little to learn from"""
    cut = windows(spec, whole.periods)
    rng = np.random.default_rng(seed)
    horizon = min(spec.max_horizon, max(1, whole.periods // 3))
    oldest = whole.periods - round(settings.years * spec.year)

    def sampled(begin: int, end: int, rows: int, training: bool) -> model.Rows | None:
        known = whole.until(end)
        return model.sample(spec, known, max(begin, 0), end, rows, horizon, rng, training)

    # All that is judged comes first, so that not even the random numbers behind it depend on the test window.
    learned = sampled(oldest, cut.valid, settings.rows, True)
    if learned is None:
        raise Skipped(f"The sales have too few {spec.granularity}s to learn from.")
    honest = model.fit(learned, settings, seed)

    def honest_trees(built: np.ndarray) -> np.ndarray:
        return model.predict(honest, built)

    validation = sampled(cut.valid, cut.test, VALIDATION_ROWS, False)
    judged = forecaster.calibration(spec, validation, honest_trees)
    known = whole.until(cut.test)
    series = np.array([i for i in whole.products if not np.isnan(known.units[i]).all()], dtype=int)
    test = forecaster.forecast(spec, judged, honest_trees, known, series, cut.test - 1, cut.end - cut.test)

    everything = sampled(oldest, cut.end, settings.rows, True)
    if everything is None:
        raise Skipped(f"The sales have too few {spec.granularity}s to learn from.")
    shipped = model.fit(everything, settings, seed)
    calibration = forecaster.calibration(
        spec, sampled(cut.valid, cut.end, VALIDATION_ROWS, False), honest_trees
    )
    rows = everything.features[:PARITY_ROWS]
    return Trained(to_onnx(shipped, rows), calibration, test, series, (rows, model.predict(shipped, rows)))


def describe(spec: Spec, calibration: Calibration) -> dict[str, Any]:
    """What serving needs beside the trees."""
    return {
        "model": f"{spec.granularity}.onnx",
        "spec": asdict(spec),
        "features": features.names(spec),
        "weights": calibration.weights,
        "margins": asdict(calibration.margins),
        "whole": calibration.whole,
    }


def write_bundle(folder: Path, trained: dict[str, Trained]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for granularity, result in trained.items():
        (folder / f"{granularity}.onnx").write_bytes(result.onnx)
    content = {
        "version": features.VERSION,
        "outputs": OUTPUTS,
        "members": MEMBERS,
        "granularities": {
            name: describe(SPECS[name], result.calibration) for name, result in trained.items()
        },
    }
    (folder / "features.json").write_text(json.dumps(content, indent=1) + "\n")


def train(data: Path, out: Path, settings: Settings, seed: int) -> None:
    """Writes `out`/bundle and the test forecasts. @raises Skipped"""
    manifest = json.loads((data / "manifest.json").read_text())
    if not manifest.get("hasSales"):
        raise Skipped("The dataset has no sales.")
    trained: dict[str, Trained] = {}
    wanted = [name for name in SPECS if name == "week" or manifest.get("granularity") == "day"]
    for index, granularity in enumerate(wanted):
        progress(index / len(wanted), f"train the {granularity} model")
        sales = panel.load(data, granularity)
        if sales is None or sales.periods < LEAST_PERIODS[granularity]:
            log(f"no {granularity} model: fewer than {LEAST_PERIODS[granularity]} {granularity}s of sales")
            continue
        result = train_granularity(SPECS[granularity], sales, settings, seed)
        log(f"{granularity}: weights {dict(zip(MEMBERS, result.calibration.weights, strict=True))}")
        trained[granularity] = result
        write_probe(out, f"{granularity}.onnx", *result.probe)
        np.savez_compressed(
            out / f"test_{granularity}.npz",
            series=result.series,
            units=result.test.units,
            lower=result.test.lower,
            upper=result.test.upper,
        )
    if manifest.get("granularity") not in trained:
        raise Skipped("The sales cover too short a time to learn from.")
    write_bundle(out / "bundle", trained)


def read_settings(values: dict[str, Any] | None) -> Settings:
    """@raises ValueError on unknown names"""
    given = dict(values or {})
    unknown = sorted(set(given) - {item.name for item in fields(Settings)})
    if unknown:
        raise ValueError(f"unknown parameters in forecaster: {', '.join(unknown)}")
    return Settings(**given)


def main() -> None:
    parameters = yaml.safe_load(Path("params.yaml").read_text()) if Path("params.yaml").exists() else {}
    settings = read_settings(parameters.get("forecaster"))
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    try:
        if "forecaster" not in parameters.get("models", ["forecaster"]):
            raise Skipped("Not among the models to train.")
        train(DATA, OUT, settings, int(parameters.get("seed", 7)))
    except Skipped as reason:
        log(f"skipped: {reason}")
        shutil.rmtree(OUT / "bundle", ignore_errors=True)
        (OUT / "skipped.json").write_text(json.dumps({"reason": str(reason)}) + "\n")
    progress(1, "forecaster trained")


if __name__ == "__main__":
    run_job(main)
